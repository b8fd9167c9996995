import { parsePolicies } from '#trust/cedar/parse_policy.ts'
import { Draw, makeCase, spoilPolicy } from './cedar_cases.ts'
import { askOracle, askOurs, oracleParses, oracleTypes, ourTypes, type Verdict } from './cedar_oracle.ts'
import { makeTypedCase } from './cedar_typed_cases.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'

const SEED_STEP = 1_000_003
/** More differences than these say nothing new. */
const DIFFERENCES_MAX = 5
/** Policies for one schema: the reference reads the schema again at each call. */
const POLICIES_PER_SCHEMA = 25
/** One schema of so many is ours, the others are random. */
const OWN_SCHEMA_EVERY = 4

export interface CaseComparison {
  /** A case for each, with its own seed and both answers. */
  readonly differences: readonly string[]
  readonly decided: { readonly allow: number; readonly forbidden: number; readonly erred: number }
}

/** Asks both engines `count` generated cases. The cases follow from the seed alone. */
export function compareCases(seed: number, count: number): CaseComparison {
  const differences: string[] = []
  const decided = { allow: 0, forbidden: 0, erred: 0 }
  for (let index = 0; index < count && differences.length < DIFFERENCES_MAX; index++) {
    const own = seed * SEED_STEP + index
    const one = makeCase(own)
    const [oracle, ours] = [askOracle(one), askOurs(one)]
    if (oracle === undefined || oracle !== ours)
      differences.push(`case ${own}: cedar-wasm ${oracle}, ours ${ours}\n${one.policies.join('\n')}`)
    if (ours?.startsWith('allow') === true) decided.allow += 1
    if (ours?.startsWith('deny by [p') === true) decided.forbidden += 1
    if (ours?.endsWith('errors []') === false) decided.erred += 1
  }
  return { differences, decided }
}

/** Gives both parsers `count` policies with a few tokens changed. */
export function compareTexts(
  seed: number,
  count: number,
): { readonly differences: readonly string[]; readonly taken: number } {
  const differences: string[] = []
  let taken = 0
  for (let index = 0; index < count && differences.length < DIFFERENCES_MAX; index++) {
    const own = seed * SEED_STEP + index
    const draw = new Draw(own)
    const text = spoilPolicy(draw.one(makeCase(own).policies), draw)
    const isTaken = parsePolicies(text).problems.length === 0
    if (isTaken) taken += 1
    if (isTaken !== oracleParses(text))
      differences.push(`text ${own}: cedar-wasm ${isTaken ? 'refuses' : 'takes'} ${JSON.stringify(text)}`)
  }
  return { differences, taken }
}

export interface TypeComparison {
  readonly differences: readonly string[]
  readonly verdicts: Readonly<Record<Verdict, number>>
}

/** Gives both validators `count` policies, well typed and ill-typed, for random schemas and for ours. */
export function compareTypes(seed: number, count: number): TypeComparison {
  const differences: string[] = []
  const verdicts = { good: 0, bad: 0, 'impossible scope': 0, 'impossible conditions': 0 }
  for (let index = 0; index * POLICIES_PER_SCHEMA < count && differences.length < DIFFERENCES_MAX; index++) {
    const own = seed * SEED_STEP + index
    const schema = index % OWN_SCHEMA_EVERY === 0 ? SCHEMA : undefined
    const one = makeTypedCase(own, Math.min(POLICIES_PER_SCHEMA, count - index * POLICIES_PER_SCHEMA), schema)
    const theirs = oracleTypes(one)
    for (const [at, ours] of ourTypes(one).entries()) {
      verdicts[ours] += 1
      if (ours !== theirs[at])
        differences.push(
          `types ${own}: cedar-wasm ${theirs[at]}, ours ${ours}\n${one.policies[at]}\n${one.schema}`,
        )
    }
  }
  return { differences, verdicts }
}
