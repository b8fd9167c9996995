import type * as z from 'zod'

/** What is wrong with which field. The path is made of names of the schema and of places in lists, the rest of our own words. */
export function sayIssue(issue: z.core.$ZodIssue, at: readonly PropertyKey[]): string {
  const deepest = deepestOf(issue, at)
  return `${printPath(deepest.path)} ${sayProblem(deepest.issue)}.`
}

interface Located {
  readonly issue: z.core.$ZodIssue
  readonly path: readonly PropertyKey[]
}

/** Of a field with several forms, the form that fits longest is the one that was meant. */
function deepestOf(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): Located {
  const path = [...before, ...issue.path]
  const here = { issue, path }
  if (issue.code !== 'invalid_union') return here
  return issue.errors
    .flat()
    .map((inner) => deepestOf(inner, path))
    .reduce<Located>((best, one) => (one.path.length > best.path.length ? one : best), here)
}

function printPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at > 0 ? '.' : ''}${String(step)}`))
    .join('')
}

function sayProblem(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `must be ${KINDS[issue.expected] ?? 'of another type'}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${unitOf(issue.origin)}`
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${unitOf(issue.origin)}`
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  return 'is of the wrong type'
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long'
  return origin === 'array' ? ' elements long' : ''
}
