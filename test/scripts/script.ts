import assert from 'node:assert/strict'
import { gatehouse, type CliResult } from '../support/gatehouse_process.ts'

/**
 * One line of a script, told by its first character:
 *
 *     $ key list --json     a command line of gatehouse; words are split at spaces, {NAME} is a captured text
 *     > text                the next line of standard output, … stands for anything
 *     ! text                the next line of standard error
 *     ? 64                  the exit status; 0 when it is not said
 *     = NAME pattern        captures the first group of the pattern in standard output
 *
 * Lines that begin otherwise are prose. A command without any > or ! may print what it wants.
 */
export interface Step {
  readonly line: number
  readonly command: string
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  readonly status: number
  readonly captures: readonly (readonly [name: string, pattern: string])[]
}

type Draft = {
  -readonly [Name in keyof Step]: Step[Name] extends readonly (infer Item)[] ? Item[] : Step[Name]
}

export function parseScript(text: string): readonly Step[] {
  const steps: Draft[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const rest = line.slice(2)
    if (line.startsWith('$ '))
      steps.push({ line: at + 1, command: rest, stdout: [], stderr: [], status: 0, captures: [] })
    const step = steps.at(-1)
    if (step === undefined) continue
    if (line.startsWith('> ') || line === '>') step.stdout.push(rest)
    if (line.startsWith('! ') || line === '!') step.stderr.push(rest)
    if (line.startsWith('? ')) step.status = Number(rest)
    const capture = line.startsWith('= ') ? /^(\w+) (.+)$/.exec(rest) : null
    if (capture !== null) step.captures.push([capture[1] ?? '', capture[2] ?? ''])
  }
  return steps
}

/** Runs the steps one after the other, each in a process of its own, on one home. */
export async function runScript(
  steps: readonly Step[],
  home: string,
  known: Readonly<Record<string, string>>,
) {
  const values = new Map(Object.entries(known))
  const filled = (text: string) => text.replaceAll(/\{(\w+)\}/g, (whole, name) => values.get(name) ?? whole)
  for (const step of steps) {
    const words = filled(step.command)
      .split(' ')
      .filter((word) => word !== '')
    const result = await gatehouse(words, { GATEHOUSE_HOME: home })
    const place = `line ${step.line}: ${step.command}`
    assert.equal(result.status, step.status, `${place}\n${result.stdout}${result.stderr}`)
    checkOutput(step, result, filled, place)
    for (const [name, pattern] of step.captures) {
      const found = new RegExp(pattern).exec(result.stdout)?.[1]
      assert.ok(found !== undefined, `${place}: nothing matches ${pattern}\n${result.stdout}`)
      values.set(name, found)
    }
  }
}

function checkOutput(step: Step, result: CliResult, filled: (text: string) => string, place: string): void {
  const wanted = [step.stdout, step.stderr].map((lines) => lines.map(filled).join('\n'))
  const got = [result.stdout, result.stderr].map((text) => text.trimEnd())
  for (const [at, text] of wanted.entries())
    if (step.stdout.length + step.stderr.length > 0)
      assert.ok(matches(text, got[at] ?? ''), `${place}\nwanted:\n${text}\ngot:\n${got[at] ?? ''}`)
}

/** True when the text is the pattern, in which … stands for any characters but line breaks, alone on a line for any lines. */
export function matches(pattern: string, text: string): boolean {
  const lines = pattern.split('\n').map((line) => (line.trim() === '…' ? '[\\s\\S]*' : lineForm(line)))
  return new RegExp(
    `^${lines.join('\n').replaceAll('[\\s\\S]*\n', '(?:[\\s\\S]*\n)?').replaceAll('\n[\\s\\S]*', '(?:\n[\\s\\S]*)?')}$`,
  ).test(text)
}

function lineForm(line: string): string {
  return line
    .split('…')
    .map((part) => RegExp.escape(part.trimEnd()))
    .join('[^\\n]*')
}
