import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from '../command.ts'

/** What shells give for a program that a signal ended. */
const ENDED_BY_SIGNAL = 128

export const bench: Command = {
  name: 'bench',
  summary: 'measure this machine: the door beside bare proxies',
  words: '[door]',
  wordCount: { least: 0, most: 1 },
  options: [{ name: 'quick', value: undefined, says: 'fewer and shorter rounds, for a first impression' }],
  example: './gatehouse bench door --json',
  run: async (call) => {
    const switches = [...(call.isJson ? ['--json'] : []), ...(call.isOn('quick') ? ['--quick'] : [])]
    const words = [join(call.world.project, 'bench/bench.ts'), ...call.words, ...switches]
    const child = spawn(process.execPath, [...process.execArgv, ...words], { stdio: 'inherit' })
    call.world.onStop(() => child.kill('SIGTERM'))
    const exit = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status) => resolve(status ?? ENDED_BY_SIGNAL))
    })
    return { exit, text: '', json: undefined }
  },
}
