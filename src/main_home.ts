import path from 'node:path'
import { setTimeout as later } from 'node:timers'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, NODE_FILES } from '#base/files.ts'
import { FilesApart } from '#base/files_apart.ts'
import { lockHome, type HomeLock } from '#base/home_lock.ts'
import { LIMITS } from '#base/limits.ts'
import { loopLoad } from '#base/loop_load.ts'
import { Metrics } from '#base/metrics.ts'
import { NOT_PLAIN } from '#base/plain_file.ts'
import { openDatabase } from '#base/sqlite.ts'
import { LedgerMetrics } from '#door/ledger_metrics.ts'
import { readRestoredMark, type RestoredMark } from '#rooms/backup/restored_mark.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import { TokenKeys } from '#trust/access/issued/token_keys.ts'
import { openPolicies, type PolicyKeeper } from '#trust/access/policy_set.ts'
import { openStateMark, type StateMark } from '#trust/access/state_mark.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { openLedger, type Ledger } from '#trust/ledger/ledger.ts'
import type { LedgerOptions } from '#trust/ledger/open.ts'
import { listOrigins } from '#trust/ledger/layout.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { OpenIntents } from '#trust/ledger/open_intents.ts'
import { openLocalKeys, type LocalKeys } from '#trust/vault/local_keys.ts'
import { addMissingLogKey } from '#trust/vault/log_key_files.ts'
import { tokenKeyFiles } from '#trust/vault/token_key_files.ts'
import type { Config } from './config.ts'
import { readConfig, type ConfigSource } from './main_config.ts'
import { exists, furnish, makeFolder } from './main_furnish.ts'
import { findHead, headFaultOf, onLossOf, setAside, type FoundHead } from './main_head.ts'
import { openLogKeys, type OpenLogKeys } from './main_log_keys.ts'
import { migrateHome, recordUpgrade, writeFirstVersion, type Migrated } from './main_migrate.ts'
import { recordRestore } from './main_restored.ts'
import { HeadKeeper, mendState, watchClock } from './main_state.ts'
import { openSweep, type Sweep } from './main_sweep.ts'

/** The day of last use is written this long after it changed, so that a busy minute is one write. */
const LAST_USED_MS = 1_000
/** What a home has once a door has opened in it; one of them is enough to make the loss of the others a loss. */
const SIGNS_OF_USE = ['state.db', 'ledger', 'head', 'policy']

/** Everything that a home holds, open and locked for this process. */
export interface OpenHome {
  readonly directory: string
  readonly config: Config
  /** Relative paths of the configuration start here. */
  readonly configFolder: string
  /** As it was read. */
  readonly configSource: ConfigSource
  readonly keys: LocalKeys
  /** Those that sign tokens; undefined where none are made. */
  readonly tokenKeys: TokenKeys | undefined
  readonly ledger: Ledger
  /** Those that sign it. */
  readonly logKeys: OpenLogKeys
  readonly callers: Callers
  readonly policies: PolicyKeeper
  /** Of this process; what the ledger records is counted in them from its opening on. */
  readonly metrics: Metrics
  /** What was found at the start, or since, and needs an operator. */
  readonly problems: readonly string[]
  readonly sweep: Pick<Sweep, 'unknown'>
  /** What was made because the home was new; undefined for a home that was there. */
  readonly made: readonly string[] | undefined
  /** The format that this start has brought it from; undefined where it had that of this program. */
  readonly upgradedFrom: number | undefined
  /** True when this start made a log, or keys for one: nobody outside can know yet what it is checked with. */
  readonly hasNewLogKeys: boolean
  close(): Promise<void>
}

export interface HomeOptions {
  readonly home: string
  readonly config: string | undefined
  /** The folder that holds package.json and the shipped policies. */
  readonly project: string
  readonly clock: Clock
  /** True on the word of an operator: what is lost of the ledger is lost, and a new log begins. */
  readonly acceptLoss: boolean
  /** Version of this program. */
  readonly program: string
}

/**
 * Opens a home, or makes one; an older one is brought to the form of this program. Throws `home.locked`, `home.unwritable`,
 * `home.damaged`, `home.newer`, `config.invalid`, `ledger.corrupt`.
 */
export async function openHome(options: HomeOptions): Promise<OpenHome> {
  const { home } = options
  await makeFolder(home)
  const lock = lockHome(home)
  try {
    const isUsed = await Promise.all(SIGNS_OF_USE.map(async (name) => exists(path.join(home, name))))
    const parts = { files: NODE_FILES, home, program: options.program }
    const made = isUsed.includes(true) ? undefined : await furnish(options)
    if (made !== undefined) await writeFirstVersion(parts)
    const migrated = await migrateHome(parts)
    const restored = await readRestoredMark(NODE_FILES, home)
    const { config, folder, source } = await readConfig(home, options.config)
    return await openParts(options, { config, folder, source, lock, made, migrated, restored })
  } catch (thrown) {
    lock.release()
    throw asHomeFault(thrown)
  }
}

/** What the file system refuses in a home is told as such; anything else stays what it is. */
function asHomeFault(thrown: unknown): unknown {
  const code = errorCode(thrown)
  if (thrown instanceof Fault || code === undefined) return thrown
  const place = thrown instanceof Error && 'path' in thrown ? String(thrown.path) : null
  if (NOT_PLAIN.has(code) || code === 'ENOTDIR')
    return new Fault(
      'home.damaged',
      { place, error: code },
      { say: `In the home something stands where a plain file or folder should: ${place}`, cause: thrown },
    )
  return new Fault('home.unwritable', { place, error: code }, { cause: thrown })
}

interface Opening {
  readonly config: Config
  readonly folder: string
  readonly source: ConfigSource
  readonly lock: HomeLock
  readonly made: readonly string[] | undefined
  readonly migrated: Migrated
  readonly restored: RestoredMark | undefined
}

async function openParts(options: HomeOptions, opening: Opening): Promise<OpenHome> {
  const { home, clock } = options
  const directory = path.join(home, 'keys')
  const hasNewKey = opening.made === undefined && addMissingLogKey(directory)
  const keys = openLocalKeys({ directory, isNewHome: opening.made !== undefined })
  const database = openDatabase(path.join(home, 'state.db'))
  const mark = openStateMark(database)
  const callers = openCallers({
    database,
    peppers: keys.peppers,
    clock,
    later: (work) => void later(work, LAST_USED_MS),
  })
  try {
    return await openRecord(options, opening, { keys, hasNewKey, callers, mark })
  } catch (thrown) {
    callers.close()
    throw thrown
  }
}

interface Stores {
  readonly keys: LocalKeys
  /** True when this start gave an older home a key of a kind that it did not have. */
  readonly hasNewKey: boolean
  readonly callers: Callers
  readonly mark: StateMark
}

async function openRecord(options: HomeOptions, opening: Opening, stores: Stores): Promise<OpenHome> {
  const { home, clock } = options
  const { config, folder, source, lock, made, migrated, restored } = opening
  const { keys, callers, mark } = stores
  const directory = path.join(home, 'ledger')
  const { log, sidecarKey } = keys
  const isOurs = (): boolean => lock.isHeld()
  const headPath = path.join(home, 'head')
  const head = await findHead(NODE_FILES, headPath, logKeysOf(log, clock.now()))
  const isUsed = await hasBeenUsed(home, stores)
  const metrics = new Metrics({ since: clock.now() })
  const counts = new LedgerMetrics(metrics)
  const intents = new OpenIntents()
  const known = await listOrigins(NODE_FILES, directory)
  const ledger = await openLedger({
    ...ledgerOptions(options, opening, stores),
    knownHeads: keptHeads(head, mark, restored),
    onLoss: onLossOf({ isUsed, head, acceptLoss: options.acceptLoss }),
    onRecorded: (draft) => {
      counts.recorded(draft)
      intents.recorded(draft)
    },
  })
  const sweep = openSweep({ home, sidecarKey, ledger, intents, clock, metrics, isOurs })
  await recordOrigin(options, opening, ledger)
  const mended = await mendState({
    files: NODE_FILES,
    directory,
    sidecarKey,
    ledger,
    callers,
    mark,
    clock,
    headFault: headFaultOf(head, mark.read() !== undefined),
  })
  const found = [...mended, ...(await setAside(NODE_FILES, headPath, head))]
  const keeper = new HeadKeeper({ files: NODE_FILES, path: headPath, ledger, mark, isOurs })
  await keeper.start()
  const logKeys = await openLogKeys({ home, keys: log, ledger, clock, hasNewKey: stores.hasNewKey })
  const watch = watchClock({ ledger, clock })
  const policies = await openHomePolicies(home, opening)
  const tokenKeys = await openTokenKeys(home, config, clock)
  return {
    directory: home,
    config,
    configFolder: folder,
    configSource: source,
    keys,
    tokenKeys,
    ledger,
    logKeys,
    callers,
    policies,
    metrics,
    get problems() {
      return sweep.problem === undefined ? found : [...found, sweep.problem]
    },
    sweep,
    made,
    upgradedFrom: migrated.from,
    hasNewLogKeys: stores.hasNewKey || !known.folders.some(({ origin }) => origin === ledger.origin),
    close: async () => {
      watch.close()
      logKeys.close()
      await closeInOrder({ sweep, keeper, ledger, callers, lock })
    },
  }
}

/** The checkpoints that the home keeps beside its ledger. */
function keptHeads(head: FoundHead, mark: StateMark, restored: RestoredMark | undefined): readonly string[] {
  const found = [head.kind === 'ours' ? head.text : undefined, mark.read(), ...(restored?.known ?? [])]
  return found.filter((each) => each !== undefined)
}

/** What the configuration and the home say of the ledger. */
function ledgerOptions(
  { home, clock }: HomeOptions,
  { config, lock, restored }: Opening,
  { keys }: Stores,
): LedgerOptions {
  const { log, pseudonymKey, sidecarKey } = keys
  return {
    files: NODE_FILES,
    directory: path.join(home, 'ledger'),
    keys: { ...log, pseudonymKey, sidecarKey },
    clock,
    maxBytes: config.ledger.max_bytes,
    reserveBytes: config.ledger.reserve_bytes,
    segmentBytes: config.ledger.segment_bytes,
    anchors: config.ledger.anchors,
    outside: new FilesApart({ timeoutMs: LIMITS.anchorCallMs }),
    anchorPlaces: path.join(home, 'anchors', 'files'),
    restored: restored?.head,
    isOurs: () => lock.isHeld(),
    isBusy: loopLoad(),
  }
}

/** How the home came to be as it is, where the ledger does not say so yet. */
async function recordOrigin(
  { home, clock }: HomeOptions,
  { migrated: { version }, restored }: Opening,
  ledger: Ledger,
): Promise<void> {
  await recordUpgrade({ files: NODE_FILES, home, version }, { ledger, clock })
  await recordRestore({ home, mark: restored, ledger, clock })
}

interface Closed {
  readonly sweep: Sweep
  readonly keeper: HeadKeeper
  readonly ledger: Ledger
  readonly callers: Callers
  readonly lock: HomeLock
}

/** What still writes comes first, and the lock last. */
async function closeInOrder({ sweep, keeper, ledger, callers, lock }: Closed): Promise<void> {
  await sweep.close()
  await keeper.close()
  try {
    await ledger.close()
  } finally {
    callers.close()
    lock.release()
  }
}

async function hasBeenUsed(home: string, { mark, callers }: Stores): Promise<boolean> {
  if (mark.read() !== undefined) return true
  if (callers.directory.listCallers({ start: 0, count: 0 }).total > 0) return true
  return await exists(path.join(home, 'policy'))
}

/** Keys for tokens of our own are made only where such tokens are. */
async function openTokenKeys(
  home: string,
  { identity: { issuer } }: Config,
  clock: Clock,
): Promise<TokenKeys | undefined> {
  if (issuer === undefined) return undefined
  return await TokenKeys.open(tokenKeyFiles(path.join(home, 'keys')), clock)
}

async function openHomePolicies(home: string, { config, folder }: Opening): Promise<PolicyKeeper> {
  const { directory } = config.policies
  return await openPolicies({
    directory: directory === undefined ? path.join(home, 'policies') : path.resolve(folder, directory),
    stateDirectory: path.join(home, 'policy'),
    engine: cedarEngine,
    schema: SCHEMA,
    files: NODE_FILES,
  })
}
