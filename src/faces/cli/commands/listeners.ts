import type { Command } from '../command.ts'
import { readRunning } from '../running.ts'
import { drawTable } from '../table.ts'
import type { ListenerRow } from '../world.ts'

const WHO_MAY = {
  socket: 'the owner of the home',
  loopback: 'this machine',
  tls: 'anyone with a credential, over TLS',
  insecure: 'trusted proxies, in plain text by declared exception',
  exposed: 'nobody: the door will not open like this',
} as const

export const listeners: Command = {
  name: 'listeners',
  summary: 'print each listener with the rule it is under',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse listeners',
  run: async ({ home, config, world }) => {
    const running = await readRunning(home)
    const rows = running?.listeners ?? (await world.readConfig(home, config)).listeners
    const from = running === undefined ? 'configured; no door is running' : `open, by process ${running.pid}`
    const head = ['LISTENER', 'ADDRESS', 'RULE', 'WHO MAY']
    const lines = rows.map((row) => [row.name, row.address, row.rule, whoMay(row)])
    return {
      exit: 0,
      text: `${drawTable(head, lines)}\n(${from})`,
      json: { running: running !== undefined, listeners: rows },
    }
  },
}

function whoMay({ rule, expires }: ListenerRow): string {
  return expires === null ? WHO_MAY[rule] : `${WHO_MAY[rule]}, until ${expires.slice(0, 10)}`
}
