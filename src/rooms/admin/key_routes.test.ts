import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { JsonValue } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import { AdminBench, ENTRY_ID, faultCode, member } from '../../../test/support/admin_bench.ts'
import { KeyListAnswer, KeyRow, MadeKeyAnswer } from './answers.ts'
import { createKeyRoute, listKeysRoute, revokeKeyRoute, rotateKeyRoute } from './key_routes.ts'

const ORDER = { name: 'demo', models: ['echo'], expires_in_ms: 86_400_000 }
const HERE = '127.0.0.1'

function reasonOf(bench: AdminBench, key: string): string {
  try {
    bench.callers.authenticate({ kind: 'bearer', token: new Sealed(key) }, HERE)
    return 'proven'
  } catch {
    return 'refused'
  }
}

async function made(bench: AdminBench, order: JsonValue = ORDER): Promise<{ kid: string; key: string }> {
  const acted = await bench.send(createKeyRoute(bench), { body: order })
  return MadeKeyAnswer.parse(acted.body)
}

test('createKeyRoute makes a key that works, and records the change before it', async (t) => {
  const bench = new AdminBench(t)
  const acted = await bench.send(createKeyRoute(bench), { body: ORDER })
  const { key, kid, name } = MadeKeyAnswer.parse(acted.body)
  assert.deepEqual([acted.status, name, acted.facts], [201, 'demo', { kid }])
  assert.equal(reasonOf(bench, key), 'proven')
  const [change] = bench.recorder.entries
  assert.deepEqual([change?.kind, change?.id, change?.fields['what']], ['change', ENTRY_ID, 'key:create'])
  assert.equal(change?.reserved, true)
  assert.ok(!JSON.stringify(bench.recorder.entries).includes(key), 'the ledger never sees a key')
})

test('createKeyRoute makes nothing: the ledger cannot record', async (t) => {
  const bench = new AdminBench(t)
  bench.recorder.isWritable = false
  assert.equal(await faultCode(() => made(bench)), 'ledger.unwritable')
  assert.deepEqual(bench.callers.listKeys().items, [])
})

const BAD_ORDERS: readonly (readonly [why: string, order: JsonValue])[] = [
  ['no name', { expires_in_ms: 1_000 }],
  ['no expiry', { name: 'demo' }],
  ['a member that is not known', { ...ORDER, admin: true }],
  ['a name with a slash', { ...ORDER, name: 'a/b' }],
  ['an environment of its own', { ...ORDER, environment: 'prod' }],
  ['a range that is none', { ...ORDER, addresses: ['10.0.0.0/40'] }],
  ['more than 90 days', { ...ORDER, expires_in_ms: 91 * 86_400_000 }],
  ['an expiry in the past', { ...ORDER, expires_in_ms: -1 }],
  ['models as a text', { ...ORDER, models: 'echo' }],
  ['not an object', [ORDER]],
]
for (const [why, order] of BAD_ORDERS) {
  test(`createKeyRoute refuses and records no change: ${why}`, async (t) => {
    const bench = new AdminBench(t)
    assert.equal(await faultCode(() => made(bench, order)), 'input.invalid')
    assert.deepEqual(bench.recorder.entries, [])
  })
}

test('createKeyRoute says which field is wrong, never a value', async (t) => {
  const bench = new AdminBench(t)
  const order = { ...ORDER, environment: 'zebra', zebra_member: 1 }
  await assert.rejects(made(bench, order), (thrown: Error) => {
    assert.ok(thrown.message.includes('environment'))
    assert.ok(!thrown.message.includes('zebra'))
    return true
  })
})

test('createKeyRoute refuses a query: nothing shadows the body', async (t) => {
  const bench = new AdminBench(t)
  const send = () => bench.send(createKeyRoute(bench), { body: ORDER, query: [['name', 'other']] })
  assert.equal(await faultCode(send), 'input.invalid')
})

test('listKeysRoute lists keys without anything secret', async (t) => {
  const bench = new AdminBench(t)
  const { key, kid } = await made(bench)
  const acted = await bench.send(listKeysRoute(bench))
  const [row] = KeyListAnswer.parse(acted.body).keys
  assert.deepEqual([row?.kid, row?.name, row?.state, row?.models], [kid, 'demo', 'live', ['echo']])
  assert.ok(!JSON.stringify(acted.body).includes(key.slice(24, 40)))
})

test('rotateKeyRoute gives a second secret, and both work', async (t) => {
  const bench = new AdminBench(t)
  const first = await made(bench)
  const acted = await bench.send(rotateKeyRoute(bench), { params: { kid: first.kid } })
  const second = MadeKeyAnswer.parse(acted.body)
  assert.notEqual(second.key, first.key)
  assert.deepEqual([reasonOf(bench, first.key), reasonOf(bench, second.key)], ['proven', 'proven'])
  const change = bench.recorder.entries.at(-1)
  assert.deepEqual([change?.fields['what'], change?.fields['kid']], ['key:rotate', first.kid])
})

test('revokeKeyRoute ends a key at once, for good, and recorded first', async (t) => {
  const bench = new AdminBench(t)
  const { kid, key } = await made(bench)
  const acted = await bench.send(revokeKeyRoute(bench), { params: { kid } })
  assert.equal(KeyRow.parse(acted.body).state, 'revoked')
  assert.equal(reasonOf(bench, key), 'refused')
  assert.equal(bench.recorder.entries.at(-1)?.fields['what'], 'key:revoke')
})

test('revokeKeyRoute changes nothing: the ledger cannot record', async (t) => {
  const bench = new AdminBench(t)
  const { kid, key } = await made(bench)
  bench.recorder.isWritable = false
  assert.equal(
    await faultCode(() => bench.send(revokeKeyRoute(bench), { params: { kid } })),
    'ledger.unwritable',
  )
  assert.equal(reasonOf(bench, key), 'proven')
})

const UNKNOWN: readonly (readonly [why: string, kid: string])[] = [
  ['no key has it', 'AAAAAAAAAAAA'],
  ['it has not the form of a kid', '../../keys'],
]
for (const [why, kid] of UNKNOWN) {
  test(`rotateKeyRoute and revokeKeyRoute refuse and record no change: ${why}`, async (t: TestContext) => {
    const bench = new AdminBench(t)
    for (const route of [rotateKeyRoute(bench), revokeKeyRoute(bench)])
      assert.equal(await faultCode(() => bench.send(route, { params: { kid } })), 'key.unknown')
    assert.deepEqual(bench.recorder.entries, [])
  })
}

test('rotateKeyRoute refuses a body: it takes none', async (t) => {
  const bench = new AdminBench(t)
  const { kid } = await made(bench)
  const send = () => bench.send(rotateKeyRoute(bench), { params: { kid }, body: { overlap_ms: 1 } })
  assert.equal(await faultCode(send), 'input.invalid')
  assert.equal(member(await bench.send(listKeysRoute(bench)), 'keys') !== undefined, true)
})
