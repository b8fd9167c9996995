import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Call, Command, OptionRow } from '../command.ts'

/** What shells give for a program that a signal ended. */
const ENDED_BY_SIGNAL = 128

const OPTIONS: readonly OptionRow[] = [
  { name: 'rounds', value: 'N', says: 'how many rounds, or starts' },
  { name: 'seconds', value: 'N', says: 'how long each lasts' },
  { name: 'quick', value: undefined, says: 'fewer and shorter rounds, for a first impression' },
  { name: 'profile', value: undefined, says: 'say where the time of the door goes instead' },
  { name: 'concurrency', value: 'N', says: 'with --profile: requests at once' },
]

export const bench: Command = {
  name: 'bench',
  summary: 'measure on this machine: door, streams, attacks, ledger, callers, cedar, telemetry or start',
  words: '[WHAT]',
  wordCount: { least: 0, most: 1 },
  options: OPTIONS,
  example: './gatehouse bench door --json',
  run: async (call) => {
    const program = join(call.world.project, 'bench/bench.ts')
    const words = [...process.execArgv, program, ...call.words, ...switchesOf(call)]
    const child = spawn(process.execPath, words, { stdio: 'inherit' })
    call.world.onStop(() => child.kill('SIGTERM'))
    const exit = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status) => resolve(status ?? ENDED_BY_SIGNAL))
    })
    return { exit, text: '', json: undefined }
  },
}

function switchesOf(call: Call): readonly string[] {
  const given = OPTIONS.flatMap(({ name, value }) => {
    const text = call.option(name)
    if (value !== undefined) return text === undefined ? [] : [`--${name}`, text]
    return call.isOn(name) ? [`--${name}`] : []
  })
  return call.isJson ? [...given, '--json'] : given
}
