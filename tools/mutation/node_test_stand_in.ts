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
}

let kept: KeptTest[] = []
const titles: string[] = []
let fileNow = ''

export function suite(title: string, body: () => void): void {
  titles.push(title)
  body()
  titles.pop()
}

export function test(title: string, body: Body): void {
  const id = [fileNow, ...titles, title].join(' > ')
  if (typeof body !== 'function') throw new Error(`a test with options is not known here: ${id}`)
  if (kept.some((other) => other.id === id)) throw new Error(`two tests with one title: ${id}`)
  kept.push({ id, file: fileNow, body })
}

/** The tests of the given files, and no others; `load` imports one of them. */
export async function keepTests(
  files: readonly string[],
  load: (file: string) => Promise<unknown>,
): Promise<readonly KeptTest[]> {
  kept = []
  for (const file of files) {
    fileNow = file
    await load(file)
  }
  return kept
}

/** Runs one test with its cleaning up; what went wrong first, or undefined. */
export async function runKept({ body }: KeptTest): Promise<string | undefined> {
  const cleanUps: (() => unknown)[] = []
  const wrong: unknown[] = []
  const attempt = async (run: () => unknown): Promise<void> => {
    try {
      await run()
    } catch (error) {
      wrong.push(error)
    }
  }
  await attempt(() => body({ after: (cleanUp) => void cleanUps.push(cleanUp), diagnostic: () => {} }))
  for (const cleanUp of cleanUps) await attempt(cleanUp)
  return wrong.length === 0 ? undefined : String(wrong[0])
}
