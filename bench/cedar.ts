import {
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  type StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { Decider, Question } from '#base/decider.ts'
import { authorize, type Policies } from '#trust/access/authorize.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { toCedarEntity, toCedarRecord } from './cedar_wasm_value.ts'
import { makeCaller, makeQuestion, makeWorld, type CedarWorld } from './cedar_world.ts'
import { describeMachine, type Machine } from './machine.ts'
import { median, pairedRatio, quantile, round } from './statistics.ts'
import os from 'node:os'

export const SIZES = [10, 100, 1_000, 10_000] as const

export interface CedarReport {
  readonly bench: 'cedar'
  readonly machine: Machine
  readonly rounds: number
  readonly sizes: Readonly<Record<string, SizeReport>>
  /** Our p50 at the largest set over that at the smallest, in the same round. */
  readonly growth: number | null
  /** A caller with 50 groups that the engine has never seen, through `authorize`, 1,000 policies. */
  readonly fresh_caller_us: number
  /** The same when nobody has been in its groups either. */
  readonly fresh_groups_us: number
}

interface SizeReport {
  /** Per decision; of batches, because the clock is too coarse for one. */
  readonly p50_us: number
  readonly p99_us: number
  readonly load_ms: number
  readonly allowed: number
  readonly wasm_p50_us: number
  /** cedar-wasm's p50 over ours, in the same round. */
  readonly ratio: number | null
}

interface Contest {
  readonly size: number
  readonly questions: readonly Question[]
  readonly calls: readonly StatefulAuthorizationCall[]
  readonly decider: Decider
  readonly load: number
  readonly ours: { p50: number; p99: number }[]
  readonly wasm: number[]
}

const QUESTIONS = 2_000
const BATCH = 50
const FRESH_CALLERS = 5_000
const WARM_SHARE = 0.4
const SCHEMA_NAME = 'bench'

/** Measures decisions of our engine beside cedar-wasm's stateful call, in rounds that take each in turn. */
export async function benchCedar(options: {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}): Promise<CedarReport> {
  const { rounds, seconds, say } = options
  preparseSchema(SCHEMA_NAME, SCHEMA)
  const contests = SIZES.map(openContest)
  // Round 0 warms up.
  for (let at = 0; at <= rounds; at++) {
    for (const contest of contests) runRound(contest, (at === 0 ? 1 : seconds) * 1_000, at > 0)
    say(at === 0 ? 'warmed up' : `round ${at} of ${rounds}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [smallest, largest] = [contests[0], contests.at(-1)]
  return {
    bench: 'cedar',
    machine: describeMachine(os.tmpdir()),
    rounds,
    sizes: Object.fromEntries(contests.map((contest) => [contest.size, toReport(contest)])),
    growth: pairedRatio(p50s(largest), p50s(smallest)),
    fresh_caller_us: measureFreshCallers(false),
    fresh_groups_us: measureFreshCallers(true),
  }
}

function openContest(size: number): Contest {
  const world = makeWorld(size)
  const started = performance.now()
  const decider = compile(world)
  const load = performance.now() - started
  preparsePolicySet(`bench-${size}`, { staticPolicies: world.policies })
  const questions = Array.from({ length: QUESTIONS }, (_, index) => {
    const caller = world.callers[(index * 13) % world.callers.length]
    const model = world.models[(index * 7) % world.models.length]
    if (caller === undefined || model === undefined) throw new Error('the world is empty')
    return makeQuestion(caller, model)
  })
  const calls = questions.slice(0, QUESTIONS / 10).map((question) => toCall(question, `bench-${size}`))
  return { size, questions, calls, decider, load, ours: [], wasm: [] }
}

function compile(world: CedarWorld): Decider {
  const compiled = cedarEngine.compile([{ name: 'bench.cedar', text: world.policies }], 'bench')
  if (compiled.kind === 'bad') throw new Error(compiled.problems[0]?.message)
  return compiled.decider
}

function toCall(question: Question, policies: string): StatefulAuthorizationCall {
  return {
    principal: question.principal,
    action: question.action,
    resource: question.resource,
    context: toCedarRecord(question.context),
    entities: question.entities.flat().map(toCedarEntity),
    preparsedPolicySetId: policies,
    preparsedSchemaName: SCHEMA_NAME,
    validateRequest: true,
  }
}

function runRound(contest: Contest, budgetMs: number, isCounted: boolean): void {
  const half = budgetMs / 2 / SIZES.length
  const ours = runOurs(contest, half)
  const wasm = runWasm(contest, half)
  if (!isCounted) return
  contest.ours.push({ p50: quantile(ours, 0.5), p99: quantile(ours, 0.99) })
  contest.wasm.push(quantile(wasm, 0.5))
}

/** Microseconds of one decision, sorted. The first part of the time is for the caches of the machine. */
function runOurs({ questions, decider }: Contest, budgetMs: number): number[] {
  const times: number[] = []
  const started = performance.now()
  for (let at = 0; performance.now() - started < budgetMs; at = (at + BATCH) % questions.length) {
    const before = process.hrtime.bigint()
    for (let index = at; index < at + BATCH; index++) {
      const question = questions[index]
      if (question !== undefined) decider.decide(question)
    }
    const elapsed = Number(process.hrtime.bigint() - before) / 1_000 / BATCH
    if (performance.now() - started > budgetMs * WARM_SHARE) times.push(elapsed)
  }
  return times.sort((a, b) => a - b)
}

function runWasm({ calls }: Contest, budgetMs: number): number[] {
  const times: number[] = []
  const started = performance.now()
  for (let at = 0; performance.now() - started < budgetMs || times.length < 3; at = (at + 1) % calls.length) {
    const call = calls[at]
    if (call === undefined) break
    const before = performance.now()
    const answer = statefulIsAuthorized(call)
    times.push((performance.now() - before) * 1_000)
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  }
  return times.sort((a, b) => a - b)
}

/**
 * Microseconds, the median. Each caller is made just before it is asked about, and never asked about again; with `isAlone`
 * all that is said of its groups is new as well.
 */
function measureFreshCallers(isAlone: boolean): number {
  const size = 1_000
  const world = makeWorld(size)
  const decider = compile(world)
  const policies: Policies = { current: () => decider }
  const times: number[] = []
  for (let user = 0; user < FRESH_CALLERS; user++) {
    const caller = makeCaller(user, size / 5, size / 50, isAlone)
    const model = world.models[user % world.models.length]
    if (model === undefined) break
    const ask = { caller, action: 'model:infer', target: model, findings: [] }
    const before = process.hrtime.bigint()
    try {
      authorize(policies, ask)
    } catch {
      // A refusal is an answer too.
    }
    times.push(Number(process.hrtime.bigint() - before) / 1_000)
  }
  return round(
    quantile(
      times.slice(FRESH_CALLERS * WARM_SHARE).sort((a, b) => a - b),
      0.5,
    ),
    2,
  )
}

function p50s(contest: Contest | undefined): number[] {
  return contest?.ours.map(({ p50 }) => p50) ?? []
}

function toReport(contest: Contest): SizeReport {
  const { questions, decider, load, ours, wasm } = contest
  const allowed = questions.filter((question) => decider.decide(question).effect === 'allow').length
  return {
    p50_us: round(median(p50s(contest)), 3),
    p99_us: round(median(ours.map(({ p99 }) => p99)), 3),
    load_ms: round(load, 1),
    allowed: round(allowed / questions.length, 2),
    wasm_p50_us: round(median(wasm), 1),
    ratio: pairedRatio(wasm, p50s(contest)),
  }
}

export function drawCedar({ sizes, growth, fresh_caller_us, fresh_groups_us, rounds }: CedarReport): string {
  const rows = Object.entries(sizes).map(([size, one]) =>
    [
      size.padStart(8),
      `${one.p50_us} µs`.padStart(11),
      `${one.p99_us} µs`.padStart(11),
      `${one.wasm_p50_us} µs`.padStart(13),
      `${one.ratio} ×`.padStart(12),
      `${one.load_ms} ms`.padStart(10),
      `${Math.round(one.allowed * 100)} %`.padStart(8),
    ].join(' '),
  )
  return [
    `decisions, ${rounds} rounds side by side; p50 and p99 of batches of ${BATCH}`,
    'policies         p50         p99    cedar-wasm        ratio       load  allowed',
    ...rows,
    `growth 10 -> 10,000 policies: ${growth} ×`,
    `a fresh caller with 50 groups, through authorize: ${fresh_caller_us} µs; with groups that nobody has been in: ${fresh_groups_us} µs`,
  ].join('\n')
}
