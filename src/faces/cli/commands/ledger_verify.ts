import { resolve } from 'node:path'
import { FAULTS } from '#base/fault_table.ts'
import { LIMITS } from '#base/limits.ts'
import { readPlainFile } from '#base/plain_file.ts'
import type { VerifyReport } from '#trust/ledger/verify.ts'
import type { Call, Command } from '../command.ts'
import { openHomeLedger } from '../home_ledger.ts'
import { wrongUsage } from '../usage.ts'

export const ledgerVerify: Command = {
  name: 'ledger verify',
  summary: 'check every entry, tree and signature, and say what that proves',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    { name: 'against', value: 'FILE', says: 'a checkpoint that was held elsewhere: finds rollback and fork' },
  ],
  example: './gatehouse ledger verify --against checkpoint.txt',
  run: async (call) => {
    const against = await readCheckpoint(call)
    const report = await (await openHomeLedger(call.home)).verify(against)
    return { exit: report.ok ? 0 : FAULTS['ledger.corrupt'].exit, text: draw(report), json: jsonOf(report) }
  },
}

async function readCheckpoint(call: Call): Promise<string | undefined> {
  const path = call.option('against')
  if (path === undefined) return undefined
  try {
    const rules = { maxBytes: LIMITS.noteBytes, links: 'follow' } as const
    return (await readPlainFile(resolve(call.world.cwd, path), rules)).toString('utf8')
  } catch {
    throw wrongUsage('The file of --against cannot be read: it must be a plain file with a checkpoint.')
  }
}

function draw({ statement, origins, problems }: VerifyReport): string {
  const logs = origins.map(
    ({ origin, entries, signed }) => `  ${origin}: ${entries} entries, ${signed} signed`,
  )
  return [statement, ...logs, ...problems.map(({ place, what }) => `  problem: ${place}: ${what}`)].join('\n')
}

function jsonOf({ ok, entries, sinceOutside, lost, statement, origins, problems }: VerifyReport) {
  return {
    ok,
    entries,
    since_outside: sinceOutside,
    lost,
    statement,
    origins: origins.map(({ origin, entries: size, signed }) => ({ origin, entries: size, signed })),
    problems: problems.map(({ place, what }) => ({ place, what })),
  }
}
