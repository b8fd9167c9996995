import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyFile } from '#base/decider.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { JsonFormProblem, parseExactJson } from '#trust/cedar/json_values.ts'
import { readJsonPolicy } from '#trust/cedar/json_policy.ts'
import { Draw, makeCase, spoilPolicy } from '../support/cedar_cases.ts'
import { compareCases, compareTexts, compareTypes } from '../support/cedar_differential.ts'

/** Printed, and given again as GATEHOUSE_CEDAR_SEED to repeat a run. */
const SEED = Number(process.env['GATEHOUSE_CEDAR_SEED'] ?? Date.now() % 1_000_000)
const CASES = Number(process.env['GATEHOUSE_CEDAR_CASES'] ?? 100_000)
const SEED_STEP = 1_000_003

test(`our engine and cedar-wasm decide ${CASES} generated cases alike (seed ${SEED})`, (context) => {
  const { differences, decided } = compareCases(SEED, CASES)
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(decided)}`)
  assert.deepEqual(differences, [])
})

test(`our parser and cedar-wasm take and refuse the same of ${CASES} spoiled texts (seed ${SEED})`, (context) => {
  const { differences, taken } = compareTexts(SEED, CASES)
  context.diagnostic(`seed ${SEED}: ${taken} taken`)
  assert.deepEqual(differences, [])
})

test(`our type checker and cedar-wasm say the same of ${CASES} policies (seed ${SEED})`, (context) => {
  const { differences, verdicts } = compareTypes(SEED, CASES)
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(verdicts)}`)
  assert.deepEqual(differences, [])
})

test(`${CASES} hostile texts give a good set or problems, and throw nothing (seed ${SEED})`, () => {
  for (let index = 0; index < CASES; index++) {
    const draw = new Draw(SEED * SEED_STEP + index)
    const file: PolicyFile = { name: 'f.cedar', text: hostileText(draw, index) }
    const compiled = cedarEngine.compile([file], 'set')
    if (compiled.kind === 'good') continue
    assert.ok(compiled.problems.length > 0)
    for (const { line, column, message } of compiled.problems)
      assert.ok(line >= 1 && column >= 1 && message.length > 0, JSON.stringify(file.text))
  }
})

test(`${CASES} hostile JSON policies are refused by name, or taken (seed ${SEED})`, () => {
  for (let index = 0; index < CASES; index++) {
    const draw = new Draw(SEED * SEED_STEP + index)
    try {
      readJsonPolicy(parseExactJson(hostileJson(draw)))
    } catch (error) {
      assert.ok(error instanceof JsonFormProblem, String(error))
    }
  }
})

/** Spoiled policies, random characters, and one thing repeated. */
function hostileText(draw: Draw, index: number): string {
  const kind = index % 4
  if (kind < 2) return spoilPolicy(draw.one(makeCase(index).policies), draw)
  if (kind === 2)
    return Array.from({ length: draw.below(200) }, () =>
      String.fromCharCode(draw.below(draw.one([128, 65_536]))),
    ).join('')
  const piece = draw.one([
    '(',
    '[',
    '{a:',
    '!',
    '-',
    'if ',
    '.a',
    '"',
    '\\',
    '@a',
    '::',
    'principal',
    ' in ',
    '//',
    '\u2028',
    '?',
  ])
  return `permit (principal, action, resource) when { ${piece.repeat(draw.below(3_000))}`
}

function hostileJson(draw: Draw): string {
  const leaf = { Var: draw.one(['principal', 'context', 'none']) }
  const sides = (): unknown =>
    draw.one([leaf, { Value: draw.one([1, 'a', null, 1.5, {}, [], { __entity: 1 }]) }, 1, {}])
  const names = [
    '==',
    '.',
    'has',
    'is',
    'like',
    'Set',
    'Record',
    'ip',
    'isInRange',
    '!',
    'if-then-else',
    'Value',
    'nothing',
  ]
  const body = draw.one([
    { left: sides(), right: sides(), attr: 'a', pattern: [], entity_type: 'T', arg: sides() },
    [sides()],
    sides(),
    'text',
    null,
  ])
  const policy = {
    effect: draw.one(['permit', 'forbid', 'x']),
    principal: draw.one<unknown>([{ op: 'All' }, { op: 'is', entity_type: 'T' }, 1, {}]),
    action: draw.one<unknown>([{ op: 'All' }, { op: 'in', entities: [] }, null]),
    resource: { op: draw.one(['All', 'all', '==']) },
    conditions: draw.one<unknown>([[], [{ kind: 'when', body: { [draw.one(names)]: body } }], {}]),
  }
  const text = JSON.stringify(policy)
  return draw.chance(90) ? text : text.slice(0, draw.below(text.length))
}
