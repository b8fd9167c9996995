/**
 * Stands for `node:test` inside a mutation run: it keeps the tests of the files that are loaded, so that they can be run
 * again and again in one process. What a test file needs and this lacks is an import that fails, never a test left out.
 */
export interface StandInContext {
  after(cleanUp: () => unknown): void
  diagnostic(text: string): void
}

type Body = (context: StandInContext) => unknown

export interface KeptTest {
  /** Repository path and titles. */
  readonly id: string
  readonly file: string
  readonly body: Body
  /** The file and the suites that it stands in, outermost first. */
  readonly scopes: readonly Scope[]
}

type Hook = () => unknown

interface Scope {
  readonly title: string
  readonly befores: Hook[]
  readonly afters: Hook[]
}

let kept: KeptTest[] = []
let scopes: readonly Scope[] = []

export function suite(title: string, body: () => void): void {
  const around = scopes
  scopes = [...around, newScope(title)]
  body()
  scopes = around
}

export { suite as describe }

export function test(title: string, body: Body): void {
  const [{ title: file } = newScope('')] = scopes
  const id = [...scopes.map((scope) => scope.title), title].join(' > ')
  if (typeof body !== 'function') throw new Error(`a test with options is not known here: ${id}`)
  if (kept.some((other) => other.id === id)) throw new Error(`two tests with one title: ${id}`)
  kept.push({ id, file, body, scopes })
}

/**
 * Runs anew for each test, as what it makes may be made by mutated code. A file whose tests live of what an earlier one
 * left behind fails here.
 */
export function before(hook: Hook): void {
  scopes.at(-1)?.befores.push(hook)
}

export { before as beforeEach }

export function after(hook: Hook): void {
  scopes.at(-1)?.afters.push(hook)
}

export { after as afterEach }

function newScope(title: string): Scope {
  return { title, befores: [], afters: [] }
}

/** The tests of the given files, and no others; `load` imports one of them. */
export async function keepTests(
  files: readonly string[],
  load: (file: string) => Promise<unknown>,
): Promise<readonly KeptTest[]> {
  kept = []
  for (const file of files) {
    scopes = [newScope(file)]
    await load(file)
  }
  return kept
}

/** Runs one test with its setting up and cleaning up; what went wrong first, or undefined. */
export async function runKept({ body, scopes }: KeptTest): Promise<string | undefined> {
  const cleanUps: Hook[] = []
  const wrong: unknown[] = []
  const attempt = async (run: Hook): Promise<void> => {
    try {
      await run()
    } catch (error) {
      wrong.push(error)
    }
  }
  for (const hook of scopes.flatMap((scope) => scope.befores)) await attempt(hook)
  if (wrong.length === 0)
    await attempt(() => body({ after: (cleanUp) => void cleanUps.push(cleanUp), diagnostic: () => {} }))
  const afters = scopes.toReversed().flatMap((scope) => scope.afters)
  for (const cleanUp of [...cleanUps, ...afters]) await attempt(cleanUp)
  return wrong.length === 0 ? undefined : String(wrong[0])
}
