import { join } from 'node:path'
import { ML_DSA_44_PUBLIC_BYTES, SHA256_BYTES } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { lockHome } from '#base/home_lock.ts'
import { readHomeVersion } from '#base/home_version.ts'
import { isAmong, logKeysOf } from '#trust/ledger/log_keys.ts'
import type { NoteVerifier } from '#trust/ledger/note.ts'
import { sortOrigins } from '#trust/ledger/origin.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'
import { replaceLostLogKeys } from '#trust/vault/log_key_files.ts'
import type { Call, Command } from '../command.ts'
import { readLogKeys } from '../log_keys.ts'
import { wrongUsage } from '../usage.ts'

export const ledgerKeyReplace: Command = {
  name: 'ledger key replace',
  summary: 'make new keys for the ledger in place of lost ones; it goes on in a new log that follows the old',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse ledger key replace',
  run: async (call) => {
    const lock = lockHome(call.home)
    try {
      await replaceKeys(call)
    } finally {
      lock.release()
    }
    const { keys } = await readLogKeys(call)
    const text = 'New keys are made. The next start begins a new log that follows the old one: gatehouse up'
    return { exit: 0, text, json: { keys } }
  },
}

async function replaceKeys({ home, world }: Call): Promise<void> {
  await readHomeVersion(NODE_FILES, home)
  const { finished } = await sortOrigins(NODE_FILES, join(home, 'ledger'))
  const { verifiers = [] } = finished.at(-1) ?? {}
  const lostOf = (bytes: number): Uint8Array | undefined =>
    verifiers.find(({ publicKey }) => publicKey.length === bytes)?.publicKey
  const ed25519 = lostOf(SHA256_BYTES)
  if (ed25519 === undefined)
    throw new Fault('home.damaged', {}, { say: 'The folder of the ledger does not say which keys it had.' })
  const directory = join(home, 'keys')
  if (isHere(directory, verifiers, world.clock.now()))
    throw wrongUsage('The keys of the ledger are here.', 'gatehouse ledger key rotate --overlap 0')
  replaceLostLogKeys(directory, { ed25519, mlDsa44: lostOf(ML_DSA_44_PUBLIC_BYTES) }, world.clock.now())
}

/** True when the newest keys that the log has had can still sign. */
function isHere(directory: string, verifiers: readonly NoteVerifier[], now: number): boolean {
  try {
    const { log } = openLocalKeys({ directory, isNewHome: false })
    const [newest] = logKeysOf(log, now)
    return newest !== undefined && verifiers.slice(0, 1).every((each) => isAmong([newest], each))
  } catch {
    return false
  }
}
