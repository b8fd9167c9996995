import { join } from 'node:path'
import { ed25519PublicBytes } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { toEntryView, type EntryView } from '#rooms/admin/entry_view.ts'
import { listOrigins, type OriginFolder } from '#trust/ledger/layout.ts'
import { findEntries } from '#trust/ledger/entry_finder.ts'
import { pseudonymOf } from '#trust/ledger/pseudonym.ts'
import { readEntries, tailEntries, type ReadEntry, type ReadOptions } from '#trust/ledger/read.ts'
import { verifyLedger, type VerifyReport } from '#trust/ledger/verify.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'

/** The ledger of a home, read from its files beside whoever appends to it. */
export interface HomeLedger {
  /** All entries of one request, oldest first. */
  find(id: string): Promise<readonly EntryView[]>
  /** The last `count` entries, oldest first. */
  tail(count: number): Promise<readonly EntryView[]>
  /** Entries of the newest log from index `from`, at most `count`. */
  range(from: number, count: number): Promise<readonly EntryView[]>
  /** Every entry of every log, oldest first. */
  all(): AsyncIterable<ReadEntry>
  /** What stands in leaves for a caller; undefined without the keys. */
  readonly pseudonymOf: ((caller: string) => string) | undefined
  verify(against: string | undefined): Promise<VerifyReport>
}

/** Opens the ledger of a home for reading. Throws `home.damaged` when there is none. */
export async function openHomeLedger(home: string): Promise<HomeLedger> {
  const directory = join(home, 'ledger')
  if ((await NODE_FILES.facts(directory)) === undefined)
    throw new Fault('home.damaged', {}, { say: 'There is no ledger in this home. Start the door once.' })
  const keys = readKeys(home)
  const options: Pick<ReadOptions, 'sidecarKey'> = keys === undefined ? {} : { sidecarKey: keys.sidecarKey }
  return {
    find: async (id) => (await findEntries(NODE_FILES, directory, id, options)).toReversed().map(toEntryView),
    tail: async (count) => (await tailEntries(NODE_FILES, directory, count, options)).map(toEntryView),
    range: async (from, count) => {
      const folder = await newestLog(directory)
      return folder === undefined ? [] : await readRange(folder, { ...options, from, to: from + count })
    },
    all: () => readAll(directory, options),
    pseudonymOf: keys && ((caller) => pseudonymOf(keys.pseudonymKey, caller)),
    verify: async (against) =>
      await verifyLedger({ files: NODE_FILES, directory, ...(keys && { keys }), against }),
  }
}

interface HomeKeys {
  readonly publicKey: Uint8Array
  readonly sidecarKey: Uint8Array
  readonly pseudonymKey: Uint8Array
}

/** Whoever may not read the keys can still check the tree and the signatures, and sees what leaves show. */
function readKeys(home: string): HomeKeys | undefined {
  try {
    const { signingPem, sidecarKey, pseudonymKey } = openLocalKeys({
      directory: join(home, 'keys'),
      isNewHome: false,
    })
    return { publicKey: ed25519PublicBytes(signingPem), sidecarKey, pseudonymKey }
  } catch {
    return undefined
  }
}

async function* readAll(
  directory: string,
  options: Pick<ReadOptions, 'sidecarKey'>,
): AsyncGenerator<ReadEntry, void, undefined> {
  for (const folder of (await listOrigins(NODE_FILES, directory)).folders)
    yield* readEntries(NODE_FILES, folder, options)
}

async function newestLog(directory: string): Promise<OriginFolder | undefined> {
  return (await listOrigins(NODE_FILES, directory)).folders.at(-1)
}

async function readRange(folder: OriginFolder, options: ReadOptions): Promise<readonly EntryView[]> {
  const entries: EntryView[] = []
  for await (const entry of readEntries(NODE_FILES, folder, options)) entries.push(toEntryView(entry))
  return entries
}
