import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import type { Compiled, Decider, EntityFacts, EntityRef, PolicyFile, Question } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { cedarEngine } from './engine.ts'
import { isQuick } from '../../../test/support/is_quick.ts'

const SEED = 20_260_305
/** Counting what is covered takes several times as long as running it. */
const LOAD_MS = process.env['NODE_V8_COVERAGE'] === undefined ? 50 : 200

const TENANT: EntityRef = { type: 'Tenant', id: 'default' }
const SPACE: EntityRef = { type: 'Space', id: 'default' }
const DEMO: EntityRef = { type: 'Service', id: 'demo' }
const ECHO: EntityRef = { type: 'Model', id: 'echo' }

function facts(ref: EntityRef, parents: readonly EntityRef[], attributes = {}): EntityFacts {
  return { ref, attributes, parents }
}

const ASSURANCE = Object.freeze({
  aal: 1,
  via: 'key',
  binding: 'none',
  amr: Object.freeze([]),
  actors: Object.freeze([]),
})

const INFER: Question = {
  principal: DEMO,
  action: { type: 'Action', id: 'model:infer' },
  resource: ECHO,
  context: { findings: [], via_key: true, assurance: ASSURANCE },
  entities: [
    [facts(DEMO, [SPACE]), facts(SPACE, [TENANT]), facts(TENANT, [])],
    [facts(ECHO, [SPACE], { provider: 'echo' })],
  ],
}

const ANY = 'permit (principal, action, resource);'

function toFile(text: string, index: number): PolicyFile {
  return { name: `f${index}.cedar`, text }
}

function compile(...texts: readonly string[]): Compiled {
  return cedarEngine.compile(texts.map(toFile), 'set-hash')
}

function decider(...texts: readonly string[]): Decider {
  const compiled = compile(...texts)
  assert.ok(compiled.kind === 'good', JSON.stringify(compiled))
  return compiled.decider
}

suite('cedarEngine', () => {
  test('decide is closed by default, and a forbid wins', () => {
    const forbid = '@id("no") forbid (principal, action, resource == Model::"echo");'
    const rows: readonly (readonly [why: string, texts: string[], effect: string, policies: string[]])[] = [
      ['no policy', [], 'deny', []],
      ['no policy matches', ['permit (principal == Service::"other", action, resource);'], 'deny', []],
      ['a permit', [ANY], 'allow', ['f0.cedar#1']],
      ['an annotated permit', [`@id("all") ${ANY}`], 'allow', ['all']],
      ['a forbid beside it', [ANY, forbid], 'deny', ['no']],
      ['two permits, sorted', [`@id("b") ${ANY} @id("a") ${ANY}`], 'allow', ['a', 'b']],
      [
        'a group of actions',
        ['permit (principal, action in Action::"model:use", resource);'],
        'allow',
        ['f0.cedar#1'],
      ],
      [
        'a parent of a parent',
        ['permit (principal in Tenant::"default", action, resource);'],
        'allow',
        ['f0.cedar#1'],
      ],
      [
        'the type of a scope',
        ['permit (principal is User in Space::"default", action, resource);'],
        'deny',
        [],
      ],
    ]
    for (const [why, texts, effect, policies] of rows)
      assert.deepEqual(
        { ...decider(...texts).decide(INFER) },
        { effect, policies, errors: [], set: 'set-hash' },
        why,
      )
  })

  test('decide tells the version of the facts: the same in any order and any parts, another for other facts', () => {
    const one = decider(ANY)
    const entities = INFER.entities.flat()
    const version = one.decide(INFER).entities
    assert.match(version, /^[0-9a-f]{16}$/)
    const frozen = { ...INFER, entities: INFER.entities.map(freeze) }
    const apart = { ...INFER, entities: entities.toReversed().map((one) => [one]) }
    for (const question of [INFER, { ...INFER, entities: [entities.toReversed()] }, apart, frozen, frozen])
      assert.equal(one.decide(question).entities, version)
    const [first, ...rest] = entities
    const changed = first && { ...first, parents: [] }
    for (const others of [rest, changed === undefined ? [] : [changed, ...rest]])
      assert.notEqual(one.decide({ ...INFER, entities: [others] }).entities, version)
  })

  test('decide skips a policy that errs, and says which', () => {
    const erring = '@id("erring") permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'
    assert.deepEqual(
      { ...decider(erring).decide(INFER) },
      {
        effect: 'deny',
        policies: [],
        errors: ['erring'],
        set: 'set-hash',
      },
    )
    assert.equal(decider(erring, ANY).decide(INFER).effect, 'allow')
    assert.equal(decider(erring.replace('permit', 'forbid'), ANY).decide(INFER).effect, 'allow')
  })

  test('decide reads context and attributes as policy wrote them', () => {
    const stay =
      'forbid (principal, action, resource is Model) when { !context.findings.isEmpty() } ' +
      'unless { resource has region && resource.region == "eu" };'
    const decided = decider(ANY, stay)
    const found: Question = {
      ...INFER,
      context: { findings: ['credential.pem'], via_key: true, assurance: ASSURANCE },
    }
    const inEurope: Question = {
      ...found,
      entities: [...INFER.entities.slice(0, 1), [facts(ECHO, [SPACE], { provider: 'echo', region: 'eu' })]],
    }
    assert.equal(decided.decide(INFER).effect, 'allow')
    assert.equal(decided.decide(found).effect, 'deny')
    assert.equal(decided.decide(inEurope).effect, 'allow')
  })

  test('decide throws for a question of the wrong form: no policy may be skipped for it', () => {
    const rows: readonly (readonly [why: string, wrong: Partial<Question>])[] = [
      ['an action that is not in the schema', { action: { type: 'Action', id: 'model:eat' } }],
      ['a principal that the action does not take', { principal: TENANT }],
      ['a resource that the action does not take', { resource: TENANT }],
      ['a context without its members', { context: {} }],
      ['a context with more members', { context: { ...INFER.context, more: true } }],
      ['a member of another type', { context: { findings: ['a'], via_key: 'yes', assurance: ASSURANCE } }],
      ['an element of another type', { context: { findings: [1], via_key: true, assurance: ASSURANCE } }],
      ['a text for a list', { context: { findings: 'a', via_key: true, assurance: ASSURANCE } }],
      ['a model without its provider', { entities: [[facts(ECHO, [SPACE])]] }],
    ]
    for (const [why, wrong] of rows)
      assert.throws(() => decider(ANY).decide({ ...INFER, ...wrong }), { code: 'internal.bug' }, why)
  })

  test('decide names a bounded number of policies, in order', () => {
    const many = Array.from({ length: LIMITS.decisionPolicies + 5 }, () => ANY).join('\n')
    const { policies } = decider(many).decide(INFER)
    assert.equal(policies.length, LIMITS.decisionPolicies)
    assert.deepEqual(policies, policies.toSorted())
    const few = ['c', 'a', 'd', 'b', 'aa'].map((id) => `@id("${id}") ${ANY}`).join('\n')
    assert.deepEqual(decider(few).decide(INFER).policies, ['a', 'aa', 'b', 'c', 'd'])
  })

  test('compile gives each problem its place', () => {
    const rows: readonly (readonly [why: string, text: string, line: number, column: number])[] = [
      ['cut short', 'permit (', 1, 9],
      ['no type of ours', `\n\npermit (principal is Sheep, action, resource);`, 3, 22],
      ['an entity of no type of ours', `permit (principal == Sheep::"a", action, resource);`, 1, 22],
      [
        'behind letters of more than a byte',
        '// Grüße, 世界 😀\npermit (principal is Sheep, action, resource);',
        2,
        22,
      ],
      ['in the second policy', `${ANY}\n// ${ANY}\n  ${ANY.replace('resource', 'resource is Sheep')}`, 3, 42],
      ['no action of ours', 'permit (principal, action == Action::"model:eat", resource);', 1, 30],
      [
        'no action of ours in a list',
        'permit (principal, action in [Action::"model:eat"], resource);',
        1,
        30,
      ],
      ['a type in a condition', 'permit (principal, action, resource) when { resource is Sheep };', 1, 45],
      [
        'an entity in a condition',
        'permit (principal, action, resource) when { resource == Sheep::"a" };',
        1,
        57,
      ],
      [
        'an action in a condition',
        'permit (principal, action, resource) when { action == Action::"a" };',
        1,
        55,
      ],
      ['no member of the context', 'permit (principal, action, resource) when { context.hour == 1 };', 1, 52],
      [
        'no attribute of ours',
        'permit (principal, action, resource) when { resource.colour == "red" };',
        1,
        53,
      ],
      [
        'an attribute that may be absent',
        'permit (principal, action, resource is Model) when { resource.region == "x" };',
        1,
        62,
      ],
      [
        'an attribute that not every resource has',
        'permit (principal, action, resource) when { resource.provider == "x" };',
        1,
        53,
      ],
      [
        'a text for an integer',
        'forbid (principal, action, resource) when { context.findings.contains(1) };',
        1,
        71,
      ],
      ['never matches', 'forbid (principal, action, resource) when { false };', 1, 1],
      [
        'has of no member of the context',
        'permit (principal, action, resource) when { context has hour };',
        1,
        1,
      ],
      ['no action takes it', `${ANY}\nforbid (principal, action, resource is Secret);`, 2, 1],
      ['an extra annotation', '@id("a") @id("b") permit (principal, action, resource);', 1, 10],
      ['an empty id', `@id("") ${ANY}`, 1, 1],
      ['an id without a value', `@id ${ANY}`, 1, 1],
      ['an id with a line end', `@id("a\\nb") ${ANY}`, 1, 1],
      ['a long id', `@id("${'a'.repeat(129)}") ${ANY}`, 1, 1],
      ['an id taken before', `@id("a") ${ANY}\n@id("a") ${ANY}`, 2, 1],
      ['an id taken by a number', `${ANY}\n@id("f0.cedar#1") ${ANY}`, 2, 1],
      ['a template', `${ANY}\npermit (principal == ?principal, action, resource);`, 2, 1],
      [
        'deep brackets',
        `permit (principal, action, resource) when { ${'('.repeat(60_000)}true };`,
        1,
        44 + LIMITS.expressionDepth + 1,
      ],
    ]
    for (const [why, text, line, column] of rows) {
      const compiled = compile(text)
      assert.ok(compiled.kind === 'bad', why)
      const [problem] = compiled.problems
      assert.deepEqual([problem?.file, problem?.line, problem?.column], ['f0.cedar', line, column], why)
      assert.ok((problem?.message.length ?? 0) > 0, why)
    }
  })

  test('compile tells the problems of all files, bounded, and takes a set only whole', () => {
    const compiled = compile(
      'permit (',
      ANY,
      'permit (principal is Sheep, action, resource is Cow);',
      'forbid',
    )
    assert.ok(compiled.kind === 'bad')
    assert.deepEqual(
      compiled.problems.map(({ file }) => file),
      ['f0.cedar', 'f2.cedar', 'f2.cedar', 'f3.cedar'],
    )
    const many = compile('x;'.repeat(10_000))
    assert.ok(many.kind === 'bad')
    assert.equal(many.problems.length, LIMITS.policyProblems)
  })

  test('compile names policies in the order of the file', () => {
    const text = Array.from({ length: 13 }, (_, index) => (index === 11 ? '@id("twelfth") ' : '') + ANY).join(
      '\n',
    )
    const compiled = compile(text)
    assert.ok(compiled.kind === 'good')
    assert.deepEqual(
      compiled.policies,
      Array.from({ length: 13 }, (_, index) => (index === 11 ? 'twelfth' : `f0.cedar#${index + 1}`)),
    )
  })

  test('compile takes any 64 KB in 50 ms: nothing grows faster than the text', () => {
    const kib = 64 * 1_024
    const fill = (piece: string): string => piece.repeat(Math.floor(kib / piece.length))
    const when = 'permit (principal, action, resource) when { '
    const texts: readonly (readonly [why: string, text: string])[] = [
      ['policies', fill(`${ANY}\n`)],
      ['problems', fill('x;')],
      ['semicolons', fill(';')],
      ['one string', `@id("${fill('a')}")`],
      ['one string without an end', `"${fill('\\a')}`],
      ['escapes', `${when}"${fill('\\u{41}')}" == "" };`],
      ['brackets', `${when}${fill('(')}`],
      ['a chain', `${when}${fill('true && ')}true };`],
      ['a sum', `${when}1${fill(' + 1')} == 1 };`],
      ['tests of presence', `${when}${fill('Model::"a" has region && ')}true };`],
      [
        'other tests',
        `${when}${Array.from({ length: 2_000 }, (_, at) => `Model::"${at}" has region`).join(' && ')} };`,
      ],
      ['a list', `${when}[${fill('1,')}] == [] };`],
      ['lists in lists', `${when}${'['.repeat(190)}${fill('1,')}${']'.repeat(190)} == [] };`],
      ['fields', `${when}{${fill('a: 1,')}} == {} };`],
      ['a pattern', `${when}"${'a'.repeat(1_000)}" like "${fill('*a')}" };`],
      ['digits', `${when}${fill('9')} };`],
      ['comments', fill('// x\n')],
      ['white space', fill(' \n')],
      ['annotations', fill('@a("b") ')],
      ['names', fill('a::')],
      ['slots', fill('?principal ')],
      ['conditions', `permit (principal, action, resource) ${fill('when { true } ')};`],
      ['actions', `permit (principal, action in [${fill('Action::"a",')}], resource);`],
    ]
    for (const [why, text] of texts) {
      assert.ok(
        isQuick(LOAD_MS, () => compile(text)),
        why,
      )
    }
  })
})

const principal = fc.constantFrom(
  '',
  ' == Service::"demo"',
  ' == Service::"other"',
  ' in Space::"default"',
  ' is User',
  ' is Service in Tenant::"default"',
)
const action = fc.constantFrom(
  '',
  ' == Action::"model:infer"',
  ' in Action::"model:use"',
  ' == Action::"model:list"',
  ' in [Action::"model:use", Action::"model:infer"]',
)
const resource = fc.constantFrom(
  '',
  ' == Model::"echo"',
  ' == Model::"other"',
  ' in Space::"default"',
  ' is Endpoint',
)
const condition = fc.constantFrom(
  '',
  ' when { context.via_key }',
  ' unless { context.via_key }',
  ' when { context.findings.contains("credential.pem") }',
  ' unless { resource is Model && resource has region && resource.region == "eu" }',
  ' when { 9223372036854775807 + (if context.via_key then 1 else 0) > 0 }',
)
const rule = fc
  .tuple(principal, action, resource, condition)
  .map(([who, what, which, when]) => `(principal${who}, action${what}, resource${which})${when};`)
const permit = rule.map((text) => `permit ${text}`)
const forbid = rule.map((text) => `forbid ${text}`)
const question = fc
  .record({
    findings: fc.subarray(['credential.pem', 'credential.jwt']),
    via_key: fc.boolean(),
    assurance: fc.constant(ASSURANCE),
  })
  .map((context): Question => ({ ...INFER, context }))

function effect(texts: readonly string[], asked: Question): string {
  return decider(...texts).decide(asked).effect
}

suite('properties of decisions', () => {
  test('a forbid that is added never allows more', () => {
    fc.assert(
      fc.property(
        fc.array(permit, { maxLength: 4 }),
        fc.array(forbid, { maxLength: 2 }),
        forbid,
        question,
        (permits, forbids, added, asked) => {
          const before = effect([...permits, ...forbids], asked)
          assert.ok(before === 'allow' || effect([...permits, ...forbids, added], asked) === 'deny')
        },
      ),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('a permit that is removed never allows more', () => {
    fc.assert(
      fc.property(
        fc.array(permit, { minLength: 1, maxLength: 5 }),
        fc.array(forbid, { maxLength: 2 }),
        question,
        (permits, forbids, asked) => {
          const before = effect([...permits, ...forbids], asked)
          for (const [index] of permits.entries())
            assert.ok(
              before === 'allow' || effect([...permits.toSpliced(index, 1), ...forbids], asked) === 'deny',
            )
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('the order of policies never matters', () => {
    const named = fc
      .array(fc.oneof(permit, forbid), { maxLength: 6 })
      .map((texts) => texts.map((text, index) => `@id("p${index}") ${text}`))
    fc.assert(
      fc.property(
        named.chain((texts) =>
          fc.tuple(fc.constant(texts), fc.shuffledSubarray(texts, { minLength: texts.length })),
        ),
        question,
        ([texts, shuffled], asked) => {
          assert.deepEqual(decider(...texts).decide(asked), decider(...shuffled).decide(asked))
        },
      ),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('2,000 swaps leave every decider with its own answers, also about facts that were prepared before', () => {
    const lasting: Question = { ...INFER, entities: INFER.entities.map(freeze) }
    const kept = decider(ANY)
    for (let swap = 0; swap < 2_000; swap++) {
      const effect = swap % 2 === 0 ? 'permit' : 'forbid'
      const next = decider(
        `@id("s${swap}") ${effect} (principal in ${swap % 3 === 0 ? 'Space' : 'Tenant'}::"default", action, resource);`,
      )
      assert.deepEqual(next.decide(lasting).policies, [`s${swap}`])
      assert.equal(next.decide(lasting).effect, swap % 2 === 0 ? 'allow' : 'deny')
      assert.deepEqual(kept.decide(lasting).policies, ['f0.cedar#1'])
    }
  })
})

function freeze(list: readonly EntityFacts[]): readonly EntityFacts[] {
  const frozen = list.map(({ ref, attributes, parents }) =>
    Object.freeze({
      ref: Object.freeze({ ...ref }),
      attributes: Object.freeze({ ...attributes }),
      parents: Object.freeze(parents.map((parent) => Object.freeze({ ...parent }))),
    }),
  )
  return Object.freeze(frozen)
}
