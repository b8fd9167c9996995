import fs from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { listFiles, readText, ROOT } from './files.ts'
import { tokenize } from './tokens.ts'

/** One `coverage-*.json` that a process with NODE_V8_COVERAGE left, as far as it is read here. */
interface ProcessCoverage {
  readonly result: readonly { readonly url: string; readonly functions: readonly FunctionCoverage[] }[]
}

interface FunctionCoverage {
  readonly isBlockCoverage: boolean
  readonly ranges: readonly {
    readonly startOffset: number
    readonly endOffset: number
    readonly count: number
  }[]
}

export interface FileCoverage {
  readonly file: string
  /** False when no process of the run loaded the file. */
  readonly isLoaded: boolean
  readonly lines: number
  readonly branches: number
  readonly missedLines: readonly number[]
  readonly missedBranches: readonly number[]
}

/** What must be covered, in percent; `places` are folders of the root. */
export interface Bar {
  readonly place: string
  readonly lines: number
  readonly branches: number
}

/** The audited core is held higher; `ARCHITECTURE.md` says why. */
export const BARS: readonly Bar[] = [
  { place: 'src/base', lines: 95, branches: 90 },
  { place: 'src/trust', lines: 95, branches: 90 },
  { place: 'src/door', lines: 95, branches: 90 },
  { place: 'src', lines: 90, branches: 0 },
]

/**
 * Joins what every process of a test run covered: unit tests, journeys and the servers these started. A character is
 * covered when any process ran it; a line when any of its code is; a branch is a range that V8 counted apart in any
 * process. Lines of types, comments and lone brackets do not count, so a file of types alone needs no test, while any other
 * file that no process loaded counts as wholly missed.
 */
export function mergeCoverage(folder: string, files: readonly string[], root: string = ROOT): FileCoverage[] {
  const maps = new Map<string, FileMap>()
  for (const file of files) {
    maps.set(pathToFileURL(path.join(root, file)).href, openMap(file, readText(file, root)))
  }
  for (const name of fs.readdirSync(folder)) {
    if (!/^coverage-.*\.json$/.test(name)) continue
    const { result } = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as ProcessCoverage
    for (const { url, functions } of result) {
      const map = maps.get(url.replace(/\?.*$/, ''))
      if (map !== undefined) addProcess(map, functions)
    }
  }
  return [...maps.values()].map(closeMap)
}

interface FileMap {
  readonly file: string
  readonly source: string
  /** 1 where there is code that can run. */
  readonly code: Uint8Array
  /** 1 where some process ran it. */
  readonly ran: Uint8Array
  readonly branches: Set<string>
}

function openMap(file: string, source: string): FileMap {
  return { file, source, code: findCode(source), ran: new Uint8Array(source.length), branches: new Set() }
}

/** Types are blanked by Node itself at the same offsets; what is left of comments and brackets falls away here. */
function findCode(source: string): Uint8Array {
  const code = new Uint8Array(source.length)
  for (const { kind, text, start } of tokenize(stripTypeScriptTypes(source))) {
    if (kind !== 'mark') code.fill(1, start, start + text.length)
  }
  return code
}

function addProcess(map: FileMap, functions: readonly FunctionCoverage[]): void {
  const ran = new Uint8Array(map.source.length).fill(1)
  // Outer ranges come first, so an inner one overwrites its own part.
  const ranges = functions.flatMap((one) =>
    one.ranges.map((range, at) => ({ ...range, isWhole: at === 0, one })),
  )
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  for (let at = 0; at < ran.length; at += 1) if (ran[at] === 1) map.ran[at] = 1
  for (const { startOffset, endOffset, isWhole, one } of ranges) {
    if (one.isBlockCoverage || isWhole) map.branches.add(`${startOffset}:${endOffset}`)
  }
}

function closeMap({ file, source, code, ran, branches }: FileMap): FileCoverage {
  const missedLines: number[] = []
  let [start, lines] = [0, 0]
  source.split('\n').forEach((text, index) => {
    const end = start + text.length
    const isCode = code.subarray(start, end).includes(1)
    if (isCode) lines += 1
    if (isCode && !hasBoth(code, ran, start, end)) missedLines.push(index + 1)
    start = end + 1
  })
  const ranges = [...branches].map((range) => range.split(':').map(Number) as [number, number])
  const withCode = ranges.filter(([from, to]) => code.subarray(from, to).includes(1))
  const missed = withCode.filter(([from, to]) => !hasBoth(code, ran, from, to))
  const missedBranches = missed.map(([from]) => source.slice(0, from).split('\n').length)
  return {
    file,
    isLoaded: branches.size > 0,
    lines,
    branches: withCode.length,
    missedLines,
    missedBranches: missedBranches.toSorted((a, b) => a - b),
  }
}

function hasBoth(code: Uint8Array, ran: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (code[at] === 1 && ran[at] === 1) return true
  return false
}

/** The sources that must be in the report, from the disk: a file that nothing imports is found by being missed. */
export function listSources(root: string = ROOT): string[] {
  return listFiles(['src'], root).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
}

/** A table of bars, and for each one not reached the files that miss most. */
export function judgeCoverage(
  covered: readonly FileCoverage[],
  bars: readonly Bar[],
): { isGood: boolean; text: string } {
  const text: string[] = []
  let isGood = true
  for (const bar of bars) {
    const inside = covered.filter(({ file }) => file.startsWith(`${bar.place}/`))
    const lines = percent(inside, 'lines', 'missedLines')
    const branches = percent(inside, 'branches', 'missedBranches')
    const isReached = inside.length > 0 && lines >= bar.lines && branches >= bar.branches
    const state = isReached ? 'ok  ' : 'FAIL'
    const sums = `lines ${lines.toFixed(1)} % (${bar.lines}), branches ${branches.toFixed(1)} % (${bar.branches})`
    text.push(`${state} ${bar.place}: ${inside.length} files, ${sums}`)
    if (!isReached) text.push(...worst(inside))
    isGood &&= isReached
  }
  for (const { file } of covered.filter(({ isLoaded, lines }) => !isLoaded && lines > 0)) {
    text.push(`FAIL ${file}: in no report, because nothing loaded it`)
    isGood = false
  }
  return { isGood, text: text.join('\n') }
}

function percent(
  files: readonly FileCoverage[],
  all: 'lines' | 'branches',
  missed: 'missedLines' | 'missedBranches',
): number {
  const total = files.reduce((sum, file) => sum + file[all], 0)
  const bad = files.reduce((sum, file) => sum + file[missed].length, 0)
  return total === 0 ? 100 : (100 * (total - bad)) / total
}

const WORST = 15

function worst(files: readonly FileCoverage[]): string[] {
  return files
    .filter(({ missedLines, missedBranches }) => missedLines.length + missedBranches.length > 0)
    .toSorted((a, b) => weigh(b) - weigh(a))
    .slice(0, WORST)
    .map(({ file, missedLines, missedBranches }) => {
      const branches = missedBranches.length === 0 ? '' : `; branches at ${spans(missedBranches)}`
      return `     ${file}: lines ${missedLines.length === 0 ? 'none' : spans(missedLines)}${branches}`
    })
}

function weigh({ missedLines, missedBranches }: FileCoverage): number {
  return missedLines.length + missedBranches.length
}

/** `[1, 2, 3, 7]` -> `1-3 7`. */
function spans(numbers: readonly number[]): string {
  const parts: [number, number][] = []
  for (const number of new Set(numbers)) {
    const last = parts.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else parts.push([number, number])
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ')
}

if (import.meta.main) {
  const folder = process.argv[2]
  if (folder === undefined) throw new Error('say the folder that NODE_V8_COVERAGE named')
  const place = folder.startsWith('file:') ? fileURLToPath(folder) : folder
  const { isGood, text } = judgeCoverage(mergeCoverage(place, listSources()), BARS)
  console.log(text)
  process.exitCode = isGood ? 0 : 1
}
