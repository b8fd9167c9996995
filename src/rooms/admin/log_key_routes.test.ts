import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminBench, ENTRY_ID, faultCode } from '../../../test/support/admin_bench.ts'
import { rotateLogKeyRoute, type LogKeyRouteParts } from './log_key_routes.ts'

const DAY_MS = 86_400_000
const AT = Date.UTC(2026, 10, 22)

function keys(): LogKeyRouteParts['logKeys'] & { readonly asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    get named() {
      return asked.length === 0
        ? [{ key: 'old', state: 'signs', endsAt: undefined } as const]
        : [
            { key: 'new', state: 'signs', endsAt: undefined } as const,
            { key: 'old', state: 'ends', endsAt: AT } as const,
          ]
    },
    rotate: async (overlapMs) => {
      asked.push(overlapMs)
      return Promise.resolve()
    },
    fields: () => (asked.length === 0 ? ['old'] : ['new']),
  }
}

function partsOf({ changes, clock }: AdminBench, logKeys: LogKeyRouteParts['logKeys']): LogKeyRouteParts {
  return { logKeys, changes, clock }
}

test('rotateLogKeyRoute records the change before it, and the new keys after it', async (t) => {
  const bench = new AdminBench(t)
  const logKeys = keys()
  const acted = await bench.send(rotateLogKeyRoute(partsOf(bench, logKeys)), { body: { overlap_ms: DAY_MS } })
  assert.deepEqual([acted.status, acted.facts], [200, { after: ['new'] }])
  assert.deepEqual(acted.body, {
    keys: [
      { key: 'new', state: 'signs', ends_at: null },
      { key: 'old', state: 'ends', ends_at: '2026-11-22T00:00:00Z' },
    ],
  })
  assert.deepEqual(logKeys.asked, [DAY_MS])
  const [change] = bench.recorder.entries
  const { what, before, expires } = change?.fields ?? {}
  assert.deepEqual([change?.kind, change?.id, what, before], ['change', ENTRY_ID, 'log_key:rotate', ['old']])
  assert.ok(typeof expires === 'string')
  assert.equal(Date.parse(expires), Math.floor((bench.clock.now() + DAY_MS) / 1_000) * 1_000)
})

test('rotateLogKeyRoute changes no key: the ledger cannot record', async (t) => {
  const bench = new AdminBench(t)
  bench.recorder.isWritable = false
  const logKeys = keys()
  const route = rotateLogKeyRoute(partsOf(bench, logKeys))
  assert.equal(
    await faultCode(async () => bench.send(route, { body: { overlap_ms: 0 } })),
    'ledger.unwritable',
  )
  assert.deepEqual(logKeys.asked, [])
})

for (const [why, overlap] of [
  ['longer than 400 days', 401 * DAY_MS],
  ['below zero', -1],
  ['no number', 'x'],
] as const)
  test(`rotateLogKeyRoute refuses an overlap: ${why}`, async (t) => {
    const bench = new AdminBench(t)
    const route = rotateLogKeyRoute(partsOf(bench, keys()))
    assert.equal(
      await faultCode(async () => bench.send(route, { body: { overlap_ms: overlap } })),
      'input.invalid',
    )
  })
