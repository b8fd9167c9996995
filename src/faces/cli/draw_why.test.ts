import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryView } from '#rooms/admin/entry_view.ts'
import { explain } from '#rooms/admin/why.ts'
import { drawWhy } from './draw_why.ts'
import { painter } from './style.ts'

const DENIED: EntryView = {
  origin: 'gatehouse.local/test',
  index: 4,
  kind: 'refusal',
  id: '7Qb2xL9fKc0TzR4m',
  at: Date.UTC(2026, 10, 22, 3, 4, 5),
  shown: {
    action: 'model:infer',
    stage: 'authorize',
    code: 'action.denied',
    reason: 'scope.model',
    policies: ['default.models'],
    kid: 'k1',
  },
  opened: { asked: 'Model::"x"' },
}
const PLAIN = painter({ isTty: false, env: {} })

test('drawWhy draws the pipeline as a strip and what decided below it', () => {
  const told = explain([DENIED], 'operator')
  assert.ok(told !== undefined)
  const lines = drawWhy(told, PLAIN).split('\n')
  assert.equal(lines[0], '7Qb2xL9fKc0TzR4m  2026-11-22 03:04:05Z  refused: action.denied')
  assert.ok(lines[2]?.startsWith('  authenticate ✓ ─ parse ✓ ─ authorize ✗ ─ meter · ─ inspect_request ·'))
  for (const part of ['default.models', 'Model::"x"', 'scope.model', 'model:infer'])
    assert.ok(lines.join('\n').includes(part), part)
})

test('drawWhy keeps the operator’s part from a caller', () => {
  const told = explain([DENIED], 'caller')
  assert.ok(told !== undefined)
  const text = drawWhy(told, PLAIN)
  for (const part of ['Model::', 'scope.model', 'k1']) assert.ok(!text.includes(part), part)
})

test('drawWhy names the member of a pool that was asked, to an operator only', () => {
  const outcome = (tries: number): EntryView => ({
    ...DENIED,
    kind: 'outcome',
    shown: { status: 200, ms: 3, model: 'second', tries },
  })
  const drawn = (tries: number, clearance: 'operator' | 'caller'): string => {
    const told = explain([outcome(tries)], clearance)
    return told === undefined ? '' : drawWhy(told, PLAIN)
  }
  assert.match(drawn(1, 'operator'), /^ {2}model +second$/m)
  assert.match(drawn(2, 'operator'), /^ {2}model +second, after 2 tries$/m)
  assert.doesNotMatch(drawn(2, 'caller'), /second/)
})

test('drawWhy says whether anybody outside holds the entries', () => {
  const drawn = (entries: number, at: number | undefined): string => {
    const held = { origin: DENIED.origin, witnessed: { entries, at }, anchored: undefined }
    return drawWhy(explain([DENIED], 'caller', held) ?? assert.fail(), PLAIN)
  }
  assert.match(drawn(5, DENIED.at), /^ {2}held +outside: cosigned by witnesses, at 2026-11-22 03:04:05Z$/m)
  assert.match(drawn(4, undefined), /^ {2}held +outside: not yet$/m)
  // Of an older log: the one in use has one entry, which states how the older one ended.
  const before = [{ origin: DENIED.origin, size: 9, root: Buffer.alloc(32) }]
  const newer = { origin: 'x', witnessed: { entries: 1, at: DENIED.at }, anchored: undefined, before }
  assert.match(
    drawWhy(explain([DENIED], 'caller', newer) ?? assert.fail(), PLAIN),
    /^ {2}held +outside: cosigned by witnesses, at 2026-11-22 03:04:05Z, through the log in use, which/m,
  )
})

test('painter colours a terminal only, and not with NO_COLOR', () => {
  assert.equal(painter({ isTty: true, env: {} })('red', 'x'), '\u001B[31mx\u001B[0m')
  assert.equal(painter({ isTty: true, env: { NO_COLOR: '1' } })('red', 'x'), 'x')
  assert.equal(painter({ isTty: true, env: { TERM: 'dumb' } })('red', 'x'), 'x')
  assert.equal(PLAIN('red', 'x'), 'x')
})
