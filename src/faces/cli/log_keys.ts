import { join } from 'node:path'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { readHomeVersion } from '#base/home_version.ts'
import type { LogKeyListAnswer } from '#rooms/admin/answers.ts'
import { toTime } from '#rooms/admin/to_time.ts'
import { namedLogKeys } from '#trust/ledger/log_keys.ts'
import { printVerifierKey } from '#trust/ledger/note.ts'
import { sortOrigins } from '#trust/ledger/origin.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'
import type { Call } from './command.ts'

/**
 * The newest log of a home and its verifier keys, as the home has them: who notes those that the folder of the log names may
 * note anybody's. Throws `home.damaged` where a key is missing, and `home.newer`.
 */
export async function readLogKeys({
  home,
  world,
}: Call): Promise<LogKeyListAnswer & { readonly origin: string }> {
  await readHomeVersion(NODE_FILES, home)
  const newest = (await sortOrigins(NODE_FILES, join(home, 'ledger'))).finished.at(-1)
  if (newest === undefined)
    throw new Fault('home.damaged', {}, { say: 'There is no ledger in this home. Start the door once.' })
  const { origin } = newest.folder
  const { log } = openLocalKeys({ directory: join(home, 'keys'), isNewHome: false })
  const signed = new Set(newest.verifiers.map(printVerifierKey))
  // Keys of before this log have never signed it.
  const ofLog = namedLogKeys(log, origin, world.clock.now()).filter(
    ({ key, state }) => state === 'signs' || signed.has(key),
  )
  const keys = ofLog.map(({ key, state, endsAt }) => ({
    key,
    state,
    ends_at: endsAt === undefined ? null : toTime(endsAt),
  }))
  return { origin, keys }
}
