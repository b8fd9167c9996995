import { readFileSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setInterval, setTimeout as later } from 'node:timers'
import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES, writeAtomic } from '#base/files.ts'
import { lockHome, type HomeLock } from '#base/home_lock.ts'
import { openDatabase } from '#base/sqlite.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import { openPolicies, type PolicyKeeper } from '#trust/access/policy_set.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarWasmEngine } from '#trust/cedar/wasm_engine.ts'
import { openLedger, type Ledger } from '#trust/ledger/ledger.ts'
import { openLocalKeys, type LocalKeys } from '#trust/vault/local_keys.ts'
import { loadConfig, type Config } from './config.ts'
import { DEFAULT_CONFIG_TEXT } from './config_default.ts'

const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600
/** The day of last use is written this long after it changed, so that a busy minute is one write. */
const LAST_USED_MS = 1_000
/** The newest checkpoint is kept beside the ledger folder this often, so that an older folder put back is noticed. */
const KEEP_HEAD_MS = 60_000

/** Everything that a home holds, open and locked for this process. */
export interface OpenHome {
  readonly directory: string
  readonly config: Config
  /** Relative paths of the configuration start here. */
  readonly configFolder: string
  readonly keys: LocalKeys
  readonly ledger: Ledger
  readonly callers: Callers
  readonly policies: PolicyKeeper
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
    const isNew = !(await exists(path.join(home, 'state.db'))) && !(await exists(path.join(home, 'ledger')))
    const made = isNew ? await furnish(options) : undefined
    const { config, folder } = await readConfig(home, options.config)
    return await openParts(options, { config, folder, lock, made })
  } catch (thrown) {
    lock.release()
    throw thrown
  }
}

/** Reads the configuration of a home; without a file the defaults hold. Throws `config.invalid`. */
export async function readConfig(
  home: string,
  file: string | undefined,
): Promise<{ readonly config: Config; readonly folder: string; readonly path: string | null }> {
  const at = file ?? path.join(home, 'gatehouse.yaml')
  const folder = path.dirname(at)
  try {
    const text = await readFile(at, 'utf8')
    return { config: loadConfig(text, at), folder, path: at }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    const isAbsent =
      file === undefined && thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
    if (isAbsent) return { config: loadConfig(DEFAULT_CONFIG_TEXT, at), folder, path: null }
    throw new Fault('config.invalid', {}, { say: 'The configuration file cannot be read.', cause: thrown })
  }
}

interface Opening {
  readonly config: Config
  readonly folder: string
  readonly lock: HomeLock
  readonly made: readonly string[] | undefined
}

async function openParts({ home, clock }: HomeOptions, opening: Opening): Promise<OpenHome> {
  const { config, folder, lock, made } = opening
  const keys = openLocalKeys({ directory: path.join(home, 'keys'), isNewHome: made !== undefined })
  const callers = openCallers({
    database: openDatabase(path.join(home, 'state.db')),
    peppers: keys.peppers,
    clock,
    later: (work) => void later(work, LAST_USED_MS),
  })
  const { signingPem, pseudonymKey, sidecarKey } = keys
  const ledger = await openLedger({
    files: NODE_FILES,
    directory: path.join(home, 'ledger'),
    keys: { signingPem, pseudonymKey, sidecarKey },
    clock,
    maxBytes: config.ledger.max_bytes,
    reserveBytes: config.ledger.reserve_bytes,
    segmentBytes: config.ledger.segment_bytes,
    anchors: config.ledger.anchors,
    knownHead: await readHead(home),
  })
  const keepHead = async (): Promise<void> =>
    writeAtomic(NODE_FILES, headFile(home), utf8(await ledger.checkpoint()))
  // A head that cannot be kept is no reason to stop: it only makes an older ledger folder harder to notice.
  const keeping = setInterval(() => void keepHead().catch(() => undefined), KEEP_HEAD_MS)
  keeping.unref()
  const policies = await openPolicies({
    directory:
      config.policies.directory === undefined
        ? path.join(home, 'policies')
        : path.resolve(folder, config.policies.directory),
    stateDirectory: path.join(home, 'policy'),
    engine: cedarWasmEngine,
    schema: SCHEMA,
    files: NODE_FILES,
  })
  const close = async (): Promise<void> => {
    clearInterval(keeping)
    await keepHead().catch(() => undefined)
    await ledger.close()
    callers.close()
    lock.release()
  }
  return { directory: home, config, configFolder: folder, keys, ledger, callers, policies, made, close }
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
      return readFileSync(path.resolve(folder, file), 'utf8')
    } catch {
      return undefined
    }
  }
}

function headFile(home: string): string {
  return path.join(home, 'head')
}

async function readHead(home: string): Promise<string | undefined> {
  return readFile(headFile(home), 'utf8').catch(() => undefined)
}
