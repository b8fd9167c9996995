import { lstat, realpath } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { lockHome, type HomeLock } from '#base/home_lock.ts'
import { readHomeVersion } from '#base/home_version.ts'
import { LIMITS } from '#base/limits.ts'
import { checkDatabase } from '#base/sqlite.ts'
import { BackupFolder } from '#rooms/backup/backup_folder.ts'
import { restore as restoreHome, restoringOf, type Restored } from '#rooms/backup/restore.ts'
import { FILE, listOrigins } from '#trust/ledger/layout.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'
import { readSecret, SECRET_OPTIONS } from '../backup_secret.ts'
import type { Answer, Call, Command } from '../command.ts'
import { withFileFaults } from '../file_faults.ts'
import { printBytes, progressOf } from '../progress.ts'
import { realPathOf } from '../real_path.ts'
import { wrongUsage } from '../usage.ts'

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
  const { world, words } = call
  // A link to it stays one, and other names are made of this one: it must not end with a slash.
  const home = await realPathOf(call.home)
  const secret = await readSecret(call)
  const source = resolve(world.cwd, words[0] ?? '')
  const folder = await BackupFolder.open(NODE_FILES, source, secret)
  await refuseSource(restoringOf(home), source)
  // No door may run in a home that is moved aside.
  const isThere = (await NODE_FILES.list(home)).length > 0
  if (isThere && !call.isOn('force')) throw new Fault('home.occupied')
  const locks = isThere ? [lockHome(home)] : []
  try {
    locks.push(await claim(restoringOf(home)))
    return draw(await restoreInto(call, folder, home), home)
  } finally {
    for (const lock of locks) lock.release()
  }
}

/** What is in the place of a run, and not of the home that is made there, is removed. */
async function refuseSource(place: string, source: string): Promise<void> {
  const [first] = relative(await realPathOf(place), await realpath(source)).split(sep)
  if (first !== '..') throw wrongUsage(`The backup must not be in ${place}, where the home is made.`)
}

/** Makes the place of this run, or takes that of one that was cut. Throws `home.occupied` where others could change what is in it. */
async function claim(place: string): Promise<HomeLock> {
  await NODE_FILES.makeDirectory(place)
  const { uid, mode, isFolder } = await lstat(place).then((facts) => ({
    uid: facts.uid,
    mode: facts.mode,
    isFolder: facts.isDirectory(),
  }))
  const isOurs = isFolder && (mode & OF_OTHERS) === 0 && uid === (process.getuid?.() ?? uid)
  if (!isOurs) throw occupied(place, 'is a link, or others may write there')
  const names = await NODE_FILES.list(place)
  // A run that was cut has left its lock, and all else that it does not want there is removed.
  if (names.length > 0 && !names.includes(LOCK_FILE))
    throw occupied(place, 'holds what no restore has put there')
  return lockHome(place)
}

const LOCK_FILE = 'lock.db'

function occupied(place: string, what: string): Fault {
  return new Fault('home.occupied', { place }, { say: `${place} ${what}. Remove it, or name another home.` })
}

const OF_OTHERS = 0o077

async function restoreInto(call: Call, folder: BackupFolder, home: string): Promise<Restored> {
  const { world } = call
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

/**
 * The home that is moved aside may know of entries that the backup does not have. Its ledger is signed every second, `head` is
 * kept every minute: after a door was killed that is a minute in which a key may have been revoked.
 */
async function knownHeads(home: string): Promise<readonly string[]> {
  const newest = (await listOrigins(NODE_FILES, join(home, 'ledger')).catch(() => undefined))?.folders.at(-1)
  const places = [join(home, 'head'), ...(newest === undefined ? [] : [join(newest.path, FILE.checkpoint)])]
  const texts = await Promise.all(places.map(async (place) => await readNote(place)))
  return texts.filter((text) => text !== undefined)
}

/** What cannot be read says nothing of the old home, and is no reason to leave it in its place. */
async function readNote(place: string): Promise<string | undefined> {
  return await NODE_FILES.read(place, LIMITS.noteBytes).then(
    (bytes) => Buffer.from(bytes).toString('utf8'),
    () => undefined,
  )
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

function draw({ manifest, aside, damaged }: Restored, home: string): Answer {
  const made = new Date(manifest.madeAt).toISOString()
  const entries = manifest.head?.size ?? 0
  const lines = [
    `Restored ${manifest.files.length} files into ${home}, as they were on ${made}, with ${entries} entries of the newest log.`,
    ...(aside === undefined ? [] : [`The home that was there is now ${aside}.`]),
    ...damaged.map((name) => `Damaged or older in the backup, so that its twin was read: ${name}`),
    'Keys that were revoked since then, and callers that were disabled, are let in again: revoke and disable them first.',
    'At its next start a new log follows the one of the copy, because others may know what was recorded after it.',
    'Make sure that no door runs any more in the home that was copied: two would be one identity.',
  ]
  const json = {
    home,
    made_at: made,
    files: manifest.files.length,
    entries,
    aside: aside ?? null,
    damaged: [...damaged],
  }
  return { exit: 0, text: lines.join('\n'), json }
}
