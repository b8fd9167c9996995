import { policySetTextToParts, policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyFile, PolicyProblem } from '#base/decider.ts'
import { findNesting } from './nesting.ts'
import { placeOf, problemAt } from './problem.ts'

/** One policy of a file. */
export interface PolicyText {
  /** `@id("…")` where given, else `<file>#<n>`, counted from 1. */
  readonly id: string
  readonly file: PolicyFile
  readonly text: string
  /** Where it begins in the file, in UTF-16 code units. */
  readonly start: number
}

export type ReadPolicies =
  | { readonly kind: 'good'; readonly policies: readonly PolicyText[] }
  | { readonly kind: 'bad'; readonly problems: readonly PolicyProblem[] }

/** Ids stand in leaves of the ledger, so they are short and plain. */
const ID_FORM = /^[!-~](?:[ -~]{0,126}[!-~])?$/
/** White space and comments: all that stands between two policies. */
const BLANK = /(?:\s|\/\/[^\n]*)*/y

/** Cuts policy files into policies and names each; ids are unique over all files. */
export function readPolicies(files: readonly PolicyFile[]): ReadPolicies {
  const policies: PolicyText[] = []
  const problems: PolicyProblem[] = []
  const taken = new Map<string, PolicyText>()
  for (const file of files) {
    const read = readFile(file)
    if (read.kind === 'bad') problems.push(...read.problems)
    else policies.push(...read.policies)
  }
  for (const policy of policies) {
    const other = taken.get(policy.id)
    if (other === undefined) taken.set(policy.id, policy)
    else problems.push(problemIn(policy, `the id is taken by a policy in ${other.file.name}; ids are unique`))
    if (!ID_FORM.test(policy.id))
      problems.push(problemIn(policy, '@id takes 1 to 128 printable ASCII characters'))
  }
  return problems.length > 0 ? { kind: 'bad', problems } : { kind: 'good', policies }
}

function readFile(file: PolicyFile): ReadPolicies {
  const { name, text } = file
  const nesting = findNesting(file)
  if (nesting !== undefined) return { kind: 'bad', problems: [nesting] }
  const parts = policySetTextToParts(text)
  if (parts.type === 'failure')
    return { kind: 'bad', problems: parts.errors.map((error) => problemAt(name, text, 0, error)) }
  const [template] = parts.policy_templates
  if (template !== undefined) {
    const place = placeOf(text, Math.max(0, text.indexOf(template)))
    return { kind: 'bad', problems: [{ file: name, ...place, message: 'templates are not supported yet' }] }
  }
  return { kind: 'good', policies: inOrder(parts.policies).reduce(placed(file), []) }
}

/** The engine names parts `policy0`, `policy1`, … and gives them sorted by name: `policy10` comes before `policy2`. */
function inOrder(parts: readonly string[]): readonly string[] {
  const names = parts.map((_part, index) => `policy${index}`)
  const byName = new Map([...names].sort().map((name, index) => [name, parts[index] ?? '']))
  return names.map((name) => byName.get(name) ?? '')
}

function placed(file: PolicyFile): (done: PolicyText[], text: string) => PolicyText[] {
  let end = 0
  return (done, text) => {
    BLANK.lastIndex = end
    const start = end + (BLANK.exec(file.text)?.[0].length ?? 0)
    end = start + text.length
    done.push({ id: annotatedId(text) ?? `${file.name}#${done.length + 1}`, file, text, start })
    return done
  }
}

function annotatedId(text: string): string | undefined {
  const answer = policyToJson(text)
  if (answer.type === 'failure') return undefined
  const annotations: Readonly<Record<string, string | null>> = answer.json.annotations ?? {}
  const id = annotations['id']
  // `@id` without a value is an empty id, which is refused, not a policy without one.
  return id === null ? '' : id
}

function problemIn(policy: PolicyText, message: string): PolicyProblem {
  return { file: policy.file.name, ...placeOf(policy.file.text, policy.start), message }
}
