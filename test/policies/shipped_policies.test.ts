import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import type { EntityFacts, EntityRef } from '#base/decider.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'

const FOLDER = new URL('../../policies/', import.meta.url)
const NAMES = ['default.cedar', 'operator.cedar', 'provisioning.cedar']

/** Everything that the questions below name, with where it belongs. */
const WORLD: readonly EntityFacts[] = [
  entity('Tenant::default'),
  entity('Space::default', ['Tenant::default']),
  entity('Space::other', ['Tenant::default']),
  entity('Service::demo', ['Space::default']),
  entity('Service::guest', ['Space::other']),
  entity('Service::entra', ['Space::default', 'Role::provisioner']),
  entity('Role::provisioner'),
  entity('User::eve', ['Space::default', 'Role::provisioner']),
  entity('Service::operator', ['Space::default']),
  entity('User::ann', ['Space::default']),
  entity('System::operator'),
  entity('System::retention'),
  entity('System::gatehouse'),
  entity('Model::echo', ['Space::default'], { provider: 'echo' }),
  entity('Model::abroad', ['Space::default'], { provider: 'openai', region: 'us' }),
  entity('Model::theirs', ['Space::other'], { provider: 'echo' }),
  entity('Endpoint::models', ['Space::default']),
  entity('Endpoint::why'),
  entity('Endpoint::receipts'),
]

const ASSURANCE = { aal: 1, via: 'key', binding: 'none', amr: [], actors: [] }

type Way = 'key' | 'socket'
type Row = readonly [principal: string, action: string, resource: string, way: Way, effect: 'allow' | 'deny']

const ROWS: readonly Row[] = [
  ['Service::demo', 'model:infer', 'Model::echo', 'key', 'allow'],
  ['Service::demo', 'model:infer', 'Model::abroad', 'key', 'allow'],
  ['Service::demo', 'model:infer', 'Model::theirs', 'key', 'deny'],
  ['Service::demo', 'model:infer', 'Model::absent', 'key', 'deny'],
  ['Service::demo', 'model:infer', 'Endpoint::models', 'key', 'deny'],
  ['Service::demo', 'model:list', 'Endpoint::models', 'key', 'allow'],
  ['Service::demo', 'model:list', 'Model::echo', 'key', 'allow'],
  ['Service::demo', 'model:list', 'Model::theirs', 'key', 'deny'],
  ['Service::demo', 'entry:explain', 'Endpoint::why', 'key', 'allow'],
  ['Service::demo', 'entry:explain', 'Endpoint::models', 'key', 'deny'],
  ['Service::demo', 'entry:receipt', 'Endpoint::receipts', 'key', 'allow'],
  ['Service::demo', 'entry:receipt', 'Endpoint::why', 'key', 'deny'],
  ['Service::guest', 'entry:receipt', 'Endpoint::receipts', 'key', 'deny'],
  ['Service::demo', 'entry:explain', 'System::gatehouse', 'key', 'deny'],
  ['Service::demo', 'key:create', 'System::gatehouse', 'key', 'deny'],
  ['Service::demo', 'policy:change', 'System::gatehouse', 'key', 'deny'],
  ['Service::demo', 'policy:change', 'System::gatehouse', 'socket', 'deny'],
  ['Service::demo', 'ledger:read', 'System::gatehouse', 'key', 'deny'],
  ['Service::demo', 'health:read', 'System::gatehouse', 'key', 'deny'],
  ['Service::guest', 'model:infer', 'Model::echo', 'key', 'deny'],
  ['Service::guest', 'model:infer', 'Model::theirs', 'key', 'deny'],
  ['Service::guest', 'model:list', 'Endpoint::models', 'key', 'deny'],
  ['Service::guest', 'entry:explain', 'Endpoint::why', 'key', 'deny'],
  ['Service::entra', 'scim:read', 'System::gatehouse', 'key', 'allow'],
  ['Service::entra', 'scim:write', 'System::gatehouse', 'key', 'allow'],
  ['Service::entra', 'scim:write', 'System::retention', 'key', 'deny'],
  ['Service::entra', 'caller:disable', 'System::gatehouse', 'key', 'deny'],
  ['Service::demo', 'scim:read', 'System::gatehouse', 'key', 'deny'],
  ['User::eve', 'scim:write', 'System::gatehouse', 'key', 'deny'],
  ['System::operator', 'scim:write', 'System::gatehouse', 'socket', 'allow'],
  ['Service::absent', 'model:infer', 'Model::echo', 'key', 'deny'],
  ['Service::operator', 'policy:change', 'System::gatehouse', 'key', 'deny'],
  ['User::ann', 'model:infer', 'Model::echo', 'key', 'deny'],
  ['User::ann', 'entry:explain', 'Endpoint::why', 'key', 'deny'],
  ['System::operator', 'policy:change', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'policy:change', 'System::gatehouse', 'key', 'deny'],
  ['System::operator', 'policy:change', 'System::retention', 'socket', 'deny'],
  ['System::operator', 'key:create', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'key:revoke', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'caller:disable', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'ledger:verify', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'health:read', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'door:stop', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'entry:explain', 'Endpoint::why', 'socket', 'allow'],
  ['System::operator', 'entry:explain', 'System::gatehouse', 'socket', 'allow'],
  ['System::operator', 'entry:explain', 'Endpoint::why', 'key', 'deny'],
  ['System::operator', 'model:infer', 'Model::echo', 'socket', 'deny'],
  ['System::retention', 'policy:change', 'System::gatehouse', 'socket', 'deny'],
  ['System::retention', 'ledger:read', 'System::gatehouse', 'socket', 'deny'],
  ['System::gatehouse', 'policy:change', 'System::gatehouse', 'socket', 'deny'],
]

suite('shipped policies', () => {
  test('the shipped policies allow exactly what they say', () => {
    const files = NAMES.map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }))
    const compiled = cedarEngine.compile(files, 'shipped')
    assert.ok(compiled.kind === 'good', JSON.stringify(compiled))
    for (const [principal, action, resource, way, effect] of ROWS) {
      const decision = compiled.decider.decide({
        principal: ref(principal),
        action: { type: 'Action', id: action },
        resource: ref(resource),
        context: { findings: [], via_key: way === 'key', assurance: ASSURANCE },
        entities: [WORLD],
      })
      assert.equal(decision.effect, effect, `${principal} ${action} ${resource} by ${way}`)
      assert.deepEqual(decision.errors, [])
    }
  })

  test('the examples in the comments are policies that compile', () => {
    const text = readFileSync(new URL('default.cedar', FOLDER), 'utf8')
    const examples = text
      .split('\n')
      .filter((line) => line.startsWith('//   '))
      .map((line) => line.slice(2))
      .join('\n')
    const compiled = cedarEngine.compile([{ name: 'examples.cedar', text: examples }], 'examples')
    assert.ok(compiled.kind === 'good', JSON.stringify(compiled))
    assert.equal(compiled.policies.length, 2)
  })
})

function entity(printed: string, parents: readonly string[] = [], attributes = {}): EntityFacts {
  return { ref: ref(printed), attributes, parents: parents.map(ref) }
}

function ref(printed: string): EntityRef {
  const [type = '', id = ''] = printed.split('::')
  return { type, id }
}
