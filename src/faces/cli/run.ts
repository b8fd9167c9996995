import { isAbsolute, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { asFault, type Fault } from '#base/fault.ts'
import { FAULTS } from '#base/fault_table.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { COMMON_OPTIONS, type Answer, type Call, type Command, type OptionRow } from './command.ts'
import { COMMANDS } from './commands/all.ts'
import { defaultHome } from './default_home.ts'
import { printCommandHelp, printHelp } from './help.ts'
import { nearest } from '#base/nearest.ts'
import { placeOf } from '#trust/ledger/place_of.ts'
import { wrongUsage } from './usage.ts'
import { visibleJson, visibleText } from './visible.ts'
import type { World } from './world.ts'

/** Runs one command line, without the program's name, and gives the exit status. Never rejects. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  const isJson = argv.includes('--json')
  try {
    const answer = await answerTo(argv, world)
    if (isJson && answer.json !== undefined) world.stdout.write(`${visibleJson(answer.json)}\n`)
    if (!isJson && answer.text !== '') world.stdout.write(`${textOf(answer, world)}\n`)
    return answer.exit
  } catch (thrown) {
    return tellFault(withHelp(asFault(thrown), argv), isJson, world)
  }
}

function textOf({ text, isExact = false }: Answer, { isTty }: World): string {
  return isExact && !isTty ? text : visibleText(text)
}

async function answerTo(argv: readonly string[], world: World): Promise<Answer> {
  const [first] = argv
  if (first === undefined || first === '--help' || first === 'help') return said(printHelp(COMMANDS))
  if (first === '--version') return said(`gatehouse ${world.version}`)
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `))
  const isGroup = group.length > 0 && COMMANDS.every(({ name }) => name !== first)
  if (isGroup && argv[1] === '--help') return said(printHelp(group))
  const command = findCommand(argv)
  const call = readCall(command, argv.slice(command.name.split(' ').length), world)
  if (call.isOn('help')) return said(printCommandHelp(command))
  checkWords(command, call.words)
  return await command.run(call)
}

function said(text: string): Answer {
  return { exit: 0, text, json: { text } }
}

function commandOf(argv: readonly string[]): Command | undefined {
  return [argv.slice(0, 3), argv.slice(0, 2), argv.slice(0, 1)]
    .map((words) => COMMANDS.find(({ name }) => name === words.join(' ')))
    .find((command) => command !== undefined)
}

function findCommand(argv: readonly string[]): Command {
  const [first = '', second = ''] = argv
  const found = commandOf(argv)
  if (found !== undefined) return found
  const names = COMMANDS.map(({ name }) => name)
  const groups = names.filter((name) => name.startsWith(`${first} `))
  if (groups.length > 0 && (second === '' || second.startsWith('-')))
    throw wrongUsage(`It takes one of: ${groups.join(', ')}.`)
  const near = nearest(`${first} ${second}`.trimEnd(), names) ?? nearest(first, names) ?? groups[0]
  throw wrongUsage('There is no such command.', near === undefined ? undefined : `gatehouse ${near}`)
}

function readCall(command: Command, args: readonly string[], world: World): Call {
  const rows = [...command.options, ...COMMON_OPTIONS]
  const options = Object.fromEntries(rows.map((row) => [row.name, { type: typeOf(row) } as const]))
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const given = tokens.filter((token) => token.kind === 'option')
  for (const token of given) checkOption(token, rows)
  checkOnce(given, rows)
  const option = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const homeGiven = option('home') ?? world.env['GATEHOUSE_HOME']
  const config = option('config')
  return {
    world,
    home: homeGiven === undefined ? defaultHome(world) : absolute(homeGiven, world),
    config: config === undefined ? undefined : absolute(config, world),
    isJson: values['json'] === true,
    words: positionals,
    option,
    isOn: (name) => values[name] === true,
  }
}

function typeOf(row: OptionRow): 'string' | 'boolean' {
  return row.value === undefined ? 'boolean' : 'string'
}

function absolute(path: string, world: World): string {
  return isAbsolute(path) ? path : resolve(world.cwd, path)
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function checkOption(token: OptionToken, rows: readonly OptionRow[]): void {
  const row = rows.find(({ name }) => name === token.name && token.rawName.startsWith('--'))
  if (row === undefined) {
    const near = nearest(
      token.name,
      rows.map(({ name }) => name),
    )
    throw wrongUsage('There is no such option.', near === undefined ? undefined : `--${near}`)
  }
  // "--name --home x" forgot the name; a value that does begin with a dash is given as --name=-x.
  const hasValue = token.value !== undefined && (token.inlineValue === true || !token.value.startsWith('-'))
  if (row.value !== undefined && !hasValue) throw wrongUsage(`--${row.name} needs a value: ${row.value}.`)
  if (row.value === undefined && hasValue) throw wrongUsage(`--${row.name} takes no value.`)
}

/** Of two values one would be dropped without a word; a switch that is on twice is on. */
function checkOnce(given: readonly OptionToken[], rows: readonly OptionRow[]): void {
  for (const { name, value } of rows)
    if (value !== undefined && given.filter((token) => token.name === name).length > 1)
      throw wrongUsage(`--${name} may be given only once.`)
}

function checkWords(command: Command, words: readonly string[]): void {
  const { least, most } = command.wordCount
  if (words.length >= least && words.length <= most) return
  const wanted = command.words === '' ? 'nothing more' : command.words
  throw wrongUsage(`"gatehouse ${command.name}" takes ${wanted}.`)
}

interface Told {
  readonly fault: Fault
  readonly hint: string
}

/** What is wrong with a command line is told by the help of its command. */
function withHelp(fault: Fault, argv: readonly string[]): Told {
  const { hint } = FAULTS[fault.code]
  const command = commandOf(argv)
  if (fault.code !== 'usage.wrong' || command === undefined) return { fault, hint }
  return { fault, hint: `See "gatehouse ${command.name} --help".` }
}

function tellFault({ fault, hint }: Told, isJson: boolean, world: World): number {
  const { title, exit } = FAULTS[fault.code]
  const detail = fault.say ?? placeIn(fault) ?? title
  const problems = problemsOf(fault)
  if (isJson) {
    const listed = problems.length === 0 ? {} : { problems }
    const error = { code: fault.code, title, detail, hint, exit, ...listed }
    world.stdout.write(`${visibleJson({ error })}\n`)
  } else {
    const lines = problems.map(printProblem)
    const text = [`gatehouse: ${detail} (${fault.code})`, ...lines, `  ${hint}`, ''].join('\n')
    world.stderr.write(visibleText(text))
  }
  return exit
}

/** Whoever reads the ledger of this home may know where it is damaged. */
function placeIn(fault: Fault): string | undefined {
  if (fault.code !== 'ledger.corrupt' || fault.detail['place'] === undefined) return undefined
  const { place, what } = placeOf(fault)
  return `${place}: ${what}`
}

/** A configuration is refused with all its problems at once; none of them holds a value. */
function problemsOf(fault: Fault): readonly JsonObject[] {
  const { problems } = fault.detail
  return fault.code === 'config.invalid' && Array.isArray(problems)
    ? problems.filter((row) => isJsonObject(row))
    : []
}

/** The message continues the path, as in "models.x.key must be a reference". */
function printProblem({ path, line, column, message }: JsonObject): string {
  return `  ${printed(line)}:${printed(column)}  ${printed(path)} ${printed(message)}`
}

function printed(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
