import type { PolicyFile, PolicyProblem } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import type { PolicyTypes, TypeChecker } from './check_types.ts'
import { deceptionsIn } from './deceptive_text.ts'
import { parsePolicies } from './parse_policy.ts'
import { placeOf } from './place_of.ts'
import { hasSlot, type Place, type Policy } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

/** One policy of a file, under its id: `@id("…")` where given, else `<file>#<n>`, counted from 1. */
export interface NamedPolicy {
  readonly id: string
  readonly policy: Policy
}

export interface PoliciesOfFiles {
  /** Of no use when there are problems. */
  readonly policies: readonly NamedPolicy[]
  readonly problems: readonly PolicyProblem[]
}

/** Ids stand in leaves of the ledger, so they are short and plain. */
const ID_FORM = /^[!-~](?:[ -~]{0,126}[!-~])?$/

const IMPOSSIBLE: Readonly<Record<NonNullable<PolicyTypes['impossible']>, string>> = {
  scope: 'the policy never matches: no action takes such a principal and such a resource',
  conditions: 'the policy never matches: its conditions are always false',
}

/** Parses policy files and names what is in them; ids are unique over all files. With `types` it checks these too. */
export function readPolicyFiles(files: readonly PolicyFile[], types?: TypeChecker): PoliciesOfFiles {
  const policies: NamedPolicy[] = []
  const problems: PolicyProblem[] = []
  const taken = new Map<string, string>()
  for (const file of files) {
    const report = (at: Place, message: string): void => {
      // To find a line takes time, and nobody reads hundreds of them.
      if (problems.length < LIMITS.policyProblems) problems.push(problemIn(file, at, message))
    }
    const parsed = parsePolicies(file.text)
    const deceptions = parsed.problems.length > 0 ? [] : deceptionsIn(file.text)
    for (const { at, message } of [...parsed.problems, ...deceptions]) report(at, message)
    for (const [index, policy] of parsed.policies.entries()) {
      const id = idOf(policy) ?? `${file.name}#${index + 1}`
      const other = taken.get(id)
      if (hasSlot(policy)) report(policy.at, 'templates are not supported yet')
      if (!ID_FORM.test(id)) report(policy.at, '@id takes 1 to 128 printable ASCII characters')
      if (other !== undefined) report(policy.at, `the id is taken by a policy in ${other}; ids are unique`)
      for (const { at, message } of typeProblems(policy, types)) report(at, message)
      taken.set(id, file.name)
      policies.push({ id, policy })
    }
  }
  return { policies, problems }
}

/** That a policy can never match is a problem here, and more than Cedar's warning: such a forbid protects nothing. */
function typeProblems(policy: Policy, types: TypeChecker | undefined): readonly SyntaxProblem[] {
  if (types === undefined) return []
  const { problems, impossible } = types.check(policy)
  return impossible === undefined ? problems : [new SyntaxProblem(policy.at, IMPOSSIBLE[impossible])]
}

/** `@id` without a value is an empty id, which is refused, not a policy without one. */
function idOf({ annotations }: Policy): string | undefined {
  return annotations.has('id') ? (annotations.get('id') ?? '') : undefined
}

function problemIn({ name, text }: PolicyFile, at: Place, message: string): PolicyProblem {
  return { file: name, ...placeOf(text, at), message }
}
