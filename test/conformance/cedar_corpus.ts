import fs from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { TypeChecker } from '#trust/cedar/check_types.ts'
import { compilePolicy } from '#trust/cedar/compile_policy.ts'
import { EntityPart, EntityStore } from '#trust/cedar/entities.ts'
import {
  parseExactJson,
  readJsonEntities,
  readList,
  readObject,
  readRecord,
  readRef,
  type ExactJson,
} from '#trust/cedar/json_values.ts'
import { parsePolicies } from '#trust/cedar/parse_policy.ts'
import { PolicyDecision } from '#trust/cedar/policy_decision.ts'
import { actionsOf } from '#trust/cedar/schema_actions.ts'
import { readSchema } from '#trust/cedar/read_schema.ts'
import type { Schema } from '#trust/cedar/schema_types.ts'
import type { Policy } from '#trust/cedar/syntax.ts'
import { readTar } from './tar.ts'

/** What one set of the corpus came to. */
export interface SetResult {
  readonly name: string
  /** True when its policies are well typed just where the corpus says so. */
  readonly isValidated: boolean
  readonly requests: number
  /** One line for each request that was answered otherwise than expected. */
  readonly misses: readonly string[]
}

/** Gives the text of a file by the name that a set uses for it. */
export type ReadText = (name: string) => string

/** The generated sets: names of their files, and how to read one. */
export function openCorpus(folder: string): { readonly sets: readonly string[]; readonly read: ReadText } {
  const files = readTar(gunzipSync(fs.readFileSync(path.join(folder, 'corpus-tests.tar.gz'))))
  const sets = [...files.keys()].filter((name) => name.endsWith('.json') && !name.endsWith('.entities.json'))
  return { sets, read: (name) => files.get(name)?.toString('utf8') ?? missing(name) }
}

/** The handmade suites, by the name of the suite. */
export function openHandmade(folder: string): {
  readonly suites: ReadonlyMap<string, readonly string[]>
  readonly read: ReadText
} {
  const root = path.join(folder, 'handmade')
  const names = fs.readdirSync(path.join(root, 'tests')).sort()
  const suites = names.map((name) => {
    const files = fs.readdirSync(path.join(root, 'tests', name)).filter((file) => file.endsWith('.json'))
    return [name, files.sort().map((file) => `tests/${name}/${file}`)] as const
  })
  return { suites: new Map(suites), read: (name) => fs.readFileSync(path.join(root, name), 'utf8') }
}

/** Asks every request of a set and compares decision, determining policies and errors. */
export function runSet(name: string, read: ReadText): SetResult {
  const set = readObject(parseExactJson(read(name)))
  const { policies, problems } = parsePolicies(read(text(set['policies'])))
  const requests = readList(set['requests'])
  const schema = readSchema(read(text(set['schema'])))
  const isValidated = problems.length === 0 && areValid(policies, schema) === set['shouldValidate']
  const [problem] = problems
  if (problem !== undefined) {
    const misses = requests.map(() => `${name}: ${problem.message}`)
    return { name, isValidated, requests: requests.length, misses }
  }
  const decision = new PolicyDecision(
    policies.map((policy, index) => compilePolicy(`policy${index}`, policy)),
  )
  const nodes = readJsonEntities(parseExactJson(read(text(set['entities']))), schema)
  const part = new EntityPart(nodes)
  // Most sets list their actions among the entities; those that do not leave them to the schema.
  const actions = actionsOf(schema).list.filter(({ ref }) => part.get(ref) === undefined)
  const entities = new EntityStore([part], new EntityPart(actions))
  const misses = requests.flatMap((request, index) => {
    const wrong = compareRequest(decision, entities, request)
    return wrong === undefined ? [] : [`${name} request ${index}: ${wrong}`]
  })
  return { name, isValidated, requests: requests.length, misses }
}

/**
 * The corpus is of Cedar 4.10, which refused a policy whose scope no action takes. Since 4.13 that is a warning, and our
 * checker tells it apart.
 */
function areValid(policies: readonly Policy[], schema: Schema): boolean {
  const checker = new TypeChecker(schema)
  return policies.every((policy) => {
    const { problems, impossible } = checker.check(policy)
    return problems.length === 0 && impossible !== 'scope'
  })
}

function compareRequest(
  decision: PolicyDecision,
  entities: EntityStore,
  json: ExactJson,
): string | undefined {
  const request = readObject(json)
  const answer = decision.decide(
    {
      principal: readRef(request['principal']),
      action: readRef(request['action']),
      resource: readRef(request['resource']),
      context: () => readRecord(request['context'] ?? {}),
    },
    entities,
  )
  const got = print(answer.effect, answer.policies, answer.errors)
  const expected = print(text(request['decision']), list(request['reason']), list(request['errors']))
  return got === expected ? undefined : `expected ${expected}, got ${got}`
}

function print(effect: string, policies: readonly string[], errors: readonly string[]): string {
  return `${effect} by [${policies.toSorted().join()}], errors [${errors.toSorted().join()}]`
}

function list(json: ExactJson | undefined): string[] {
  return readList(json).map(text)
}

function text(json: ExactJson | undefined): string {
  if (typeof json !== 'string') throw new TypeError('a set of the corpus is not of its form')
  return json
}

function missing(name: string): never {
  throw new Error(`the corpus has no file ${name}`)
}
