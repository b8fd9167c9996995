import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Decider, Decision, EntityFacts, EntityRef, Question } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import {
  authorize,
  authorizeVia,
  checkPermit,
  Permit,
  type Ask,
  type Policies,
  isPermitted,
  type AskTarget,
} from './authorize.ts'
import type { Scope } from './caller.ts'
import { KEY_ALONE } from './caller_facts.ts'

const ECHO: EntityRef = { type: 'Model', id: 'echo' }
const WHY: EntityRef = { type: 'Endpoint', id: 'why' }
const DEMO: EntityFacts = { ref: { type: 'Service', id: 'demo' }, attributes: {}, parents: [] }
const TARGET: EntityFacts = { ref: ECHO, attributes: { provider: 'echo' }, parents: [] }
const OPEN: Scope = { models: undefined, actions: undefined }

function ask(scope: Scope = OPEN, more: Partial<Ask> = {}): Ask {
  return {
    caller: { ref: DEMO.ref, entities: [DEMO], space: 'default', scope, kid: 'a'.repeat(12), ...KEY_ALONE },
    action: 'model:infer',
    target: { ref: ECHO, entities: [TARGET] },
    findings: [],
    ...more,
  }
}

/** Policies that always decide the same, and keep what they were asked. */
function policiesThat(decision: Partial<Decision>, asked: Question[] = []): Policies {
  const decider: Decider = {
    set: 'set-hash',
    decide: (question) => {
      asked.push(question)
      return { effect: 'deny', policies: [], errors: [], set: 'set-hash', entities: 'version', ...decision }
    },
  }
  return { current: () => decider }
}

function refusal(work: () => unknown): Fault {
  try {
    work()
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    return thrown
  }
  return assert.fail('nothing was refused')
}

const BY_KEY = { aal: 1, via: 'key', binding: 'none', amr: [], actors: [] }

suite('authorize', () => {
  test('authorize asks policy with the caller, the target, the findings and the way of proof', () => {
    const asked: Question[] = []
    const policies = policiesThat({ effect: 'allow' }, asked)
    authorize(policies, ask(OPEN, { findings: ['credential.pem'] }))
    authorize(policies, ask(OPEN, { caller: { ...ask().caller, kid: undefined } }))
    assert.deepEqual(asked[0], {
      principal: DEMO.ref,
      action: { type: 'Action', id: 'model:infer' },
      resource: ECHO,
      context: { findings: ['credential.pem'], via_key: true, assurance: BY_KEY },
      entities: [[DEMO], [TARGET]],
    })
    assert.deepEqual(asked[1]?.context, { findings: [], via_key: false, assurance: BY_KEY })
    assert.ok(Object.isFrozen(asked[1]?.context), 'prepared once')
  })

  test('authorize gives a permit for what it allowed', () => {
    const permit = authorize(policiesThat({ effect: 'allow', policies: ['default.models'] }), ask())
    assert.ok(Permit.is(permit))
    assert.equal(permit.action, 'model:infer')
    assert.deepEqual(permit.resource, ECHO)
    assert.deepEqual(permit.decision.policies, ['default.models'])
  })

  test('authorize refuses with what the ledger needs, and tells the caller nothing', () => {
    const rows: readonly (readonly [why: string, decision: Partial<Decision>, reason: string])[] = [
      ['no policy spoke', {}, 'policy.silent'],
      ['a policy forbade', { policies: ['no'] }, 'policy.forbids'],
      ['a policy erred', { errors: ['erring'] }, 'policy.silent'],
    ]
    for (const [why, decision, reason] of rows) {
      const fault = refusal(() => authorize(policiesThat(decision), ask()))
      assert.equal(fault.code, 'action.denied', why)
      assert.equal(fault.say, undefined, why)
      const { policies = [], errors = [] } = decision
      assert.deepEqual(fault.detail, { reason, policies, errors, set: 'set-hash', entities: 'version' }, why)
    }
  })

  test('authorize lets a scope only narrow', () => {
    const rows: readonly (readonly [why: string, Scope, Partial<Ask>, reason: string | undefined])[] = [
      ['nothing narrowed', OPEN, {}, undefined],
      ['the model is named', { models: ['echo'], actions: undefined }, {}, undefined],
      ['another model is named', { models: ['other'], actions: undefined }, {}, 'scope.model'],
      ['no model is named', { models: [], actions: undefined }, {}, 'scope.model'],
      ['the action is named', { models: undefined, actions: ['model:infer'] }, {}, undefined],
      ['another action is named', { models: ['echo'], actions: ['model:list'] }, {}, 'scope.action'],
      ['no action is named', { models: undefined, actions: [] }, {}, 'scope.action'],
      [
        'models do not narrow what is no model',
        { models: [], actions: undefined },
        { target: { ref: WHY, entities: [] } },
        undefined,
      ],
    ]
    for (const [why, scope, more, reason] of rows) {
      const asked = ask(scope, more)
      const policies = policiesThat({ effect: 'allow' })
      if (reason === undefined) assert.ok(Permit.is(authorize(policies, asked)), why)
      else assert.equal(refusal(() => authorize(policies, asked)).detail['reason'], reason, why)
      assert.equal(
        refusal(() => authorize(policiesThat({}), asked)).code,
        'action.denied',
        `${why}: never widened`,
      )
    }
  })

  test('authorize hands on that there is no policy, and a decider that throws permits nothing', () => {
    const none: Policies = {
      current: () => {
        throw new Fault('policy.unavailable')
      },
    }
    const broken: Policies = {
      current: () => ({
        set: '',
        decide: () => {
          throw new TypeError('broken')
        },
      }),
    }
    assert.throws(() => authorize(none, ask()), { code: 'policy.unavailable' })
    assert.throws(() => authorize(broken, ask()), TypeError)
  })

  test('authorizeVia asks the same about another target, in full', () => {
    const asked: Question[] = []
    const policies = policiesThat({ effect: 'allow', policies: ['via'] }, asked)
    const permit = authorize(policies, ask(OPEN, { findings: ['credential.pem'] }))
    const member: EntityFacts = { ref: { type: 'Model', id: 'member' }, attributes: {}, parents: [] }
    const further = authorizeVia(policies, permit, { ref: member.ref, entities: [member] })
    assert.ok(Permit.is(further))
    assert.deepEqual([further.action, further.resource], ['model:infer', member.ref])
    assert.deepEqual(asked[1], { ...asked[0], resource: member.ref, entities: [[DEMO], [member]] })
  })

  test('authorizeVia leaves the scope of the key to what the caller asked for, and policy its say', () => {
    const scope = { models: ['echo'], actions: undefined }
    const permit = authorize(policiesThat({ effect: 'allow' }), ask(scope))
    const member = { ref: { type: 'Model', id: 'member' }, entities: [] }
    assert.ok(Permit.is(authorizeVia(policiesThat({ effect: 'allow' }), permit, member)))
    const fault = refusal(() => authorizeVia(policiesThat({ policies: ['no'] }), permit, member))
    assert.deepEqual([fault.code, fault.detail['reason']], ['action.denied', 'policy.forbids'])
  })

  test('isPermitted asks about all that the target leads to: one that is forbidden is enough', () => {
    const scope = { models: ['echo'], actions: undefined }
    const member = (id: string): AskTarget => ({ ref: { type: 'Model', id }, entities: [] })
    const pool = { ...ask().target, via: [member('a'), member('b')] }
    for (const forbidden of ['', 'echo', 'a', 'b']) {
      const decide = ({ resource }: Question): Decision => ({
        effect: resource.id === forbidden ? 'deny' : 'allow',
        policies: [],
        errors: [],
        set: '',
        entities: '',
      })
      const policies: Policies = { current: () => ({ set: '', decide }) }
      assert.equal(isPermitted(policies, ask(scope, { target: pool })), forbidden === '', forbidden)
    }
  })

  test('authorizeVia takes no permit that is none', () => {
    const policies = policiesThat({ effect: 'allow' })
    const forged = Object.create(authorize(policies, ask())) as Permit
    assert.throws(() => authorizeVia(policies, forged, ask().target), TypeError)
  })

  test('a permit cannot be made by hand, copied, inherited or cast', () => {
    const real = authorize(policiesThat({ effect: 'allow' }), ask())
    const decision: Decision = { effect: 'allow', policies: [], errors: [], set: '', entities: '' }
    assert.throws(() => new Permit(Symbol('only authorize() makes a permit'), ask(), decision), TypeError)
    const forged: readonly (readonly [why: string, value: unknown])[] = [
      ['an object of the same form', { action: 'model:infer', resource: ECHO, decision }],
      ['a copy', Object.assign({}, real, { action: real.action, resource: real.resource, decision })],
      ['the prototype alone', Object.create(Permit.prototype)],
      ['an heir of a real one', Object.create(real)],
      ['a structured clone of its parts', JSON.parse(JSON.stringify(real))],
      ['a proxy around a real one', new Proxy(real, {})],
      ['nothing', undefined],
      ['null', null],
      ['a text', 'permit'],
    ]
    for (const [why, value] of forged) {
      assert.equal(Permit.is(value), false, why)
      const cast = value as Permit
      assert.throws(() => checkPermit(cast, 'model:infer', ECHO), { code: 'internal.bug' }, why)
    }
  })

  test('checkPermit takes a permit for its own act only', () => {
    const permit = authorize(policiesThat({ effect: 'allow' }), ask())
    checkPermit(permit, 'model:infer', ECHO)
    const rows: readonly (readonly [why: string, action: string, resource: EntityRef])[] = [
      ['another action', 'model:list', ECHO],
      ['another resource', 'model:infer', { type: 'Model', id: 'other' }],
      ['another type', 'model:infer', { type: 'Endpoint', id: 'echo' }],
    ]
    for (const [why, action, resource] of rows)
      assert.throws(() => checkPermit(permit, action, resource), { code: 'internal.bug' }, why)
  })
})
