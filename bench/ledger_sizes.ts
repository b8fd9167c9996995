import path from 'node:path'
import { sameBytes } from '#base/bytes.ts'
import { NODE_FILES } from '#base/files.ts'
import { listOrigins } from '#trust/ledger/layout.ts'
import type { LedgerKeys } from '#trust/ledger/open.ts'
import { verifyConsistency, verifyInclusion } from '#trust/ledger/proof.ts'
import { TiledLog } from '#trust/ledger/tiled_log.ts'
import { hashesIn } from '#trust/ledger/tile_entries.ts'
import { TILE_HASHES } from '#trust/ledger/tile_path.ts'
import { newKeys, openBenchLedger, UNSYNCED_FILES, wideIntent, writeKeys } from './ledger_entries.ts'
import { startLedger } from './ledger_start.ts'
import {
  measureFloor,
  timeVerify,
  type HashFloor,
  type VerifyRate,
  type VerifySteps,
} from './ledger_verify.ts'
import { median, quantile, round } from './statistics.ts'

/** What a log of so many entries takes. */
export interface SizeFigures {
  readonly entries: number
  readonly made_s: number
  readonly bytes_per_entry: number | null
  /** Opening in a new process. */
  readonly start_ms: number
  readonly start_ms_max: number
  readonly start_rss_mb: number
  /** The first proof by who has not read any of the log yet. */
  readonly first_proof_ms: number
  readonly inclusion: ProofTimes
  readonly consistency: ProofTimes
  readonly verify: {
    readonly floor: HashFloor
    /** Schema and canonical form of each entry, tree, bundles, tiles and signatures. */
    readonly plain: VerifyRate
    /** Sidecars and commitments too. */
    readonly with_secrets: VerifyRate
    readonly steps_us: VerifySteps
  }
}

export interface ProofTimes {
  readonly p50_us: number
  readonly p99_us: number
}

export interface SizeOptions {
  readonly sizes: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}

/** Whole logs beyond this are verified once, and short ones once a round. */
const VERIFIED_AGAIN = 200_000

/** Makes one log and measures it at each size that it grows to. The sizes must rise. */
export async function measureSizes(folder: string, options: SizeOptions): Promise<readonly SizeFigures[]> {
  const directory = path.join(folder, 'ledger')
  const keysFile = path.join(folder, 'keys.json')
  const keys = newKeys()
  writeKeys(keysFile, keys)
  const figures: SizeFigures[] = []
  for (const size of options.sizes) {
    const started = performance.now()
    const bytes = await fill(directory, keys, size, options.say)
    const made = { entries: size, made_s: round((performance.now() - started) / 1_000, 1) }
    options.say(`${size} entries: starts`)
    const starts = []
    for (let at = 0; at < options.rounds; at += 1) starts.push(await startLedger(directory, keysFile))
    if (starts.some(({ entries }) => entries !== size)) throw new Error('a start found other entries')
    options.say(`${size} entries: proofs`)
    const proofs = await timeProofs(directory, size, options.seconds)
    options.say(`${size} entries: verification`)
    figures.push({
      ...made,
      bytes_per_entry: bytes,
      start_ms: median(starts.map(({ open_ms: ms }) => ms)),
      start_ms_max: Math.max(...starts.map(({ open_ms: ms }) => ms)),
      start_rss_mb: Math.max(...starts.map(({ rss_mb: rss }) => rss)),
      ...proofs,
      verify: await verifyRounds({ directory, keys, entries: size }, options),
    })
  }
  return figures
}

/** So many entries wait together; the queue of the ledger holds twice as many. */
const AT_ONCE = 4_096
const TELL_EVERY = 500_000

/** Appends until the log has so many entries, without syncs, and seals what is full. Gives the bytes of one entry on disk. */
async function fill(
  directory: string,
  keys: LedgerKeys,
  size: number,
  say: (line: string) => void,
): Promise<number | null> {
  const ledger = await openBenchLedger(directory, keys, UNSYNCED_FILES)
  for (let left = size - ledger.size; left > 0; left = size - ledger.size) {
    for (let at = 1; at < Math.min(left, AT_ONCE); at += 1) ledger.appendLater(() => wideIntent())
    await ledger.append(wideIntent())
    // Sealed on the way: or all raw segments would wait at once.
    const crossed = Math.floor(ledger.size / TELL_EVERY) > Math.floor((size - left) / TELL_EVERY)
    if (!crossed) continue
    await ledger.sealNow(() => true)
    say(`making ${size} entries: ${ledger.size}`)
  }
  await ledger.sealNow(() => true)
  await ledger.settled()
  const { bytesPerEntry } = ledger.state()
  await ledger.close()
  return bytesPerEntry === undefined ? null : round(bytesPerEntry, 1)
}

const MOST_PROOFS = 5_000
/** Prime, and far from any power of two: places spread over the whole log. */
const STRIDE = 1_000_003

type Proofs = Pick<SizeFigures, 'first_proof_ms' | 'inclusion' | 'consistency'>

async function timeProofs(directory: string, size: number, seconds: number): Promise<Proofs> {
  const { folders } = await listOrigins(NODE_FILES, directory)
  const folder = folders.at(-1)
  if (folder === undefined) throw new Error('there is no log')
  const log = new TiledLog(NODE_FILES, folder)
  const started = performance.now()
  await log.inclusionProof(0, size)
  const first = performance.now() - started
  const inclusion = await timeEach(seconds, (at) => log.inclusionProof((at * STRIDE) % size, size))
  const consistency = await timeEach(seconds, (at) => log.consistencyProof(1 + ((at * STRIDE) % size), size))
  await checkProofs(log, size)
  return { first_proof_ms: round(first, 1), inclusion, consistency }
}

async function timeEach(seconds: number, prove: (at: number) => Promise<unknown>): Promise<ProofTimes> {
  const times: number[] = []
  const until = performance.now() + seconds * 1_000
  for (let at = 1; at <= MOST_PROOFS && performance.now() < until; at += 1) {
    const started = performance.now()
    await prove(at)
    times.push((performance.now() - started) * 1_000)
  }
  times.sort((left, right) => left - right)
  return { p50_us: Math.round(quantile(times, 0.5)), p99_us: Math.round(quantile(times, 0.99)) }
}

/** A proof that does not hold is not a quick one. */
async function checkProofs(log: TiledLog, size: number): Promise<void> {
  const { head } = await log.signed()
  const root = await log.rootAt(size)
  const index = Math.floor(size / 3)
  const width = Math.min(TILE_HASHES, size - index + (index % TILE_HASHES))
  const tile = await log.tile({ level: 0, index: Math.floor(index / TILE_HASHES), width })
  const leafHash = [...hashesIn(tile ?? new Uint8Array(0))][index % TILE_HASHES] ?? new Uint8Array(0)
  const proof = await log.inclusionProof(index, size)
  const growth = { first: index, second: size, firstRoot: await log.rootAt(index), secondRoot: root }
  const isRight =
    head.size === size &&
    sameBytes(head.root, root) &&
    verifyInclusion({ index, size, leafHash, root, proof }) &&
    verifyConsistency({ ...growth, proof: await log.consistencyProof(index, size) })
  if (!isRight) throw new Error(`a proof does not hold at ${size} entries`)
}

async function verifyRounds(
  log: Parameters<typeof timeVerify>[0],
  { rounds, seconds }: SizeOptions,
): Promise<SizeFigures['verify']> {
  const floors: ReturnType<typeof measureFloor>[] = []
  const plain: VerifyRate[] = []
  const withSecrets: VerifyRate[] = []
  for (let at = 0; at < (log.entries > VERIFIED_AGAIN ? 1 : rounds); at += 1) {
    floors.push(measureFloor(seconds))
    plain.push(await timeVerify(log, false))
    withSecrets.push(await timeVerify(log, true))
  }
  const middle = (pick: (one: ReturnType<typeof measureFloor>) => number): number =>
    round(median(floors.map(pick)), 2)
  return {
    floor: {
      hashes_per_s: Math.round(middle(({ floor }) => floor.hashes_per_s)),
      entries_per_s: Math.round(middle(({ floor }) => floor.entries_per_s)),
    },
    plain: middleRate(plain),
    with_secrets: middleRate(withSecrets),
    steps_us: {
      leaf_hash: middle(({ steps }) => steps.leaf_hash),
      tree: middle(({ steps }) => steps.tree),
      parse: middle(({ steps }) => steps.parse),
      canonical: middle(({ steps }) => steps.canonical),
      commitments: middle(({ steps }) => steps.commitments),
    },
  }
}

function middleRate(rates: readonly VerifyRate[]): VerifyRate {
  const middle = (pick: (rate: VerifyRate) => number): number => median(rates.map(pick))
  return {
    seconds: round(
      middle(({ seconds }) => seconds),
      2,
    ),
    entries_per_s: Math.round(middle((rate) => rate.entries_per_s)),
    hashes_per_s: Math.round(middle((rate) => rate.hashes_per_s)),
  }
}
