import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import type { Compiled, Decider, EntityFacts, EntityRef, PolicyFile, Question } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { cedarWasmEngine } from './wasm_engine.ts'

const SEED = 20_260_102

const TENANT: EntityRef = { type: 'Tenant', id: 'default' }
const SPACE: EntityRef = { type: 'Space', id: 'default' }
const DEMO: EntityRef = { type: 'Service', id: 'demo' }
const ECHO: EntityRef = { type: 'Model', id: 'echo' }

function facts(ref: EntityRef, parents: readonly EntityRef[], attributes = {}): EntityFacts {
  return { ref, attributes, parents }
}

const INFER: Question = {
  principal: DEMO,
  action: { type: 'Action', id: 'model:infer' },
  resource: ECHO,
  context: { findings: [], via_key: true },
  entities: [
    facts(DEMO, [SPACE]),
    facts(SPACE, [TENANT]),
    facts(TENANT, []),
    facts(ECHO, [SPACE], { provider: 'echo' }),
  ],
}

const ANY = 'permit (principal, action, resource);'

function compile(...texts: readonly string[]): Compiled {
  return cedarWasmEngine.compile(texts.map(toFile), 'set-hash')
}

function toFile(text: string, index: number): PolicyFile {
  return { name: `f${index}.cedar`, text }
}

function decider(...texts: readonly string[]): Decider {
  const compiled = compile(...texts)
  assert.ok(compiled.kind === 'good', JSON.stringify(compiled))
  return compiled.decider
}

suite('cedarWasmEngine', () => {
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
    ]
    for (const [why, texts, effect, policies] of rows)
      assert.deepEqual(
        decider(...texts).decide(INFER),
        { effect, policies, errors: [], set: 'set-hash' },
        why,
      )
  })

  test('decide skips a policy that errs, and says which', () => {
    const erring = '@id("erring") permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'
    assert.deepEqual(decider(erring).decide(INFER), {
      effect: 'deny',
      policies: [],
      errors: ['erring'],
      set: 'set-hash',
    })
    assert.equal(decider(erring, ANY).decide(INFER).effect, 'allow')
  })

  test('decide reads context and attributes as policy wrote them', () => {
    const stay =
      'forbid (principal, action, resource is Model) when { !context.findings.isEmpty() } ' +
      'unless { resource has region && resource.region == "eu" };'
    const decided = decider(ANY, stay)
    const found: Question = { ...INFER, context: { findings: ['credential.pem'], via_key: true } }
    const inEurope: Question = {
      ...found,
      entities: [...INFER.entities.slice(0, 3), facts(ECHO, [SPACE], { provider: 'echo', region: 'eu' })],
    }
    assert.equal(decided.decide(INFER).effect, 'allow')
    assert.equal(decided.decide(found).effect, 'deny')
    assert.equal(decided.decide(inEurope).effect, 'allow')
  })

  test('decide throws for a question of the wrong form: no policy may be skipped for it', () => {
    const rows: readonly (readonly [why: string, wrong: Partial<Question>])[] = [
      ['an action that is not in the schema', { action: { type: 'Action', id: 'model:eat' } }],
      ['a resource that the action does not take', { resource: TENANT }],
      ['a context without its members', { context: {} }],
      ['a model without its provider', { entities: [facts(ECHO, [SPACE])] }],
    ]
    for (const [why, wrong] of rows)
      assert.throws(() => decider(ANY).decide({ ...INFER, ...wrong }), { code: 'internal.bug' }, why)
  })

  test('decide names a bounded number of policies: a leaf has so much room', () => {
    const many = Array.from({ length: LIMITS.decisionPolicies + 5 }, () => ANY).join('\n')
    assert.equal(decider(many).decide(INFER).policies.length, LIMITS.decisionPolicies)
  })

  test('decide answers from its own set, however many sets there were since', () => {
    const kept = decider(ANY)
    for (let round = 0; round < 12; round++) {
      assert.equal(decider().decide(INFER).effect, 'deny')
      assert.equal(kept.decide(INFER).effect, 'allow', `round ${round}`)
    }
  })

  test('compile gives each problem its place', () => {
    const rows: readonly (readonly [why: string, text: string, line: number, column: number])[] = [
      ['cut short', 'permit (', 1, 9],
      ['no type of ours', `\n\npermit (principal is Sheep, action, resource);`, 3, 22],
      [
        'behind letters of more than a byte',
        '// Grüße, 世界 😀\npermit (principal is Sheep, action, resource);',
        2,
        22,
      ],
      ['in the second policy', `${ANY}\n// ${ANY}\n  ${ANY.replace('resource', 'resource is Sheep')}`, 3, 42],
      ['no action of ours', 'permit (principal, action == Action::"model:eat", resource);', 1, 30],
      [
        'an attribute that may be absent',
        'permit (principal, action, resource is Model) when { resource.region == "x" };',
        1,
        54,
      ],
      ['an extra annotation', '@id("a") @id("b") permit (principal, action, resource);', 1, 10],
      ['an empty id', `@id("") ${ANY}`, 1, 1],
      ['an id without a value', `@id ${ANY}`, 1, 1],
      ['an id with a line end', `@id("a\\nb") ${ANY}`, 1, 1],
      ['a long id', `@id("${'a'.repeat(129)}") ${ANY}`, 1, 1],
      ['an id taken before', `@id("a") ${ANY}\n@id("a") ${ANY}`, 2, 1],
      ['an id taken by a number', `${ANY}\n@id("f0.cedar#1") ${ANY}`, 2, 1],
      ['a template', `${ANY}\npermit (principal == ?principal, action, resource);`, 2, 1],
      ['never matches', 'forbid (principal, action, resource) when { false };', 1, 1],
      ['no action takes it', 'forbid (principal, action, resource is Secret);', 1, 1],
      ['letters that look alike', 'forbid (principal == Service::"раypal", action, resource);', 1, 1],
      ['deep brackets', `permit (principal, action, resource) when { ${'('.repeat(60_000)}true };`, 1, 76],
      [
        'a long chain',
        `permit (principal, action, resource) when { true${' && true'.repeat(60_000)} };`,
        1,
        2090,
      ],
    ]
    for (const [why, text, line, column] of rows) {
      const compiled = compile(text)
      assert.ok(compiled.kind === 'bad', why)
      const [problem] = compiled.problems
      assert.deepEqual([problem?.file, problem?.line, problem?.column], ['f0.cedar', line, column], why)
      assert.ok((problem?.message.length ?? 0) > 0, why)
    }
    assert.equal(decider(ANY).decide(INFER).effect, 'allow', 'the engine still lives')
  })

  test('compile does not count what stands in strings and comments', () => {
    const text = `// ${'('.repeat(99)}\npermit (principal == Service::"${'((\\"&&'.repeat(300)}", action, resource); ${ANY}`
    assert.equal(decider(text).decide(INFER).effect, 'allow')
  })

  test('compile tells the problems of all files, and takes a set only whole', () => {
    const compiled = compile('permit (', ANY, 'permit (principal is Sheep, action, resource);', 'forbid')
    assert.ok(compiled.kind === 'bad')
    assert.deepEqual(
      compiled.problems.map(({ file }) => file),
      ['f0.cedar', 'f3.cedar'],
    )
    const typed = compile(
      ANY,
      ANY.replace('principal', 'principal is Sheep'),
      ANY.replace('resource', 'resource is Cow'),
    )
    assert.ok(typed.kind === 'bad')
    assert.deepEqual([...new Set(typed.problems.map(({ file }) => file))].sort(), ['f1.cedar', 'f2.cedar'])
  })

  test('compile names policies in the order of the file: more than ten too', () => {
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

  test('decide never allows more for a forbid that was added', () => {
    const principal = fc.constantFrom(
      '',
      ' == Service::"demo"',
      ' == Service::"other"',
      ' in Space::"default"',
      ' is User',
    )
    const action = fc.constantFrom(
      '',
      ' == Action::"model:infer"',
      ' in Action::"model:use"',
      ' == Action::"model:list"',
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
      ' when { 9223372036854775807 + (if context.via_key then 1 else 0) > 0 }',
    )
    const rule = fc
      .tuple(principal, action, resource, condition)
      .map(([who, what, which, when]) => `(principal${who}, action${what}, resource${which})${when};`)
    const context = fc.record({
      findings: fc.subarray(['credential.pem', 'credential.jwt']),
      via_key: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 4 }),
        fc.array(rule, { maxLength: 2 }),
        rule,
        context,
        (...drawn) => {
          const [permits, forbids, added, asked] = drawn
          const before = [
            ...permits.map((text) => `permit ${text}`),
            ...forbids.map((text) => `forbid ${text}`),
          ]
          const question: Question = { ...INFER, context: asked }
          const effect = decider(...before).decide(question).effect
          const narrowed = decider(...before, `forbid ${added}`).decide(question).effect
          assert.ok(effect === 'allow' || narrowed === 'deny')
        },
      ),
      { seed: SEED, numRuns: 150 },
    )
  })
})
