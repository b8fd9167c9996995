import fs from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import { keepTests, runKept, type KeptTest } from './node_test_stand_in.ts'

/** What the run's configuration says to this plug-in. */
interface Options {
  readonly nodeTest: {
    readonly files: readonly string[]
    /** Titles of tests that measure time: instrumented code is several times slower. */
    readonly leftOut: readonly string[]
  }
}

interface MutantRun {
  readonly activeMutant: { readonly id: string; readonly fileName: string }
  readonly testFilter?: readonly string[]
  readonly hitLimit?: number
  readonly reloadEnvironment: boolean
}

/** What instrumented code looks at: its names are Stryker's (instrumenter/src/util/syntax-helpers). */
interface Namespace {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: unknown
}

const STATUS = { success: 0, failed: 1 } as const

const COUNTING = 'function cover() {'
const BESIDE_FIRST = 10

/** How long each test took with no mutant, for the processes that come later; in Stryker's copy of the project. */
const TIMES = 'test_times.json'

/**
 * A test runner for Stryker that keeps the test files loaded: a mutant that is switched on at run time costs
 * milliseconds, where a process for each test file costs 200. For a mutant in code that runs when a file is loaded all
 * files are loaded anew, in the same process.
 */
class NodeTestRunner {
  static readonly inject = ['options'] as const
  readonly #options: Options
  readonly #namespace: Namespace
  #tests: Promise<readonly KeptTest[]> | undefined

  constructor(options: Options) {
    this.#options = options
    const place = globalThis as { __stryker__?: Namespace }
    this.#namespace = place.__stryker__ ??= {}
  }

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true }
  }

  /** Runs every test and tells which mutants it came by. */
  async dryRun(): Promise<unknown> {
    const tests = []
    const times: Record<string, number> = {}
    for (const kept of await this.#load()) {
      this.#namespace.currentTestId = kept.id
      const started = performance.now()
      const failure = await runKept(kept)
      const timeSpentMs = (times[kept.id] = performance.now() - started)
      const known = { id: kept.id, name: kept.id, timeSpentMs }
      this.#namespace.currentTestId = undefined
      if (failure === undefined) tests.push({ ...known, status: STATUS.success })
      else tests.push({ ...known, status: STATUS.failed, failureMessage: failure })
    }
    fs.writeFileSync(TIMES, JSON.stringify(times))
    return { status: 'complete', tests, mutantCoverage: this.#namespace.mutantCoverage }
  }

  /** Runs the tests that come by the mutant until one fails: first those beside its file, then the quick ones. */
  async mutantRun({ activeMutant, testFilter, hitLimit, reloadEnvironment }: MutantRun): Promise<unknown> {
    const { id, fileName } = activeMutant
    if (reloadEnvironment) this.#tests = undefined
    Object.assign(this.#namespace, {
      activeMutant: id,
      hitLimit,
      hitCount: hitLimit === undefined ? undefined : 0,
    })
    try {
      const beside = `${path.basename(fileName, '.ts')}.test.ts`
      const times: Record<string, number> = JSON.parse(fs.readFileSync(TIMES, 'utf8'))
      const wait = ({ id, file }: KeptTest): number =>
        (times[id] ?? 0) / (file.endsWith(`/${beside}`) ? BESIDE_FIRST : 1)
      const chosen = (await this.#load())
        .filter((kept) => testFilter === undefined || testFilter.includes(kept.id))
        .toSorted((a, b) => wait(a) - wait(b))
      return await this.#runUntilKilled(chosen)
    } catch (error) {
      // The files could not even be loaded.
      return { status: 'killed', killedBy: ['load'], failureMessage: String(error), nrOfTests: 0 }
    } finally {
      this.#namespace.activeMutant = undefined
    }
  }

  async #runUntilKilled(chosen: readonly KeptTest[]): Promise<unknown> {
    let nrOfTests = 0
    for (const kept of chosen) {
      nrOfTests += 1
      const failure = await runKept(kept)
      const { hitCount = 0, hitLimit = Infinity } = this.#namespace
      if (hitCount > hitLimit) return { status: 'timeout', reason: 'hit limit' }
      if (failure !== undefined)
        return { status: 'killed', killedBy: [kept.id], failureMessage: failure, nrOfTests }
    }
    return { status: 'survived', nrOfTests }
  }

  /** Loads late: a static mutant must be on by then. The current folder is Stryker's copy of the project. */
  #load(): Promise<readonly KeptTest[]> {
    const { files, leftOut } = this.#options.nodeTest
    const isLeftOut = (kept: KeptTest): boolean => leftOut.some((title) => kept.id.includes(title))
    if (this.#tests === undefined) {
      generation += 1
      const load = (file: string): Promise<unknown> => import(pathToFileURL(path.resolve(file)).href)
      this.#tests = keepTests(files, load).then((tests) => tests.filter((kept) => !isLeftOut(kept)))
    }
    return this.#tests
  }
}

/** Files of the copy are loaded anew when this changes: it is part of their addresses. */
let generation = 0
const stripped = new Map<string, string>()

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'node:test')
      return { url: new URL('./node_test_stand_in.ts', import.meta.url).href, shortCircuit: true }
    const resolved = next(specifier, context)
    const isOfCopy = resolved.url.startsWith(`${pathToFileURL(process.cwd()).href}/`)
    return isOfCopy ? { ...resolved, url: `${resolved.url}?generation=${generation}` } : resolved
  },
  load(url, context, next) {
    const [place = '', query] = url.split('?')
    if (query === undefined || !place.endsWith('.ts')) return next(url, context)
    const source = stripped.get(place) ?? readSource(place)
    stripped.set(place, source)
    return { format: 'module', source, shortCircuit: true }
  },
})

/** Instrumented code counts what it comes by, which takes two thirds of its time, also where nobody asks any more. */
function readSource(place: string): string {
  const text = fs.readFileSync(fileURLToPath(place), 'utf8')
  return stripTypeScriptTypes(text.replace(COUNTING, '$& if (ns.activeMutant !== undefined) return;'))
}

// A property that fails has told enough: a smaller counterexample costs hundreds of runs.
fc.configureGlobal({ endOnFailure: true })

export const strykerPlugins = [
  { kind: 'TestRunner', name: 'node-test', injectableClass: NodeTestRunner },
] as const

/** Stryker warns of options that no schema names. */
export const strykerValidationSchema = { properties: { nodeTest: { type: 'object' } } }
