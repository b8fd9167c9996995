import path from 'node:path'
import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'
import { randomBase62 } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import { readPlainFile, readPlainFileNow } from '#base/plain_file.ts'
import { createPrivateFolder, readPrivateFolder } from '#base/private_folder.ts'
import { writePrivateFile } from '#base/private_file.ts'
import { openDatabase, type Database } from '#base/sqlite.ts'
import { watchFiles } from '#base/watch_files.ts'
import type { ServingWitness } from '#faces/cli/world.ts'
import { TlsPair } from '#faces/http/tls.ts'
import { openWitnessServer } from '#faces/http/witness_server.ts'
import { Witness, type WitnessParts } from '#proof/witness/witness.ts'
import { makeWitnessStore, openWitnessStore, type WitnessStore } from '#proof/witness/witness_store.ts'
import { ed25519Cosigner, mlDsa44Cosigner } from '#trust/ledger/cosignature.ts'
import { printVerifierKey, type NoteSigner } from '#trust/ledger/note.ts'
import { defaultWitnessConfig, loadWitnessConfig, type WitnessConfig } from './config_witness.ts'
import { exists, makeFolder } from './main_furnish.ts'

const ED25519_FILE = 'witness.pem'
const ML_DSA_FILE = 'witness.ml-dsa.pem'
const TLS_QUIET_MS = 500
const NAME_CHARACTERS = 12

export interface WitnessOptions {
  /** Holds `witness.yaml`, `keys/` and `witness.db`. */
  readonly directory: string
  readonly clock: Clock
  /** Told in one line when a log has signed what does not follow from what was cosigned. */
  readonly onInconsistent: WitnessParts['onInconsistent']
}

/**
 * Opens a witness in a folder of its own, which is made on the first start. Throws `config.invalid`, `home.damaged`,
 * `home.unwritable`, `listener.exposed`, `listener.unavailable`.
 */
export async function startWitness(options: WitnessOptions): Promise<ServingWitness> {
  const { directory, clock, onInconsistent } = options
  const isNew = await furnish(directory)
  const config = await readWitnessConfig(path.join(directory, 'witness.yaml'))
  const signers = cosignersIn(readPrivateFolder(path.join(directory, 'keys')), config.name)
  const tls = openTls(config, directory)
  const { database, store } = remember(path.join(directory, 'witness.db'))
  try {
    const witness = new Witness({ signers, logs: config.logs, store, clock, onInconsistent })
    const server = await openWitnessServer({
      at: {
        kind: 'tcp',
        address: config.listen,
        // What is asked of everybody is the signature of a log that is known.
        ask: {
          name: 'witness',
          hasTls: tls !== undefined,
          hasCredential: true,
          hasProxies: false,
          exception: undefined,
        },
      },
      tls,
      witness,
      trustedProxies: config.trusted_proxies,
      clock,
    })
    const stopped = Promise.withResolvers<void>()
    const end = async (): Promise<void> => {
      await server.close()
      tls?.close()
      database.close()
      stopped.resolve()
    }
    let ending: Promise<void> | undefined
    // Several signals may ask for it.
    const close = async (): Promise<void> => await (ending ??= end())
    const url = `${tls === undefined ? 'http' : 'https'}://${server.address}`
    const facts = { url, name: config.name, keys: signers.map(printVerifierKey), logs: config.logs.size }
    return {
      facts: { ...facts, folder: directory, pid: process.pid },
      isNew,
      stopped: stopped.promise,
      close,
    }
  } catch (thrown) {
    tls?.close()
    database.close()
    throw thrown
  }
}

/** True when the folder was made. The keys come last: what has keys has been in use, and its memory may not be gone. */
async function furnish(directory: string): Promise<boolean> {
  const keys = path.join(directory, 'keys')
  const file = path.join(directory, 'witness.yaml')
  const memory = path.join(directory, 'witness.db')
  if (await exists(keys)) {
    if (await exists(memory)) return false
    throw new Fault('home.damaged', { directory }, { say: FORGOTTEN })
  }
  try {
    await makeFolder(directory)
    const name = `witness.local/${randomBase62(NAME_CHARACTERS)}`
    if (!(await exists(file))) await writePrivateFile(file, defaultWitnessConfig(name))
  } catch (thrown) {
    throw new Fault('home.unwritable', { directory, error: errorCode(thrown) ?? null }, { cause: thrown })
  }
  const database = openDatabase(memory)
  makeWitnessStore(database)
  database.close()
  createPrivateFolder(
    keys,
    new Map([
      [ED25519_FILE, utf8(newEd25519Pem())],
      [ML_DSA_FILE, utf8(newMlDsa44Pem())],
    ]),
  )
  return true
}

/** Opens what was cosigned. Throws `home.damaged`, `home.unwritable`. */
function remember(file: string): { readonly database: Database; readonly store: WitnessStore } {
  let database: Database | undefined
  try {
    database = openDatabase(file)
    return { database, store: openWitnessStore(database) }
  } catch (thrown) {
    database?.close()
    if (!(thrown instanceof Fault) || thrown.code !== 'home.damaged') throw thrown
    throw new Fault('home.damaged', thrown.detail, { say: FORGOTTEN, cause: thrown })
  }
}

const FORGOTTEN =
  'What this witness has cosigned is gone or damaged (witness.db), so it could be led to cosign a second history. Take keys/ away too, and tell the logs the new keys.'

async function readWitnessConfig(file: string): Promise<WitnessConfig> {
  try {
    const bytes = await readPlainFile(file, { maxBytes: LIMITS.configBytes, links: 'follow' })
    return loadWitnessConfig(bytes.toString('utf8'), file)
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    throw new Fault('config.invalid', {}, { say: 'witness.yaml cannot be read.', cause: thrown })
  }
}

function cosignersIn(
  files: ReadonlyMap<string, Uint8Array> | undefined,
  name: string,
): readonly NoteSigner[] {
  const pem = (file: string): string => Buffer.from(files?.get(file) ?? []).toString('latin1')
  try {
    return [ed25519Cosigner(name, pem(ED25519_FILE)), mlDsa44Cosigner(name, pem(ML_DSA_FILE))]
  } catch (thrown) {
    const say = `keys/${ED25519_FILE} or keys/${ML_DSA_FILE} of the witness is missing or no such key.`
    throw new Fault('home.damaged', {}, { say, cause: thrown })
  }
}

function openTls({ tls }: WitnessConfig, directory: string): TlsPair | undefined {
  if (tls === undefined) return undefined
  return new TlsPair({
    paths: {
      cert: path.resolve(directory, tls.cert),
      key: path.resolve(directory, tls.key),
      minimum: '1.3',
    },
    watch: (files, onChange) => watchFiles(files, TLS_QUIET_MS, onChange, () => undefined),
    onReload: () => undefined,
    readFile: (file) =>
      readPlainFileNow(file, { maxBytes: LIMITS.secretFileBytes, links: 'follow' }).toString('utf8'),
  })
}
