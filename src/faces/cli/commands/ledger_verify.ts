import { resolve } from 'node:path'
import { asFault, Fault } from '#base/fault.ts'
import { FAULTS } from '#base/fault_table.ts'
import { LIMITS } from '#base/limits.ts'
import { readPlainFile } from '#base/plain_file.ts'
import { peekCheckpoint } from '#trust/ledger/checkpoint.ts'
import type { Holding } from '#trust/ledger/held_outside.ts'
import { checkpointsIn } from '#trust/ledger/receipt.ts'
import type { Call, Command } from '../command.ts'
import { printTime } from '../duration.ts'
import { openHomeLedger, type Verified } from '../home_ledger.ts'
import { wrongUsage } from '../usage.ts'

export const ledgerVerify: Command = {
  name: 'ledger verify',
  summary: 'check every entry, tree and signature, and say what that proves',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    {
      name: 'against',
      value: 'FILE',
      says: 'a checkpoint that was held elsewhere, alone or in a receipt: finds rollback and fork',
    },
  ],
  example: './gatehouse ledger verify --against checkpoint.txt',
  run: async (call) => {
    const against = await readCheckpoint(call)
    // The ledger is looked at whatever else is broken, but nobody is known then who holds anything.
    const view = await call.world.readConfig(call.home, call.config).catch(asFault)
    const unread = view instanceof Fault ? view : undefined
    const report = await (
      await openHomeLedger(call.home)
    ).verify(against, view instanceof Fault ? undefined : view)
    const wrong = report.ok ? unread?.code : 'ledger.corrupt'
    const exit = wrong === undefined ? 0 : FAULTS[wrong].exit
    return {
      exit,
      text: draw(report, unread),
      json: { ...jsonOf(report), not_compared: unread?.code ?? null },
    }
  },
}

async function readCheckpoint(call: Call): Promise<string | undefined> {
  const path = call.option('against')
  if (path === undefined) return undefined
  try {
    const rules = { maxBytes: LIMITS.receiptBytes, links: 'follow' } as const
    const text = (await readPlainFile(resolve(call.world.cwd, path), rules)).toString('utf8')
    // Of the wrong file nothing follows for the ledger.
    if (checkpointsIn(text).some((note) => peekCheckpoint(note) !== undefined)) return text
  } catch {
    throw wrongUsage('The file of --against cannot be read: it must be a plain file with a checkpoint.')
  }
  throw wrongUsage('The file of --against holds no checkpoint, alone or in a receipt.')
}

function draw(report: Verified, unread: Fault | undefined): string {
  const { statement, origins, problems } = report
  const logs = origins.map(
    ({ origin, entries, signed }) => `  ${origin}: ${entries} entries, ${signed} signed`,
  )
  return [
    statement,
    ...logs,
    ...(unread === undefined ? heldLines(report) : [`  ${NOT_COMPARED}: ${unread.message}`]),
    ...problems.map(({ place, what }) => `  problem: ${place}: ${what}`),
  ].join('\n')
}

const NOT_COMPARED =
  'not compared with what anchors and witnesses hold, because the configuration cannot be read'

/** What of the log in use nobody here can rewrite unnoticed, and what anybody can who owns this machine. */
function heldLines({ outside, origins, near }: Verified): readonly string[] {
  if (outside === undefined) return []
  const { witnessed, anchored } = outside
  const elsewhere = near.isAll ? undefined : anchored
  const entries = origins.find(({ origin }) => origin === outside.origin)?.entries ?? 0
  const rest = Math.max(0, entries - Math.max(witnessed?.entries ?? 0, elsewhere?.entries ?? 0))
  const held = [
    ...(witnessed === undefined ? [] : [`${witnessed.entries} by witnesses${since(witnessed)}`]),
    ...(anchored === undefined ? [] : [`${anchored.entries} by files that get copies`]),
  ]
  const what = held.length === 0 ? 'none that this machine knows of' : held.join(', ')
  return [
    `  held outside, of ${entries} entries: ${what}`,
    ...near.names.map((name) => `  on the disk of the ledger, where it shows accidents only: ${name}`),
    `  whoever owns this machine can rewrite ${rest} of them unnoticed`,
  ]
}

function since({ at }: Holding): string {
  return at === undefined ? '' : ` at ${printTime(at)}`
}

function heldJson(holding: Holding | undefined) {
  return holding === undefined ? null : { entries: holding.entries, at: holding.at ?? null }
}

function jsonOf({ ok, entries, sinceOutside, lost, statement, origins, problems, outside, near }: Verified) {
  return {
    ok,
    entries,
    since_outside: sinceOutside,
    held_outside: {
      witnessed: heldJson(outside?.witnessed),
      anchored: heldJson(outside?.anchored),
      near: near.names,
    },
    lost,
    statement,
    origins: origins.map(({ origin, entries: size, signed }) => ({ origin, entries: size, signed })),
    problems: problems.map(({ place, what }) => ({ place, what })),
  }
}
