import { SYSTEM_CLOCK } from '#base/clock.ts'
import { randomBytes } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { SEED_BYTES } from '#trust/ledger/commitment.ts'
import { makeLeaf, parseLeaf } from '#trust/ledger/leaf.ts'
import { checkLeaf } from '#trust/ledger/leaf_check.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { CompactRange, leafHash } from '#trust/ledger/merkle.ts'
import type { LedgerKeys } from '#trust/ledger/open.ts'
import { secretsMatch } from '#trust/ledger/secrets_match.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { wideIntent } from './ledger_entries.ts'
import { median, round } from './statistics.ts'

/** How quickly a whole log is verified. Rates are for one core: by processor time of the process, all threads. */
export interface VerifyRate {
  /** Seconds by the clock. */
  readonly seconds: number
  readonly entries_per_s: number
  /** Hashes of the tree, a leaf and a node for each entry, however often each is made on the way. */
  readonly hashes_per_s: number
}

export interface HashFloor {
  /** Leaves of 512 bytes and the nodes over them, from memory, and nothing else. */
  readonly hashes_per_s: number
  readonly entries_per_s: number
}

/** Microseconds of one entry for each thing that is done to it, alone and warm. */
export interface VerifySteps {
  readonly leaf_hash: number
  readonly tree: number
  /** Reading JSON, which only an unusual leaf needs. */
  readonly parse: number
  /** Schema and canonical form. */
  readonly canonical: number
  readonly commitments: number
}

export interface VerifyOptions {
  readonly directory: string
  readonly keys: LedgerKeys
  readonly entries: number
}

/** Verifies the whole ledger; `withSecrets`: opens the sidecars too and checks every commitment. Throws if it is not whole. */
export async function timeVerify(options: VerifyOptions, withSecrets: boolean): Promise<VerifyRate> {
  const { directory, keys, entries } = options
  const logKeys = logKeysOf(keys, SYSTEM_CLOCK.now())
  const sidecarKey = withSecrets ? keys.sidecarKey : undefined
  const started = performance.now()
  const processor = process.cpuUsage()
  const report = await verifyLedger({ files: NODE_FILES, directory, keys: { logKeys, sidecarKey } })
  const { user, system } = process.cpuUsage(processor)
  if (!report.ok || report.entries !== entries)
    throw new Error(`the ledger is not whole: ${report.statement}`)
  const seconds = (user + system) / 1e6
  return {
    seconds: round((performance.now() - started) / 1_000, 2),
    entries_per_s: Math.round(entries / seconds),
    hashes_per_s: Math.round((2 * entries - 1) / seconds),
  }
}

const LEAVES = 4_096

/** What hashing alone takes, and each other thing that is done to an entry. */
export function measureFloor(seconds: number): { readonly floor: HashFloor; readonly steps: VerifySteps } {
  const made = Array.from({ length: LEAVES }, () =>
    makeLeaf(wideIntent(), randomBytes(SEED_BYTES), () => 'pseudonym-of-one'),
  )
  const leaves = made.map(({ bytes }) => bytes)
  const hashes = leaves.map(leafHash)
  const parsed = leaves.map(parseLeaf)
  const range = new CompactRange()
  const each = seconds / 5
  const steps = {
    leaf_hash: timeEach(each, (at) => leafHash(at(leaves))),
    tree: timeEach(each, (at) => range.append(at(hashes))),
    parse: timeEach(each, (at) => parseLeaf(at(leaves))),
    canonical: timeEach(each, (at) => checkLeaf(at(leaves))),
    commitments: timeEach(each, (at) => secretsMatch(at(parsed), at(made).secrets)),
  }
  const together = steps.leaf_hash + steps.tree
  const floor = { hashes_per_s: Math.round(2e6 / together), entries_per_s: Math.round(1e6 / together) }
  return { floor, steps }
}

type Pick = <One>(list: readonly One[]) => One

/** Microseconds of one call; the middle of many passes over the leaves. */
function timeEach(seconds: number, work: (at: Pick) => unknown): number {
  const times: number[] = []
  const until = performance.now() + seconds * 1_000
  for (let pass = 0; pass < 3 || performance.now() < until; pass += 1) {
    const started = performance.now()
    for (let place = 0; place < LEAVES; place += 1) work((list) => pick(list, place))
    times.push(((performance.now() - started) * 1_000) / LEAVES)
  }
  // The first passes are for the compiler.
  return round(median(times.slice(Math.floor(times.length / 3))), 2)
}

function pick<One>(list: readonly One[], place: number): One {
  const one = list[place]
  if (one === undefined) throw new RangeError('there is no such leaf')
  return one
}
