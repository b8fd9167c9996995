import { COMMON_OPTIONS, type Command, type OptionRow } from './command.ts'

/** The help of the whole program. */
export function printHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => usageOf(command).length))
  return [
    'gatehouse: one guarded door in front of your models and your data',
    '',
    'Usage: gatehouse COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${usageOf(command).padEnd(width)}  ${command.summary}`),
    '',
    'Every command takes:',
    ...optionLines(COMMON_OPTIONS),
    '',
    '"gatehouse COMMAND --help" tells more. Exit statuses are listed in docs/reference/faults.md.',
  ].join('\n')
}

/** The help of one command. */
export function printCommandHelp(command: Command): string {
  const own = command.options.length === 0 ? [] : ['', 'Options:', ...optionLines(command.options)]
  return [
    `gatehouse ${command.name}: ${command.summary}`,
    '',
    `Usage: gatehouse ${usageOf(command)} [OPTIONS]`,
    ...own,
    '',
    'Every command takes:',
    ...optionLines(COMMON_OPTIONS),
    '',
    'Example:',
    `  ${command.example}`,
  ].join('\n')
}

function usageOf(command: Command): string {
  return command.words === '' ? command.name : `${command.name} ${command.words}`
}

function optionLines(options: readonly OptionRow[]): readonly string[] {
  const shown = options.map((row) =>
    row.value === undefined ? `--${row.name}` : `--${row.name} ${row.value}`,
  )
  const width = Math.max(...shown.map((text) => text.length))
  return options.map((row, place) => `  ${(shown[place] ?? '').padEnd(width)}  ${row.says}`)
}
