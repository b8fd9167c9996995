import { resolve } from 'node:path'
import { FAULTS } from '#base/fault_table.ts'
import { NODE_FILES } from '#base/files.ts'
import { BackupFolder } from '#rooms/backup/backup_folder.ts'
import { checkBackup, type CheckedBackup } from '#rooms/backup/check_backup.ts'
import { readSecret, SECRET_OPTIONS } from '../backup_secret.ts'
import type { Answer, Call, Command } from '../command.ts'
import { withFileFaults } from '../file_faults.ts'
import { printBytes, progressOf } from '../progress.ts'

export const backupVerify: Command = {
  name: 'backup verify',
  summary: 'read all of a backup and check every file and every entry in it; writes nothing',
  words: 'SOURCE',
  wordCount: { least: 1, most: 1 },
  options: SECRET_OPTIONS,
  example: './gatehouse backup verify /mnt/copies/gatehouse --key-file backup.key',
  run: async (call) => await withFileFaults(async () => await run(call)),
}

async function run(call: Call): Promise<Answer> {
  const { world, words } = call
  const secret = await readSecret(call)
  const folder = await BackupFolder.open(NODE_FILES, resolve(world.cwd, words[0] ?? ''), secret)
  const manifest = await folder.manifest()
  const tell = progressOf(call)
  let bytes = 0
  const onFile = (file: { readonly bytes: number }): void => {
    bytes += file.bytes
    tell(() => `${printBytes(bytes)} read`)
  }
  return draw(await checkBackup(folder, manifest, { now: world.clock.now(), onFile }), bytes)
}

function draw({ manifest, ledger, damaged }: CheckedBackup, bytes: number): Answer {
  const isWhole = (ledger?.isWhole ?? true) && damaged.length === 0
  const made = new Date(manifest.madeAt).toISOString()
  const lines = [
    `${isWhole ? 'Whole' : 'Not whole'}: ${manifest.files.length} files, ${printBytes(bytes)}, made on ${made} by Gatehouse ${manifest.version}.`,
    ...damaged.map(
      (name) => `  problem: ${name}: damaged or older; its twin was read, and the next backup writes it anew`,
    ),
    ledger === undefined ? 'It holds no ledger.' : `Its ledger is ${ledger.statement}.`,
    ...(ledger?.problems ?? []).map(({ place, what }) => `  problem: ${place}: ${what}`),
  ]
  const json = {
    ok: isWhole,
    damaged: [...damaged],
    files: manifest.files.length,
    bytes,
    made_at: made,
    version: manifest.version,
    entries: ledger?.entries ?? 0,
    statement: ledger?.statement ?? null,
    problems: (ledger?.problems ?? []).map(({ place, what }) => ({ place, what })),
  }
  return { exit: isWhole ? 0 : FAULTS['backup.damaged'].exit, text: lines.join('\n'), json }
}
