import { parsePolicies } from '#trust/cedar/parse_policy.ts'
import { Draw, makeCase, spoilPolicy } from './cedar_cases.ts'
import { askOracle, askOurs, oracleParses } from './cedar_oracle.ts'

const SEED_STEP = 1_000_003
/** More differences than these say nothing new. */
const DIFFERENCES_MAX = 5

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
