import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { listFiles, ROOT } from './files.ts'
import { EQUIVALENT, type Equivalent } from './mutation/equivalent.ts'
import { LEDGER_EQUIVALENT } from './mutation/equivalent_ledger.ts'
import { LEDGER_PIECES } from './mutation/ledger_pieces.ts'

/** A folder, or a piece of one, whose tests must notice when its code is changed. */
export interface Target {
  readonly name: string
  readonly folder: string
  /** Where one run has no time for the whole folder: names of files without `.ts`; a test `x.test.ts` goes with `x`. */
  readonly only?: readonly string[]
  /** Tests of other folders that hold this one to its promises. */
  readonly alsoTests: readonly string[]
  /** Titles of tests that measure time: mutated code is several times slower. */
  readonly leftOut: readonly string[]
}

export const TARGETS: readonly Target[] = [
  {
    name: 'cedar',
    folder: 'src/trust/cedar',
    alsoTests: [],
    leftOut: ['compile takes any 64 KB in 50 ms'],
  },
  {
    name: 'access',
    folder: 'src/trust/access',
    alsoTests: ['test/policies/scope_and_policies.test.ts'],
    leftOut: ['authenticate takes the same time'],
  },
  { name: 'tokens', folder: 'src/trust/access/tokens', alsoTests: [], leftOut: [] },
  { name: 'issued', folder: 'src/trust/access/issued', alsoTests: [], leftOut: [] },
  { name: 'possession', folder: 'src/trust/access/possession', alsoTests: [], leftOut: [] },
  { name: 'limits', folder: 'src/door/limits', alsoTests: [], leftOut: [] },
  ...LEDGER_PIECES,
]

/** The files of a target: those of its folder that it names, but of none that is a target of its own. */
export function filesOf(
  { folder, only }: Pick<Target, 'folder' | 'only'>,
  targets: readonly Pick<Target, 'folder'>[],
  files: readonly string[],
): readonly string[] {
  const inner = targets.filter((other) => other.folder.startsWith(`${folder}/`))
  const isIn = (file: string, target: Pick<Target, 'folder'>): boolean => file.startsWith(`${target.folder}/`)
  const isNamed = (file: string): boolean =>
    only === undefined || only.some((name) => [`${name}.ts`, `${name}.test.ts`].includes(path.basename(file)))
  return files.filter(
    (file) => isIn(file, { folder }) && isNamed(file) && !inner.some((other) => isIn(file, other)),
  )
}

const FOLDER = path.join(ROOT, 'tools/mutation')
const PROGRAM = path.join(FOLDER, 'node_modules/@stryker-mutator/core/bin/stryker.js')
const INSTALL_MS = 5 * 60_000
/** A little less than `npm run slow` gives one test. */
const RUN_MS = 19 * 60_000
/** What a loop that never ends may cost; most are stopped sooner, by counting how often the mutant is reached. */
const MUTANT_MS = 5_000
const RELOADS_MAX = 400

/** Installs Stryker into its own folder, by its own lockfile; why it is absent, or undefined. */
export function installStryker(): string | undefined {
  if (isInstalled()) return undefined
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync('npm', words, { cwd: FOLDER, encoding: 'utf8', timeout: INSTALL_MS })
  if (result.status === 0) return undefined
  return `npm ci failed: ${result.error?.message ?? result.stderr.trim().split('\n').slice(0, 2).join(' ')}`
}

function isInstalled(): boolean {
  const wanted = JSON.parse(fs.readFileSync(path.join(FOLDER, 'package.json'), 'utf8')).dependencies
  return Object.entries(wanted).every(([name, version]) => {
    const file = path.join(FOLDER, 'node_modules', name, 'package.json')
    return fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')).version === version
  })
}

export interface Score {
  /** How many of 100 mutants the tests noticed. */
  readonly percent: number
  readonly mutants: number
  /** A line for each mutant that no test noticed. */
  readonly survivors: readonly string[]
}

export interface Mutated extends Score {
  /** The file with the score and the survivors. */
  readonly list: string
}

/** Mutates the folder of a target in a copy of the project and runs its tests against each mutant. */
export function mutate(target: Target): Mutated {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-mutation-'))
  try {
    const report = path.join(scratch, 'report.json')
    const config = path.join(scratch, 'stryker.config.json')
    fs.writeFileSync(config, JSON.stringify(configure(target, scratch, report)))
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(scratch, 'node_modules'))
    const words = ['--no-warnings', PROGRAM, 'run', config]
    const env = { ...process.env, GATEHOUSE_SLOW: '' }
    // Its progress goes beside our own output, which a test's process keeps for results.
    spawnSync(process.execPath, words, { cwd: ROOT, env, stdio: ['ignore', 2, 2], timeout: RUN_MS })
    if (!fs.existsSync(report)) throw new Error('Stryker gave no report')
    const score = judgeReport(JSON.parse(fs.readFileSync(report, 'utf8')), [
      ...EQUIVALENT,
      ...LEDGER_EQUIVALENT,
    ])
    const list = path.join('coverage', 'mutation', `${target.name}.txt`)
    fs.mkdirSync(path.dirname(path.join(ROOT, list)), { recursive: true })
    fs.writeFileSync(path.join(ROOT, list), `${[sum(target, score), ...score.survivors].join('\n')}\n`)
    return { ...score, list }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** What is mutated, in words. */
export function placeOf({ name, folder, only }: Target): string {
  return only === undefined ? folder : `${folder} (${name})`
}

function sum(target: Target, { percent, mutants }: Score): string {
  return `${placeOf(target)}: ${percent.toFixed(1)} % of ${mutants} mutants noticed`
}

function configure(target: Target, scratch: string, report: string): object {
  const files = filesOf(target, TARGETS, listFiles([target.folder])).filter((file) => file.endsWith('.ts'))
  const isTest = (file: string): boolean => file.endsWith('.test.ts')
  return {
    mutate: files.filter((file) => !isTest(file)),
    // With a tsconfig.json Stryker asks for functions that TypeScript 7 does not have.
    ignorePatterns: ['.gatehouse', 'bench', 'coverage', 'docs', 'tools', 'tsconfig.json'],
    testRunner: 'node-test',
    plugins: [path.join(FOLDER, 'node_test_runner.ts')],
    nodeTest: { files: [...files.filter(isTest), ...target.alsoTests], leftOut: target.leftOut },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // Files that are loaded anew for a mutant stay in memory.
    maxTestRunnerReuse: RELOADS_MAX,
    testRunnerNodeArgs: ['--no-warnings'],
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    // The copy finds the packages in the folder above it.
    symlinkNodeModules: false,
    tempDirName: path.join(scratch, 'sandbox'),
    timeoutMS: MUTANT_MS,
    // Of the time in the first run, where what is come by is counted: without that it is a third.
    timeoutFactor: 0.5,
    warnings: { slow: false },
    allowConsoleColors: false,
  }
}

/** The report of a run, as far as it is read (mutation-testing-report-schema). */
export interface Report {
  readonly files: Readonly<
    Record<string, { readonly source: string; readonly mutants: readonly ReportedMutant[] }>
  >
}

export interface ReportedMutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: Position; readonly end: Position }
}

/** Both counted from 1. */
interface Position {
  readonly line: number
  readonly column: number
}

/** Stryker's mutation score: killed and timed out, of those and the ones that survived or that no test came by. */
export function judgeReport(report: Report, equivalent: readonly Equivalent[]): Score {
  const survivors: string[] = []
  let detected = 0
  for (const [file, { source, mutants }] of Object.entries(report.files)) {
    const lines = source.split('\n')
    for (const mutant of mutants) {
      if (mutant.status === 'Killed' || mutant.status === 'Timeout') detected += 1
      if (mutant.status === 'Survived' || mutant.status === 'NoCoverage')
        survivors.push(describe(file, lines, mutant, equivalent))
    }
  }
  const mutants = detected + survivors.length
  return { percent: mutants === 0 ? 0 : (100 * detected) / mutants, mutants, survivors }
}

function describe(
  file: string,
  lines: readonly string[],
  mutant: ReportedMutant,
  equivalent: readonly Equivalent[],
): string {
  const { start, end } = mutant.location
  const first = lines[start.line - 1] ?? ''
  const before = start.line === end.line ? first.slice(start.column - 1, end.column - 1) : first.trim()
  const change = `${before} -> ${(mutant.replacement ?? mutant.mutatorName).replaceAll(/\s+/g, ' ')}`
  const known = equivalent.find((one) => file.endsWith(`/${one.file}`) && one.changes.includes(change))
  const unseen = mutant.status === 'NoCoverage' ? 'no test comes by' : ''
  const note = known === undefined ? unseen : `the same: ${known.reason}`
  return `${file}:${start.line}:${start.column} ${change}${note === '' ? '' : ` (${note})`}`
}

if (import.meta.main) {
  const absent = installStryker()
  if (absent !== undefined) throw new Error(absent)
  const words = process.argv.slice(2)
  for (const target of TARGETS.filter(({ name }) => words.length === 0 || words.includes(name))) {
    const score = mutate(target)
    console.log([...score.survivors, sum(target, score), `the list: ${score.list}`].join('\n'))
  }
}
