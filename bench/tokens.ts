import { importJWK, jwtVerify } from 'jose'
import os from 'node:os'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { Sealed } from '#base/sealed.ts'
import { composeAuthenticator, NO_BINDING } from '#trust/access/authenticator.ts'
import type { Authenticator } from '#trust/access/caller.ts'
import { SignatureChecks } from '#trust/access/tokens/check_signature.ts'
import { TokenAuthenticator } from '#trust/access/tokens/token_authenticator.ts'
import { tokenScene, type TokenScene } from '../test/support/token_scene.ts'
import { describeMachine, type Machine } from './machine.ts'
import { median, pairedRatio, quantile, round } from './statistics.ts'

/** What each may take at most, in microseconds, at the median. */
export const BARS = { hit: 2, miss: 150, key: 5 } as const

export interface TokensReport {
  readonly bench: 'tokens'
  readonly machine: Machine
  readonly rounds: number
  /** A token that was verified before. */
  readonly hit: Contest
  /** The same, with the look of the flood guard before it, as every request meets it. */
  readonly hit_with_guard: Contest
  /** A new token, ES256: form, claims, signature, map, directory. */
  readonly miss: Contest
  readonly key: Contest
  /** `jwtVerify` of jose with an imported key: signature, issuer and audience alone. */
  readonly jose: Contest
  /** Our miss over jose's check, in the same round. */
  readonly miss_over_jose: number | null
  readonly within_bars: boolean
}

export interface Contest {
  readonly p50_us: number
  readonly p99_us: number
}

interface Contestant {
  readonly name: 'hit' | 'hit_with_guard' | 'miss' | 'key' | 'jose'
  /** Measures for a time and gives microseconds of one, sorted. */
  readonly run: (budgetMs: number) => Promise<readonly number[]>
  readonly rounds: { readonly p50: number; readonly p99: number }[]
}

const TOKENS = 512
const BATCH = 64
const WARM_SHARE = 0.3
const LEAST_SAMPLES = 200
const HERE = '127.0.0.1'

/** Measures proving callers by token and key beside jose, in rounds that take each in turn. */
export async function benchTokens(options: {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}): Promise<TokensReport> {
  const { rounds, seconds, say } = options
  const scene = await tokenScene({
    time: SYSTEM_CLOCK,
    map: { groups: { path: ['groups'], isRequired: false, split: 'none', names: undefined } },
  })
  try {
    const contestants = await contestantsOf(scene)
    // Round 0 warms up.
    for (let at = 0; at <= rounds; at++) {
      await runRound(contestants, seconds, at > 0)
      say(at === 0 ? 'warmed up' : `round ${at} of ${rounds}`)
    }
    return reportOf(contestants, rounds)
  } finally {
    await scene.close()
  }
}

async function runRound(
  contestants: readonly Contestant[],
  seconds: number,
  isCounted: boolean,
): Promise<void> {
  for (const { run, rounds } of contestants) {
    const times = await run((seconds * 1_000) / contestants.length)
    if (isCounted) rounds.push({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) })
  }
}

async function contestantsOf(scene: TokenScene): Promise<readonly Contestant[]> {
  const texts: string[] = []
  for (let at = 0; at < TOKENS; at++)
    texts.push(
      await scene.token({ sub: `user-${at}@example.com`, groups: ['engineers', 'on-call', 'readers'] }),
    )
  const { authenticator, callers } = scene
  for (const text of texts) await scene.prove(text)
  const made = callers.createKey({ name: 'bench', createdBy: 'System::"bench"' })
  const key = made.key.open((text) => text)
  const imported = await importJWK(scene.key.publicJwk, 'ES256')
  const claims = { issuer: scene.idp.issuer, audience: 'gatehouse' }
  return [
    {
      name: 'hit',
      run: async (ms) => inBatches(ms, texts, (text) => prove(authenticator, text)),
      rounds: [],
    },
    {
      name: 'hit_with_guard',
      run: async (ms) =>
        inBatches(ms, texts, (text) => {
          const credential = { kind: 'bearer', token: new Sealed(text) } as const
          if (!authenticator.looksReal(credential)) throw new Error('it does not look real')
          proveAtOnce(authenticator, credential)
        }),
      rounds: [],
    },
    { name: 'miss', run: async (ms) => missing(ms, texts, scene), rounds: [] },
    {
      name: 'key',
      run: async (ms) => inBatches(ms, [key], (text) => prove(authenticator, text)),
      rounds: [],
    },
    {
      name: 'jose',
      run: async (ms) => one(ms, texts, async (text) => void (await jwtVerify(text, imported, claims))),
      rounds: [],
    },
  ]
}

function prove(authenticator: Authenticator, text: string): void {
  proveAtOnce(authenticator, { kind: 'bearer', token: new Sealed(text) })
}

function proveAtOnce(authenticator: Authenticator, credential: { kind: 'bearer'; token: Sealed }): void {
  if (authenticator.authenticate(credential, HERE) instanceof Promise)
    throw new Error('it was not remembered')
}

/** Each new authenticator has seen none of the tokens; the keys of the issuer are known to all. */
async function missing(
  budgetMs: number,
  texts: readonly string[],
  scene: TokenScene,
): Promise<readonly number[]> {
  let fresh = freshOf(scene)
  let seen = 0
  return one(budgetMs, texts, async (text) => {
    if (seen++ % TOKENS === 0) fresh = freshOf(scene)
    await fresh.authenticate({ kind: 'bearer', token: new Sealed(text) }, HERE)
  })
}

function freshOf({ issuer, callers }: TokenScene): Authenticator {
  const tokens = new TokenAuthenticator({
    issuers: [issuer],
    directory: callers.directory,
    clock: SYSTEM_CLOCK,
    checks: new SignatureChecks(),
  })
  return composeAuthenticator({ keys: callers, tokens, checkBinding: NO_BINDING })
}

/** The clock is too coarse for one of these. */
function inBatches(
  budgetMs: number,
  texts: readonly string[],
  work: (text: string) => void,
): readonly number[] {
  const times: number[] = []
  const started = performance.now()
  for (let at = 0; isOpen(started, budgetMs, times); at += BATCH) {
    const before = process.hrtime.bigint()
    for (let index = at; index < at + BATCH; index++) work(texts[index % texts.length] ?? '')
    const elapsed = Number(process.hrtime.bigint() - before) / 1_000 / BATCH
    if (performance.now() - started > budgetMs * WARM_SHARE) times.push(elapsed)
  }
  return times.sort((a, b) => a - b)
}

async function one(
  budgetMs: number,
  texts: readonly string[],
  work: (text: string) => Promise<void>,
): Promise<readonly number[]> {
  const times: number[] = []
  const started = performance.now()
  for (let at = 0; isOpen(started, budgetMs, times); at++) {
    const before = process.hrtime.bigint()
    await work(texts[at % texts.length] ?? '')
    const elapsed = Number(process.hrtime.bigint() - before) / 1_000
    if (performance.now() - started > budgetMs * WARM_SHARE) times.push(elapsed)
  }
  return times.sort((a, b) => a - b)
}

/** On a busy machine the time may be over before anything was measured. */
function isOpen(started: number, budgetMs: number, times: readonly number[]): boolean {
  return performance.now() - started < budgetMs || times.length < LEAST_SAMPLES
}

function reportOf(contestants: readonly Contestant[], rounds: number): TokensReport {
  const roundsOf = (name: Contestant['name']) => contestants.find((each) => each.name === name)?.rounds ?? []
  const of = (name: Contestant['name']): Contest => ({
    p50_us: round(median(roundsOf(name).map(({ p50 }) => p50)), 2),
    p99_us: round(median(roundsOf(name).map(({ p99 }) => p99)), 2),
  })
  const medians = (name: Contestant['name']) => roundsOf(name).map(({ p50 }) => p50)
  const [hit, miss, key] = [of('hit'), of('miss'), of('key')]
  return {
    bench: 'tokens',
    machine: describeMachine(os.tmpdir()),
    rounds,
    hit,
    hit_with_guard: of('hit_with_guard'),
    miss,
    key,
    jose: of('jose'),
    miss_over_jose: pairedRatio(medians('miss'), medians('jose')),
    within_bars: hit.p50_us <= BARS.hit && miss.p50_us <= BARS.miss && key.p50_us <= BARS.key,
  }
}

export function drawTokens(report: TokensReport): string {
  const row = (name: string, { p50_us, p99_us }: Contest, bar?: number): string =>
    `${name.padEnd(34)} ${`${p50_us} µs`.padStart(10)} ${`${p99_us} µs`.padStart(10)} ${bar === undefined ? '' : `${bar} µs`.padStart(8)}`
  return [
    `proving a caller, ${report.rounds} rounds side by side; hits and keys in batches of ${BATCH}`,
    `${''.padEnd(34)} ${'p50'.padStart(10)} ${'p99'.padStart(10)} ${'bar'.padStart(8)}`,
    row('token, verified before', report.hit, BARS.hit),
    row('the same, with the flood guard', report.hit_with_guard),
    row('new token, ES256', report.miss, BARS.miss),
    row('key', report.key, BARS.key),
    row('jwtVerify of jose, ES256', report.jose),
    `new token over jwtVerify: ${report.miss_over_jose} ×; within the bars: ${report.within_bars ? 'yes' : 'NO'}`,
  ].join('\n')
}
