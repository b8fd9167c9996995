import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { hmacSha256 } from '#base/crypto.ts'
import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { openDatabase } from '#base/sqlite.ts'
import { authorize, type Ask } from '#trust/access/authorize.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import { openPolicies, type PolicyKeeper } from '#trust/access/policy_set.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'

const SEED = 20_260_103
const SHIPPED = new URL('../../policies/', import.meta.url)
const SPACE: EntityRef = { type: 'Space', id: 'default' }
const NAMES = ['echo', 'house-model', 'other']

interface Joined {
  readonly callers: Callers
  readonly policies: PolicyKeeper
  readonly directory: string
}

/** Callers, shipped policies and the real engine, joined as the program joins them. */
async function joined(t: TestContext): Promise<Joined> {
  const home = fs.mkdtempSync(join(tmpdir(), 'gatehouse-access-'))
  const directory = join(home, 'policies')
  fs.cpSync(SHIPPED, directory, { recursive: true })
  const callers = openCallers({
    database: openDatabase(join(home, 'state.db')),
    peppers: { current: '1', has: () => true, mac: (_id, text) => hmacSha256(new Uint8Array(32), text) },
    clock: { now: () => 0, monotonic: () => 0 },
    later: () => undefined,
  })
  const policies = await openPolicies({
    directory,
    stateDirectory: join(home, 'policy'),
    engine: cedarEngine,
    schema: SCHEMA,
    files: NODE_FILES,
  })
  assert.ok(policies.starting !== undefined)
  await policies.swap(policies.starting)
  t.after(() => {
    callers.close()
    fs.rmSync(home, { recursive: true, force: true })
  })
  return { callers, policies, directory }
}

function model(id: string): Ask['target'] {
  const ref = { type: 'Model', id }
  return { ref, entities: [{ ref, attributes: { provider: 'echo' }, parents: [SPACE] }] }
}

/** The reason of a refusal, or `allowed`. */
function answer(policies: PolicyKeeper, ask: Ask): unknown {
  try {
    authorize(policies, ask)
    return 'allowed'
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'action.denied')
    return thrown.detail['reason']
  }
}

suite('callers and policies together', () => {
  test('a key does what the shipped policies and its scope allow together, and nothing else', async (t) => {
    const { callers, policies } = await joined(t)
    const { key } = callers.createKey({ name: 'demo', models: ['echo'], createdBy: 'System::"operator"' })
    const { caller } = callers.authenticate({ kind: 'bearer', token: key }, '127.0.0.1')
    const { caller: operator } = callers.authenticate({ kind: 'socket' }, 'socket')
    const gatehouse = { ref: { type: 'System', id: 'gatehouse' }, entities: [] }
    const rows: readonly (readonly [why: string, ask: Ask, expected: string])[] = [
      ['its model', { caller, action: 'model:infer', target: model('echo'), findings: [] }, 'allowed'],
      [
        'a model outside its scope',
        { caller, action: 'model:infer', target: model('other'), findings: [] },
        'scope.model',
      ],
      ['an admin act', { caller, action: 'key:create', target: gatehouse, findings: [] }, 'policy.silent'],
      [
        'the operator',
        { caller: operator, action: 'key:create', target: gatehouse, findings: [] },
        'allowed',
      ],
      [
        'the operator as a client',
        { caller: operator, action: 'model:infer', target: model('echo'), findings: [] },
        'policy.silent',
      ],
    ]
    for (const [why, ask, expected] of rows) assert.equal(answer(policies, ask), expected, why)
  })

  test('a set in which the operator is locked out is refused, whatever locks it out', async (t) => {
    const { policies, directory } = await joined(t)
    const file = join(directory, 'operator.cedar')
    const before = fs.readFileSync(file, 'utf8')
    const rows: readonly (readonly [why: string, text: string])[] = [
      ['no permit', ''],
      ['a forbid', `${before}\nforbid (principal, action in Action::"admin", resource);`],
      ['a permit for keys only', before.replaceAll('!context.via_key', 'context.via_key')],
    ]
    for (const [why, text] of rows) {
      fs.writeFileSync(file, text)
      await assert.rejects(policies.prepare(), { code: 'policy.locking' }, why)
    }
    fs.writeFileSync(file, `${before}\nforbid (`)
    await assert.rejects(policies.prepare(), {
      code: 'policy.invalid',
      say: /^operator\.cedar:\d+:\d+ is not valid\.$/,
    })
    fs.writeFileSync(file, before)
    assert.equal((await policies.prepare()).set, policies.current().set)
  })

  test('a scope only narrows: what a scoped key may do, the same key without a scope may do', async (t) => {
    const { callers, policies } = await joined(t)
    const names = fc.option(fc.subarray(NAMES), { nil: undefined })
    const actions = fc.option(fc.subarray(['model:infer', 'model:list', 'entry:explain']), { nil: undefined })
    const open = callers.createKey({ name: 'demo', createdBy: 'test' })
    const { caller: unscoped } = callers.authenticate({ kind: 'bearer', token: open.key }, '127.0.0.1')
    fc.assert(
      fc.property(
        names,
        actions,
        fc.constantFrom('model:infer', 'model:list', 'entry:explain', 'key:create'),
        fc.constantFrom(...NAMES.map(model), { ref: { type: 'Endpoint', id: 'why' }, entities: [] }),
        (models, only, action, target) => {
          const made = callers.createKey({ name: 'demo', models, actions: only, createdBy: 'test' })
          const { caller: scoped } = callers.authenticate({ kind: 'bearer', token: made.key }, '127.0.0.1')
          const narrow = outcome(policies, { caller: scoped, action, target, findings: [] })
          const wide = outcome(policies, { caller: unscoped, action, target, findings: [] })
          assert.ok(narrow !== 'allowed' || wide === 'allowed')
        },
      ),
      { seed: SEED, numRuns: 60 },
    )
  })
})

/** As `answer`, where a pair of action and resource that the schema does not know is a refusal too. */
function outcome(policies: PolicyKeeper, ask: Ask): unknown {
  try {
    return answer(policies, ask)
  } catch {
    return 'refused'
  }
}
