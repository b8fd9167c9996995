import { join, resolve } from 'node:path'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { readHomeVersion } from '#base/home_version.ts'
import { exportTiles } from '#trust/ledger/tile_export.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import type { Answer, Call, Command } from '../command.ts'
import { checkExportTarget } from '../export_target.ts'
import { withFileFaults } from '../file_faults.ts'
import { progressOf } from '../progress.ts'
import { wrongUsage } from '../usage.ts'

export const ledgerExport: Command = {
  name: 'ledger export',
  summary: 'write what is signed of the ledger as a tree of static files, for mirrors and other tools',
  words: 'DIR',
  wordCount: { least: 1, most: 1 },
  options: [
    {
      name: 'log',
      value: 'NAME',
      says: 'a log by the name of its folder, as 0001-… (default: the newest)',
    },
  ],
  example: './gatehouse ledger export /srv/log',
  run: async (call) => await withFileFaults(async () => await run(call)),
}

async function run(call: Call): Promise<Answer> {
  const [directory = ''] = call.words
  const name = call.option('log')
  // What a newer program wrote is not for this one to hand on.
  await readHomeVersion(NODE_FILES, call.home)
  const logs = new TiledLogs(NODE_FILES, join(call.home, 'ledger'))
  const log = name === undefined ? await logs.newest() : await logs.named(name)
  if (log === undefined && name !== undefined)
    throw wrongUsage(
      `There is no log of this name in the home; there are: ${(await logs.names()).join(', ') || 'none'}.`,
    )
  if (log === undefined)
    throw new Fault('home.damaged', {}, { say: 'There is no ledger in this home. Start the door once.' })
  const tell = progressOf(call)
  const target = resolve(call.world.cwd, directory)
  await checkExportTarget(call.home, target)
  const { origin, entries, written, mended } = await exportTiles(NODE_FILES, log, target, ({ done, all }) =>
    tell(() => `${done} of ${all} files are there`),
  )
  return {
    exit: 0,
    text: [
      `${target} has the ${entries} signed entries of ${origin}: ${written} files were written.`,
      ...(mended === 0
        ? []
        : [`In the place of ${mended} of them stood something else: see who can write there.`]),
    ].join('\n'),
    json: { directory: target, origin, entries, written, mended },
  }
}
