import { sha256Hex } from '#base/crypto.ts'
import type { Decision } from '#base/decider.ts'
import { newEntryId } from '#base/ids.ts'
import { printJson, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { checkChatRequest, type ChatRequest } from '#rooms/models/chat_request.ts'
import type { Caller } from '#trust/access/caller.ts'
import { CompactRange } from '#trust/ledger/merkle.ts'
import { BODY } from './door.ts'
import { admit, Guarantees, settle, type Asked, type Entered } from './guarantees.ts'
import { COMPLETION } from './mock.ts'
import { median, round } from './statistics.ts'
import type { StraightEntry } from './straight_log.ts'

/** What one request needs, by the promise that needs it. */
export const STEPS = [
  ['key', 1, 'prove the key, and again once the body is there'],
  ['parse', 2, 'read the body as strict JSON'],
  ['schema', 2, 'check it against the schema'],
  ['print', 2, 'print it for the provider'],
  ['decide', 3, 'authorize and admit'],
  ['facts', 3, 'the version of the facts that were decided on'],
  ['search', 4, 'search the request'],
  ['search_answer', 4, 'search the answer'],
  ['content', 5, 'SHA-256 of both bodies'],
  ['leaves', 5, 'two leaves with commitments, and their secrets'],
  ['group', 5, 'hash, seal and frame them: a share of a group'],
  ['tree', 5, 'put them into the tree'],
  ['parse_answer', 6, 'look for our key in the answer, and read it'],
  ['print_answer', 6, 'print it for the caller'],
] as const

export type StepName = (typeof STEPS)[number][0]

/** Microseconds of processor time for one request. */
export interface StepTimes {
  readonly steps: Readonly<Record<StepName, number>>
  /** All of them one after the other for each request, without HTTP and disk. */
  readonly together: number
  /** A share of the one write of a group, which is its own sync. The floor has one too. */
  readonly write: number
  /** Requests that share a group here. */
  readonly sharing: number
}

export interface StepOptions {
  readonly rounds: number
  /** As many as share one under load. */
  readonly sharing: number
  readonly roundMs: number
}

/** Bodies that take turns, so that the engine remembers nothing of the last one. */
const BODIES = 64
const HERE = '127.0.0.1'

/** Times each step by itself, in turns, and gives the medians of the rounds; as many rounds before that warm up. */
export async function timeSteps(guarantees: Guarantees, options: StepOptions): Promise<StepTimes> {
  const { rounds, sharing, roundMs } = options
  const { timed, group } = worksOf(guarantees, sharing)
  const times = new Map<string, number[]>()
  const keep = (name: string, us: number): void => void times.set(name, [...(times.get(name) ?? []), us])
  for (let at = -rounds; at < rounds; at += 1) {
    for (const [name, time] of timed) {
      const us = time(roundMs)
      if (at >= 0) keep(name, us)
    }
    const us = await timeOfWrites(guarantees, group, roundMs)
    if (at >= 0) keep('write', us)
  }
  const of = (name: string): number => round(median(times.get(name) ?? []), 2)
  const steps = Object.fromEntries(STEPS.map(([name]) => [name, of(name)]))
  return {
    steps: steps as Record<StepName, number>,
    together: of('together'),
    write: of('write'),
    sharing,
  }
}

/** One request with what each of its steps begins with. */
interface Sample {
  readonly body: Buffer
  readonly value: ChatRequest
  readonly answerBytes: Buffer
  readonly answer: JsonObject
  readonly printed: string
  readonly decision: Decision
  readonly asked: Asked
  /** SHA-256 of what is printed. */
  readonly content: string
  readonly entries: readonly StraightEntry[]
}

type Work = (sample: Sample, at: number) => void

function worksOf(guarantees: Guarantees, sharing: number): Works {
  const { log } = guarantees
  const authorization = `Bearer ${guarantees.key}`
  const { caller } = guarantees.prove(authorization, HERE)
  const samples = Array.from({ length: BODIES }, (_, at) => sampleOf(guarantees, caller, at))
  const group = samples.slice(0, sharing).flatMap(({ entries }) => entries)
  const { hashes } = log.groupOf(group)
  const range = new CompactRange()
  const addTwo = (): void => hashes.slice(0, 2).forEach((hash) => range.append(hash))
  const addShare = (at: number): void => void (at % sharing === 0 && log.groupOf(group))
  const works: Readonly<Record<StepName | 'together', Work>> = {
    key: () => void guarantees.prove(authorization, HERE).recheck(),
    parse: ({ body }) => void parseStrictJson(body, LIMITS),
    schema: ({ value }) => checkChat(value),
    print: ({ value }) => void guarantees.printRequest(value),
    decide: ({ value }) => {
      guarantees.authorize(caller, value)
      guarantees.authorize(caller, value)
    },
    facts: ({ decision }) => void decision.entities,
    search: ({ value }) => guarantees.search(value),
    search_answer: ({ answer }) => guarantees.search(answer),
    content: ({ body, printed }) => {
      sha256Hex(body)
      sha256Hex(printed)
    },
    leaves: (sample) => void entriesOf(guarantees, caller, sample),
    group: (_sample, at) => addShare(at),
    tree: addTwo,
    parse_answer: ({ answerBytes }) => void guarantees.parseAnswer(answerBytes),
    print_answer: ({ answer }) => void printJson(answer),
    together: ({ body, answerBytes }, at) => {
      const entered = enter(guarantees)
      admit(guarantees, entered, guarantees.prove(authorization, HERE), body)
      settle(guarantees, entered, answerBytes)
      addShare(at)
      addTwo()
    },
  }
  const timed = Object.entries(works).map(([name, work]): Timed => [name, (ms) => timeOf(work, samples, ms)])
  return { timed, group }
}

interface Works {
  readonly timed: readonly Timed[]
  /** Entries that share a group. */
  readonly group: readonly StraightEntry[]
}

type Timed = readonly [name: string, time: (ms: number) => number]

function sampleOf(guarantees: Guarantees, caller: Caller, at: number): Sample {
  const body = Buffer.from(BODY.replace('Good', `Good ${at}`))
  const value = guarantees.parse(body)
  const answerBytes = Buffer.from(COMPLETION.replace('"created":', `"created":${1 + (at % 9)}`))
  const answer = guarantees.parseAnswer(answerBytes)
  const printed = printJson(answer)
  const decision = guarantees.authorize(caller, value)
  const { policies, set, entities } = decision
  const asked = { content: sha256Hex(body), decision: { policies, set, entities } }
  const sample = { body, value, answerBytes, answer, printed, decision, asked, content: sha256Hex(printed) }
  return { ...sample, entries: entriesOf(guarantees, caller, sample) }
}

function entriesOf(
  guarantees: Guarantees,
  caller: Caller,
  { asked, answer, content }: Pick<Sample, 'asked' | 'answer' | 'content'>,
): readonly StraightEntry[] {
  const entered = enter(guarantees)
  return [guarantees.intent(entered, caller, asked), guarantees.outcome(entered, answer, content)]
}

/** Processor time of all threads of the process: what others take of the machine does not count. */
function processorUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function timeOf(work: Work, samples: readonly Sample[], ms: number): number {
  const until = performance.now() + ms
  const before = processorUs()
  let count = 0
  while (performance.now() < until) for (const sample of samples) work(sample, count++)
  return (processorUs() - before) / count
}

async function timeOfWrites(
  { log }: Guarantees,
  entries: readonly StraightEntry[],
  ms: number,
): Promise<number> {
  const until = performance.now() + ms
  let [spent, count] = [0, 0]
  while (performance.now() < until) {
    // Written in the place that it is made for, so that what stands in the file is a log.
    const group = log.groupOf(entries)
    const before = processorUs()
    await new Promise<void>((resolve) => log.write(group, resolve))
    spent += processorUs() - before
    count += entries.length / 2
  }
  return spent / count
}

function enter({ log }: Guarantees): Entered {
  return { id: newEntryId(), seed: log.drawSeed(), address: HERE, startedAt: performance.now() }
}

const checkChat: (value: JsonValue) => asserts value is ChatRequest = checkChatRequest

if (import.meta.main) {
  const [folder = '', rounds, sharing, roundMs] = process.argv.slice(2)
  const guarantees = await Guarantees.open(folder)
  const options = { rounds: Number(rounds), sharing: Number(sharing), roundMs: Number(roundMs) }
  console.log(JSON.stringify(await timeSteps(guarantees, options)))
}
