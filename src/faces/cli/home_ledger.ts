import { join } from 'node:path'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { asFault, Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { FilesApart } from '#base/files_apart.ts'
import { readHomeVersion } from '#base/home_version.ts'
import { LIMITS } from '#base/limits.ts'
import { toEntryView, type EntryView } from '#rooms/admin/entry_view.ts'
import { listOrigins, type OriginFolder } from '#trust/ledger/layout.ts'
import { parseCosignerKey } from '#trust/ledger/cosignature.ts'
import { heldBy, readHeldOutside, type HeldCopy, type HeldOutside } from '#trust/ledger/held_outside.ts'
import { logKeysOf, verifiersOf, type LogKey } from '#trust/ledger/log_keys.ts'
import { loadVerifiers, startedLogs } from '#trust/ledger/origin.ts'
import { findEntries } from '#trust/ledger/entry_finder.ts'
import { pseudonymOf } from '#trust/ledger/pseudonym.ts'
import { readEntries, tailEntries, type ReadEntry, type ReadOptions } from '#trust/ledger/read.ts'
import { ReceiptMaker } from '#trust/ledger/receipt_maker.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { verifyLedger, type Problem, type VerifyReport } from '#trust/ledger/verify.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'
import type { ConfigView } from './world.ts'

/** The ledger of a home, read from its files beside whoever appends to it. */
export interface HomeLedger {
  /** All entries of one request, oldest first. */
  find(id: string): Promise<readonly EntryView[]>
  /** The same with their bytes and what opens their values. */
  read(id: string): Promise<readonly ReadEntry[]>
  /** Receipts of entries; undefined while no checkpoint covers them all. */
  receiptsOf(entries: readonly ReadEntry[], mayShow: (name: string) => boolean): Promise<string | undefined>
  /** The last `count` entries, oldest first. */
  tail(count: number): Promise<readonly EntryView[]>
  /** Entries of the newest log from index `from`, at most `count`. */
  range(from: number, count: number): Promise<readonly EntryView[]>
  /** Every entry of every log, oldest first. */
  all(): AsyncIterable<ReadEntry>
  /** What stands in leaves for a caller; undefined without the keys. */
  readonly pseudonymOf: ((caller: string) => string) | undefined
  /**
   * With the word of those who hold checkpoints outside, as far as files of this machine tell; `outside` says how far that is
   * for the log in use.
   */
  verify(against: string | undefined, outside?: OutsideSources): Promise<Verified>
}

/** Opens the ledger of a home for reading. Throws `home.damaged` when there is none, `home.newer`. */
export async function openHomeLedger(home: string): Promise<HomeLedger> {
  const directory = join(home, 'ledger')
  // What a newer program wrote would look like damage.
  await readHomeVersion(NODE_FILES, home)
  if ((await NODE_FILES.facts(directory)) === undefined)
    throw new Fault('home.damaged', {}, { say: 'There is no ledger in this home. Start the door once.' })
  const { keys, lack } = readKeys(home)
  const options: Pick<ReadOptions, 'sidecarKey'> = keys === undefined ? {} : { sidecarKey: keys.sidecarKey }
  const read = async (id: string): Promise<readonly ReadEntry[]> =>
    (await findEntries(NODE_FILES, directory, id, options)).toReversed()
  return {
    find: async (id) => (await read(id)).map(toEntryView),
    read,
    receiptsOf: async (entries, mayShow) =>
      await new ReceiptMaker(NODE_FILES, new TiledLogs(NODE_FILES, directory)).receiptsOf(entries, mayShow),
    tail: async (count) => (await tailEntries(NODE_FILES, directory, count, options)).map(toEntryView),
    range: async (from, count) => {
      const folder = await newestLog(directory)
      return folder === undefined ? [] : await readRange(folder, { ...options, from, to: from + count })
    },
    all: () => readAll(directory, options),
    pseudonymOf: keys && ((caller) => pseudonymOf(keys.pseudonymKey, caller)),
    verify: async (against, outside) => {
      // Where the folders of the logs cannot be read, the verification says so.
      const found = outside && (await readHeld(directory, outside, keys).catch(undefinedForFault))
      const { copies: held = [] } = found ?? {}
      const checked = await verifyLedger({
        files: NODE_FILES,
        directory,
        ...(keys && { keys }),
        against,
        held,
      })
      const report = lack === undefined ? checked : unproven(checked, lack)
      // A checkpoint of other entries holds none of these.
      const agreeing = held.filter(({ place }) => report.agreeing.includes(place))
      return { ...report, outside: found && heldBy(found.origin, agreeing), near: nearOf(agreeing) }
    },
  }
}

function undefinedForFault(thrown: unknown): undefined {
  if (!(thrown instanceof Fault)) throw thrown
}

/** Where checkpoints are held, as the configuration has it. */
export type OutsideSources = Pick<ConfigView, 'anchors' | 'witnesses'>

export interface Verified extends VerifyReport {
  /** Of the log in use; undefined where there is none, or nobody said who holds it. */
  readonly outside: HeldOutside | undefined
  readonly near: NearAnchors
}

/** Files of anchors on the disk of the ledger. */
export interface NearAnchors {
  readonly names: readonly string[]
  /** True when no other file holds a checkpoint. */
  readonly isAll: boolean
}

function nearOf(copies: readonly HeldCopy[]): NearAnchors {
  const anchors = copies.filter(({ by }) => by === 'anchor')
  const names = anchors.filter(({ isNear }) => isNear).map(({ place }) => place)
  return { names, isAll: names.length === anchors.length }
}

async function readHeld(
  directory: string,
  { anchors, witnesses: { quorum, keys: texts } }: OutsideSources,
  keys: HomeKeys | undefined,
): Promise<{ readonly origin: string; readonly copies: readonly HeldCopy[] } | undefined> {
  const folder = await newestLog(directory)
  if (folder === undefined) return undefined
  const named = await loadVerifiers(NODE_FILES, folder)
  const verifiers = keys === undefined ? named : verifiersOf(keys.logKeys, folder.origin)
  const witnesses = texts.map((each) => each.map(parseCosignerKey).filter((key) => key !== undefined))
  const policy = { quorum, witnesses }
  const outside = new FilesApart({ timeoutMs: LIMITS.anchorCallMs })
  const sources = { anchors, outside, policy, verifiers: verifiers ?? [] }
  try {
    return { origin: folder.origin, copies: await readHeldOutside(NODE_FILES, folder, sources) }
  } finally {
    outside.close()
  }
}

interface HomeKeys {
  readonly logKeys: readonly LogKey[]
  readonly sidecarKey: Uint8Array
  readonly pseudonymKey: Uint8Array
}

/** Whoever may not read the keys still sees what leaves show; `lack` says why, and is a problem of a verification. */
function readKeys(home: string): { readonly keys?: HomeKeys; readonly lack?: Problem } {
  const directory = join(home, 'keys')
  try {
    const { log, sidecarKey, pseudonymKey } = openLocalKeys({ directory, isNewHome: false })
    return { keys: { logKeys: logKeysOf(log, SYSTEM_CLOCK.now()), sidecarKey, pseudonymKey } }
  } catch (thrown) {
    const { say = 'They cannot be read.' } = asFault(thrown)
    return { lack: { place: directory, what: `${say} ${SELF_SIGNED}` } }
  }
}

const SELF_SIGNED =
  'So the ledger was checked with the keys that its own folder names, and whoever can write there can exchange them.'

/** With keys out of what is verified nothing is: a ledger is what it was only where the keys of the home say so. */
function unproven(checked: VerifyReport, lack: Problem): VerifyReport {
  const problems = [lack, ...checked.problems]
  const statement = `not verified: ${lack.place}: ${lack.what}`
  return { ...checked, ok: false, isWhole: false, problems, statement }
}

async function* readAll(
  directory: string,
  options: Pick<ReadOptions, 'sidecarKey'>,
): AsyncGenerator<ReadEntry, void, undefined> {
  for (const folder of (await listOrigins(NODE_FILES, directory)).folders)
    yield* readEntries(NODE_FILES, folder, options)
}

async function newestLog(directory: string): Promise<OriginFolder | undefined> {
  return (await startedLogs(NODE_FILES, directory)).at(-1)
}

async function readRange(folder: OriginFolder, options: ReadOptions): Promise<readonly EntryView[]> {
  const entries: EntryView[] = []
  for await (const entry of readEntries(NODE_FILES, folder, options)) entries.push(toEntryView(entry))
  return entries
}
