import assert from 'node:assert/strict'
import { test } from 'node:test'
import { benchDoor, drawDoor } from './door.ts'

test('benchDoor measures side by side, and says who is absent', async () => {
  const only = ['direct', 'bare', 'bare_ledger'] as const
  const report = await benchDoor({ rounds: 1, seconds: 0.3, only, levels: [2, 4], say: () => undefined })
  assert.deepEqual(Object.keys(report.levels), ['2', '4'])
  for (const level of Object.values(report.levels)) {
    for (const name of only) {
      assert.ok((level[name]?.req_per_s ?? 0) > 0, name)
      assert.equal(level[name]?.errors, 0, name)
    }
    assert.ok((level.bare?.added_p50_us ?? 0) > 0, 'a proxy cannot be quicker than what it stands before')
  }
  assert.equal(report.absent.peer, 'not asked for')
  assert.deepEqual(report.ratios['4'], {
    governed_over_peer: null,
    governed_over_bare: null,
    governed_over_bare_ledger: null,
    guarantees_over_bare_ledger: null,
    governed_over_guarantees: null,
  })
  assert.match(drawDoor(report), /governed_over_peer +not measured/)
})
