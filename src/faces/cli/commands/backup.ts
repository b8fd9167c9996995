import { realpath } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { sha256Hex } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { lockHome } from '#base/home_lock.ts'
import { copyDatabase } from '#base/sqlite.ts'
import { BackupAnswer } from '#rooms/admin/answers.ts'
import { backUp, type BackedUp } from '#rooms/backup/back_up.ts'
import { BackupFolder } from '#rooms/backup/backup_folder.ts'
import { readSecret, SECRET_OPTIONS } from '../backup_secret.ts'
import type { Answer, Call, Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { withFileFaults } from '../file_faults.ts'
import { printBytes, progressOf } from '../progress.ts'
import { realPathOf } from '../real_path.ts'
import { wrongUsage } from '../usage.ts'

export const backup: Command = {
  name: 'backup',
  summary: 'copy the home into a folder, encrypted, while the door runs; again copies only what is new',
  words: 'TARGET',
  wordCount: { least: 1, most: 1 },
  options: [
    ...SECRET_OPTIONS,
    {
      name: 'repair',
      value: undefined,
      says: 'read back what the backup has already, too, and write anew what is damaged',
    },
    {
      name: 'delete-other-backup',
      value: undefined,
      says: 'delete the backup that is in the folder, where it is of another home or a later state of this one',
    },
  ],
  example: './gatehouse backup /mnt/copies/gatehouse --key-file backup.key',
  run: async (call) => await withFileFaults(async () => await run(call)),
}

async function run(call: Call): Promise<Answer> {
  const target = resolve(call.world.cwd, call.words[0] ?? '')
  const secret = await readSecret(call)
  await checkHome(call.home)
  await refuseInside(call.home, target)
  await BackupFolder.make(NODE_FILES, target)
  const lock = lockFolder(target)
  try {
    const folder = await BackupFolder.prepare(NODE_FILES, target, secret)
    const body = { target, key: secret.kind }
    await askDoor(call, BackupAnswer, { method: 'POST', path: '/admin/backup', body })
    return draw(await copyHome(call, folder, target), target)
  } finally {
    lock.release()
  }
}

/** Each backup would hold the one before it. */
async function refuseInside(home: string, target: string): Promise<void> {
  const [first] = relative(await realpath(home), await realPathOf(target)).split(sep)
  if (first !== '..') throw wrongUsage('The backup must not be in the home itself.')
}

/** Else a home would be made to be backed up. */
async function checkHome(home: string): Promise<void> {
  if ((await NODE_FILES.facts(join(home, 'state.db'))) === undefined)
    throw new Fault('home.damaged', {}, { say: 'There is no home in this folder.' })
}

function lockFolder(target: string): ReturnType<typeof lockHome> {
  try {
    return lockHome(target)
  } catch (thrown) {
    throw thrown instanceof Fault ? lockFault(thrown, target) : thrown
  }
}

/** What is said of a home is here true of the folder of the backup. */
function lockFault(cause: Fault, place: string): Fault {
  if (cause.code === 'home.locked')
    return new Fault('home.locked', {}, { say: 'Another backup is being made into this folder.', cause })
  if (cause.code === 'home.unwritable')
    return new Fault(
      'copy.failed',
      { place },
      { say: `${place} cannot be written, or its disk is full.`, cause },
    )
  return cause
}

/**
 * Plain, in the home, while a backup is made. What a run leaves that was killed, the next one into the same folder replaces;
 * one into another folder may be under way at the same time.
 */
export function stateCopyFor(target: string): string {
  return `state.db.copy-${sha256Hex(target).slice(0, NAME_CHARACTERS)}.tmp`
}

const NAME_CHARACTERS = 16

async function copyHome(call: Call, folder: BackupFolder, target: string): Promise<BackedUp> {
  const { home, world } = call
  const state = join(home, stateCopyFor(target))
  const tell = progressOf(call)
  await NODE_FILES.unlink(state)
  try {
    copyDatabase(join(home, 'state.db'), state)
    return await backUp({
      files: NODE_FILES,
      home,
      folder,
      state,
      clock: world.clock,
      version: world.version,
      isRepair: call.isOn('repair'),
      mayDeleteOther: call.isOn('delete-other-backup'),
      onProgress: ({ files, bytes, copiedBytes }) =>
        tell(() => `${files} files, ${printBytes(bytes)}, of which ${printBytes(copiedBytes)} are new`),
    })
  } finally {
    await NODE_FILES.unlink(state)
  }
}

function draw({ manifest, progress, skipped, repaired }: BackedUp, target: string): Answer {
  const { files, bytes, copiedFiles, copiedBytes } = progress
  const entries = manifest.head?.size ?? 0
  const lines = [
    `Backed up ${files} files, ${printBytes(bytes)}, with ${entries} entries of the newest log, into ${target}.`,
    `New are ${copiedFiles} files, ${printBytes(copiedBytes)}; they were read back.`,
    ...repaired.map((path) => `Damaged in the backup, and written anew: ${path}`),
    ...skipped.map((path) => `Left out, as it is no plain file: ${path}`),
    'What the configuration names outside the home is not in it.',
  ]
  const json = {
    target,
    files,
    bytes,
    copied_files: copiedFiles,
    copied_bytes: copiedBytes,
    origin: manifest.head?.origin ?? null,
    entries,
    repaired: [...repaired],
    skipped: [...skipped],
  }
  return { exit: 0, text: lines.join('\n'), json }
}
