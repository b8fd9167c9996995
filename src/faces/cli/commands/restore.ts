import { join, resolve } from 'node:path'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { lockHome } from '#base/home_lock.ts'
import { readHomeVersion } from '#base/home_version.ts'
import { LIMITS } from '#base/limits.ts'
import { checkDatabase } from '#base/sqlite.ts'
import { BackupFolder } from '#rooms/backup/backup_folder.ts'
import { restore as restoreHome, type Restored } from '#rooms/backup/restore.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'
import { readSecret, SECRET_OPTIONS } from '../backup_secret.ts'
import type { Answer, Call, Command } from '../command.ts'
import { withFileFaults } from '../file_faults.ts'
import { printBytes, progressOf } from '../progress.ts'

export const restore: Command = {
  name: 'restore',
  summary: 'make a home from a backup, checked before it is one; a cut run goes on where it stopped',
  words: 'SOURCE',
  wordCount: { least: 1, most: 1 },
  options: [
    ...SECRET_OPTIONS,
    { name: 'force', value: undefined, says: 'where there is a home already, move it aside' },
  ],
  example: './gatehouse restore /mnt/copies/gatehouse --key-file backup.key --home /srv/gatehouse',
  run: async (call) => await withFileFaults(async () => await run(call)),
}

async function run(call: Call): Promise<Answer> {
  const { world, words, home } = call
  const secret = await readSecret(call)
  const folder = await BackupFolder.open(NODE_FILES, resolve(world.cwd, words[0] ?? ''), secret)
  // No door may run in a home that is moved aside.
  const isThere = (await NODE_FILES.list(home)).length > 0
  if (isThere && !call.isOn('force')) throw new Fault('home.occupied')
  const lock = isThere ? lockHome(home) : undefined
  try {
    return draw(await restoreInto(call, folder), home)
  } finally {
    lock?.release()
  }
}

async function restoreInto(call: Call, folder: BackupFolder): Promise<Restored> {
  const { world, home } = call
  const tell = progressOf(call)
  let bytes = 0
  const parts = {
    files: NODE_FILES,
    folder,
    home,
    clock: world.clock,
    check: async (place: string) => await checkPlace(place, world.clock.now()),
    onFile: (file: { readonly bytes: number }) => {
      bytes += file.bytes
      tell(() => `${printBytes(bytes)} are there`)
    },
  }
  return await restoreHome(parts, { isForced: call.isOn('force'), known: await knownHeads(home) })
}

/** The home that is moved aside may know of entries that the backup does not have. */
async function knownHeads(home: string): Promise<readonly string[]> {
  try {
    return [Buffer.from(await NODE_FILES.read(join(home, 'head'), LIMITS.noteBytes)).toString('utf8')]
  } catch {
    return []
  }
}

/** All that a door looks at when it starts, and every entry, before there is a home to start in. */
async function checkPlace(place: string, now: number): Promise<void> {
  await readHomeVersion(NODE_FILES, place)
  const { log, sidecarKey } = openLocalKeys({ directory: join(place, 'keys'), isNewHome: false })
  checkDatabase(join(place, 'state.db'))
  const keys = { logKeys: logKeysOf(log, now), sidecarKey }
  const { isWhole, problems } = await verifyLedger({
    files: NODE_FILES,
    directory: join(place, 'ledger'),
    keys,
  })
  const [first] = problems
  if (!isWhole && first !== undefined) throw new Fault('ledger.corrupt', { ...first })
}

function draw({ manifest, aside }: Restored, home: string): Answer {
  const made = new Date(manifest.madeAt).toISOString()
  const entries = manifest.head?.size ?? 0
  const lines = [
    `Restored ${manifest.files.length} files into ${home}, as they were on ${made}, with ${entries} entries of the newest log.`,
    ...(aside === undefined ? [] : [`The home that was there is now ${aside}.`]),
    'At its next start a new log follows the one of the copy, because others may know what was recorded after it.',
    'Make sure that no door runs any more in the home that was copied: two would be one identity.',
  ]
  const json = { home, made_at: made, files: manifest.files.length, entries, aside: aside ?? null }
  return { exit: 0, text: lines.join('\n'), json }
}
