import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as later } from 'node:timers'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, NODE_FILES } from '#base/files.ts'
import { lockHome, type HomeLock } from '#base/home_lock.ts'
import { LIMITS } from '#base/limits.ts'
import { loopLoad } from '#base/loop_load.ts'
import { Metrics } from '#base/metrics.ts'
import { NOT_PLAIN, readPlainFile, readPlainFileNow } from '#base/plain_file.ts'
import { openDatabase } from '#base/sqlite.ts'
import { LedgerMetrics } from '#door/ledger_metrics.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import { TokenKeys } from '#trust/access/issued/token_keys.ts'
import { openPolicies, type PolicyKeeper } from '#trust/access/policy_set.ts'
import { openStateMark, type StateMark } from '#trust/access/state_mark.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { openLedger, type Ledger } from '#trust/ledger/ledger.ts'
import { openLocalKeys, type LocalKeys } from '#trust/vault/local_keys.ts'
import { tokenKeyFiles } from '#trust/vault/token_key_files.ts'
import { loadConfig, type Config } from './config.ts'
import { DEFAULT_CONFIG_TEXT } from './config_default.ts'
import { findHead, headFaultOf, onLossOf, setAside } from './main_head.ts'
import { HeadKeeper, mendState, watchClock } from './main_state.ts'

const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600
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
  readonly keys: LocalKeys
  /** Those that sign tokens; undefined where none are made. */
  readonly tokenKeys: TokenKeys | undefined
  readonly ledger: Ledger
  readonly callers: Callers
  readonly policies: PolicyKeeper
  /** Of this process; what the ledger records is counted in them from its opening on. */
  readonly metrics: Metrics
  /** What was found at the start and needs an operator. */
  readonly problems: readonly string[]
  /** What was made because the home was new; undefined for a home that was there. */
  readonly made: readonly string[] | undefined
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
}

/**
 * Opens a home, or makes one. Throws `home.locked`, `home.unwritable`, `home.damaged`, `config.invalid`,
 * `ledger.corrupt`.
 */
export async function openHome(options: HomeOptions): Promise<OpenHome> {
  const { home } = options
  await makeFolder(home)
  const lock = lockHome(home)
  try {
    const isUsed = await Promise.all(SIGNS_OF_USE.map(async (name) => exists(path.join(home, name))))
    const made = !isUsed.includes(true) ? await furnish(options) : undefined
    const { config, folder } = await readConfig(home, options.config)
    return await openParts(options, { config, folder, lock, made })
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

/** Reads the configuration of a home; without a file the defaults hold. Throws `config.invalid`. */
export async function readConfig(
  home: string,
  file: string | undefined,
): Promise<{ readonly config: Config; readonly folder: string; readonly path: string | null }> {
  const at = file ?? path.join(home, 'gatehouse.yaml')
  const folder = path.dirname(at)
  try {
    const bytes = await readPlainFile(at, { maxBytes: LIMITS.configBytes, links: 'follow' })
    return { config: loadConfig(bytes.toString('utf8'), at), folder, path: at }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    if (file === undefined && errorCode(thrown) === 'ENOENT')
      return { config: loadConfig(DEFAULT_CONFIG_TEXT, at), folder, path: null }
    const say = NOT_PLAIN.has(errorCode(thrown) ?? '')
      ? `The configuration is not a plain file of at most ${LIMITS.configBytes} bytes.`
      : 'The configuration file cannot be read.'
    throw new Fault('config.invalid', {}, { say, cause: thrown })
  }
}

interface Opening {
  readonly config: Config
  readonly folder: string
  readonly lock: HomeLock
  readonly made: readonly string[] | undefined
}

async function openParts(options: HomeOptions, opening: Opening): Promise<OpenHome> {
  const { home, clock } = options
  const keys = openLocalKeys({ directory: path.join(home, 'keys'), isNewHome: opening.made !== undefined })
  const database = openDatabase(path.join(home, 'state.db'))
  const mark = openStateMark(database)
  const callers = openCallers({
    database,
    peppers: keys.peppers,
    clock,
    later: (work) => void later(work, LAST_USED_MS),
  })
  try {
    return await openRecord(options, opening, { keys, callers, mark })
  } catch (thrown) {
    callers.close()
    throw thrown
  }
}

interface Stores {
  readonly keys: LocalKeys
  readonly callers: Callers
  readonly mark: StateMark
}

async function openRecord(options: HomeOptions, opening: Opening, stores: Stores): Promise<OpenHome> {
  const { home, clock } = options
  const { config, folder, lock, made } = opening
  const { keys, callers, mark } = stores
  const directory = path.join(home, 'ledger')
  const { signingPem, pseudonymKey, sidecarKey } = keys
  const isOurs = (): boolean => lock.isHeld()
  const headPath = path.join(home, 'head')
  const head = await findHead(NODE_FILES, headPath, signingPem)
  const isUsed = await hasBeenUsed(home, stores)
  const metrics = new Metrics({ since: clock.now() })
  const counts = new LedgerMetrics(metrics)
  const ledger = await openLedger({
    files: NODE_FILES,
    directory,
    keys: { signingPem, pseudonymKey, sidecarKey },
    clock,
    maxBytes: config.ledger.max_bytes,
    reserveBytes: config.ledger.reserve_bytes,
    segmentBytes: config.ledger.segment_bytes,
    anchors: config.ledger.anchors,
    knownHeads: [head.kind === 'ours' ? head.text : undefined, mark.read()].filter(
      (each) => each !== undefined,
    ),
    onLoss: onLossOf({ isUsed, head, acceptLoss: options.acceptLoss }),
    isOurs,
    isBusy: loopLoad(),
    onRecorded: (draft) => counts.recorded(draft),
  })
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
  const problems = [...mended, ...(await setAside(NODE_FILES, headPath, head))]
  const keeper = new HeadKeeper({ files: NODE_FILES, path: headPath, ledger, mark, isOurs })
  await keeper.start()
  const watch = watchClock({ ledger, clock })
  const policies = await openHomePolicies(home, opening)
  const tokenKeys = await openTokenKeys(home, config, clock)
  const close = async (): Promise<void> => {
    watch.close()
    await keeper.close()
    try {
      await ledger.close()
    } finally {
      callers.close()
      lock.release()
    }
  }
  return {
    directory: home,
    config,
    configFolder: folder,
    keys,
    tokenKeys,
    ledger,
    callers,
    policies,
    metrics,
    problems,
    made,
    close,
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

/** What a new home gets before anything is opened: a configuration and the shipped policies, for the operator to edit. */
async function furnish({ home, config, project }: HomeOptions): Promise<readonly string[]> {
  const made = ['keys/ (this machine only, mode 0600)', 'ledger/ and state.db']
  const file = path.join(home, 'gatehouse.yaml')
  if (config === undefined && !(await exists(file))) {
    await writeFile(file, DEFAULT_CONFIG_TEXT, { mode: PRIVATE_FILE })
    made.push('gatehouse.yaml (the configuration, with comments)')
  }
  const policies = path.join(home, 'policies')
  if (!(await exists(policies))) {
    await makeFolder(policies)
    const shipped = path.join(project, 'policies')
    for (const name of await readdir(shipped)) {
      if (name.endsWith('.cedar')) await copyFile(path.join(shipped, name), path.join(policies, name))
    }
    made.push('policies/ (who may do what)')
  }
  return made
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER })
  } catch (thrown) {
    throw new Fault('home.unwritable', { folder }, { cause: thrown })
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** Reads a secret's file relative to the configuration; undefined when it cannot be read. */
export function secretReader(folder: string): (file: string) => string | undefined {
  return (file) => {
    try {
      const rules = { maxBytes: LIMITS.secretFileBytes, links: 'follow' } as const
      return readPlainFileNow(path.resolve(folder, file), rules).toString('utf8')
    } catch {
      return undefined
    }
  }
}
