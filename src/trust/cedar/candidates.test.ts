import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { Candidates } from './candidates.ts'
import { compilePolicy, type CompiledPolicy } from './compile_policy.ts'
import { EntityPart, EntityStore } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { Evaluation } from './evaluation.ts'
import { parsePolicies } from './parse_policy.ts'
import { RecordValue } from './values.ts'

const SEED = 20_260_304
const EMPTY = new RecordValue(new Map())
const IDS = Array.from({ length: 40 }, (_, index) => `i${index}`)

function compile(text: string): CompiledPolicy[] {
  const { policies, problems } = parsePolicies(text)
  assert.deepEqual(problems, [])
  return policies.map((policy, index) => compilePolicy(String(index), policy))
}

function scope(variable: string): fc.Arbitrary<string> {
  const entity = fc
    .tuple(fc.constantFrom('A', 'B'), fc.constantFrom(...IDS))
    .map(([type, id]) => `${type}::"${id}"`)
  return fc.oneof(
    fc.constant(variable),
    entity.map((one) => `${variable} == ${one}`),
    { arbitrary: entity.map((one) => `${variable} in ${one}`), weight: 4 },
    fc.constantFrom('A', 'B').map((type) => `${variable} is ${type}`),
    entity.map((one) => `${variable} is A in ${one}`),
  )
}

const ACTIONS: readonly string[] = [
  'action',
  'action == Action::"x"',
  'action == Action::"y"',
  'action in Action::"all"',
  'action in [Action::"x", Action::"x"]',
  'action in [Action::"x", Action::"all"]',
  'action in []',
]
const action = fc.constantFrom(...ACTIONS)
const text = fc
  .tuple(scope('principal'), action, scope('resource'))
  .map((parts) => `permit (${parts.join(', ')});`)

/** The policies whose scope the question meets, one by one and without an index. */
function naive(policies: readonly CompiledPolicy[], evaluation: Evaluation): string[] {
  const { request, entities } = evaluation
  const meets = (key: CompiledPolicy['principal'], ref: typeof request.principal): boolean => {
    if (key.kind === 'any') return true
    if (key.kind === 'is') return key.type === ref.type
    if (key.kind === 'in') return entities.isIn(ref, key.entity)
    return key.entity.type === ref.type && key.entity.id === ref.id
  }
  return policies
    .filter(
      ({ principal, actions, resource }) =>
        meets(principal, request.principal) &&
        actions.some((one) => meets(one, request.action)) &&
        meets(resource, request.resource),
    )
    .map(({ id }) => id)
}

suite('candidates', () => {
  test('find gives what a look at each policy gives: with small and large cells, parts and unknown entities', () => {
    const question = fc.record({
      policies: fc.oneof(
        fc.array(text, { maxLength: 12 }),
        fc.array(text, { minLength: 150, maxLength: 220 }),
      ),
      above: fc.array(fc.subarray(IDS, { maxLength: 36 }), { minLength: 2, maxLength: 2 }),
      action: fc.constantFrom('x', 'y', 'z'),
      isSplit: fc.boolean(),
    })
    fc.assert(
      fc.property(question, ({ policies, above, action, isSplit }) => {
        const compiled = compile(policies.join('\n'))
        const candidates = new Candidates(compiled)
        const node = (type: string, id: string, parents: readonly string[]): EntityAccount =>
          new EntityAccount(
            { type, id },
            parents.map((parent) => ({ type: 'B', id: parent })),
            EMPTY,
            EMPTY,
          )
        const nodes = [
          node('A', 'me', above[0] ?? []),
          node('B', 'it', above[1] ?? []),
          node('B', 'i0', ['i1', 'i39']),
        ]
        const actions = new EntityPart([
          new EntityAccount({ type: 'Action', id: 'x' }, [{ type: 'Action', id: 'all' }], EMPTY, EMPTY),
          new EntityAccount({ type: 'Action', id: 'all' }, [], EMPTY, EMPTY),
        ])
        const parts = isSplit ? nodes.map((one) => new EntityPart([one])) : [new EntityPart(nodes)]
        const store = new EntityStore(parts, actions)
        const refs = [
          { type: 'A', id: 'me' },
          { type: 'B', id: 'it' },
          { type: 'A', id: 'i3' },
        ]
        for (const principal of refs) {
          for (const resource of refs) {
            const request = {
              principal,
              action: { type: 'Action', id: action },
              resource,
              context: () => EMPTY,
            }
            const evaluation = new Evaluation(request, store)
            const found = candidates
              .find(evaluation)
              .flat()
              .map(({ id }) => id)
            assert.deepEqual(found.toSorted(), naive(compiled, evaluation).toSorted())
          }
        }
      }),
      { seed: SEED, numRuns: 150 },
    )
  })

  test('find answers for more actions than it keeps rows of', () => {
    const count = 300
    const lines = Array.from(
      { length: count },
      (_, index) => `permit (principal, action == Action::"a${index}", resource);`,
    )
    const candidates = new Candidates(compile(lines.join('\n')))
    const store = new EntityStore([], new EntityPart([]))
    for (const round of [1, 2]) {
      for (let index = 0; index < count; index++) {
        const ref = { type: 'A', id: 'me' }
        const request = {
          principal: ref,
          action: { type: 'Action', id: `a${index}` },
          resource: ref,
          context: () => EMPTY,
        }
        const found = candidates.find(new Evaluation(request, store)).flat()
        assert.deepEqual(
          found.map(({ id }) => id),
          [String(index)],
          `round ${round}`,
        )
      }
    }
  })

  test('compilePolicy refuses a template', () => {
    assert.throws(() => compile('permit (principal == ?principal, action, resource);'), TypeError)
  })
})
