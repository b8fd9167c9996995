import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryKind } from '#base/recorder.ts'
import type { JsonObject } from '#base/json.ts'
import { STAGES } from '#door/outcome.ts'
import type { Head } from '#trust/ledger/checkpoint.ts'
import type { HeldOutside } from '#trust/ledger/held_outside.ts'
import type { EntryView } from './entry_view.ts'
import { explain, Explanation } from './why.ts'

const ID = '7Qb2xL9fKc0TzR4m'
const at = (kind: EntryKind, shown: JsonObject, opened: JsonObject = {}): EntryView => ({
  origin: 'gatehouse.local/test',
  index: 0,
  kind,
  id: ID,
  at: 1_000,
  shown,
  opened,
})

const INTENT = at('intent', {
  action: 'model:infer',
  caller: 'p',
  kid: 'k',
  policies: ['default.models'],
  set: 's',
  resource: 'Model::"echo"',
})
const DENIED = at(
  'refusal',
  {
    action: 'model:infer',
    caller: 'p',
    kid: 'k',
    stage: 'authorize',
    code: 'action.denied',
    reason: 'scope.model',
    policies: ['default.models'],
    set: 's',
  },
  { asked: 'Model::"x"', caller: 'Service::"demo"' },
)
const STRANGER = at('refusal', {
  stage: 'authenticate',
  code: 'caller.unknown',
  reason: 'key.expired',
  action: 'model:infer',
})
const DONE = at('outcome', { status: 200, ms: 12 })
const FAILED = at('outcome', { status: 502, code: 'upstream.failed', stage: 'act', ms: 3 })
const UNKNOWN = at('outcome', { status: 'unknown', code: 'outcome.unknown' })
const MADE = at('outcome', { status: 201, kid: 'new' })

/** One letter a stage: passed, stopped, not reached, unknown. */
const strip = (told: Explanation | undefined): string =>
  (told?.stages ?? [])
    .map(({ state }) => ({ passed: 'p', stopped: 'S', not_reached: '-', unknown: '?' })[state])
    .join('')

const CASES: readonly (readonly [
  why: string,
  entries: readonly EntryView[],
  result: string,
  stages: string,
])[] = [
  ['answered', [INTENT, DONE], 'answered', 'pppppppppp'],
  ['denied', [DENIED], 'refused', 'ppS-------'],
  ['a stranger', [STRANGER], 'refused', 'S---------'],
  ['the provider failed', [INTENT, FAILED], 'failed', 'pppppppS--'],
  ['the process ended in between', [INTENT], 'unfinished', 'ppppppp???'],
  ['a later process has found that', [INTENT, UNKNOWN], 'unfinished', 'ppppppp???'],
  ['a change on its own', [at('change', { what: 'policy:change' })], 'recorded', ''],
]
for (const [why, entries, result, stages] of CASES) {
  test(`explain draws the stages: ${why}`, () => {
    const told = explain(entries, 'operator')
    assert.deepEqual([told?.result, strip(told)], [result, stages])
    Explanation.parse(told)
  })
}

test('explain has nothing to say: there are no entries', () => {
  assert.equal(explain([], 'operator'), undefined)
})

test('explain keeps the reason, the caller and opened values from a caller', () => {
  const told = explain([DENIED], 'caller')
  assert.equal(told?.operator, null)
  const text = JSON.stringify(told)
  for (const kept of ['scope.model', 'Service', 'Model', '"set"', 'kid'])
    assert.ok(!text.includes(kept), kept)
  assert.deepEqual(told.policies, ['default.models'])
  assert.equal(told.code, 'action.denied')
  assert.notEqual(told.hint, null)
})

test('explain gives an operator reason, resource and caller', () => {
  const part = explain([DENIED], 'operator')?.operator
  assert.equal(part?.reason, 'scope.model')
  assert.equal(part.resource, 'Model::"x"')
  assert.equal(part.caller, 'Service::"demo"')
})

test('explain names the key that asked, not the one that was made', () => {
  const intent = at('intent', { action: 'key:create', caller: 'p' })
  assert.equal(explain([intent, MADE], 'operator')?.operator?.kid, null)
})

const HINTS: readonly (readonly [
  why: string,
  shown: JsonObject,
  clearance: 'operator' | 'caller',
  expected: RegExp,
])[] = [
  ['an operator, by the reason', { code: 'action.denied', reason: 'scope.model' }, 'operator', /--models/],
  ['a caller, how to ask', { code: 'action.denied', reason: 'scope.model' }, 'caller', /^Ask an operator/],
  [
    'a caller, never by the reason',
    { code: 'caller.unknown', reason: 'key.revoked' },
    'caller',
    /^Send "Authorization/,
  ],
  ['anyone, the hint of the code', { code: 'upstream.slow' }, 'operator', /^Try again/],
]
for (const [why, shown, clearance, expected] of HINTS) {
  test(`explain hints at what to do: ${why}`, () => {
    assert.match(explain([at('refusal', { stage: 'authorize', ...shown })], clearance)?.hint ?? '', expected)
  })
}

test('explain survives a code that this version does not know', () => {
  assert.equal(explain([at('refusal', { stage: 'parse', code: 'later.code' })], 'caller')?.title, null)
})

test('explain covers every stage of the door', () => {
  assert.equal(strip(explain([INTENT, DONE], 'operator')).length, STAGES.length)
})

const HELD: readonly (readonly [why: string, held: HeldOutside, expected: Explanation['held']])[] = [
  ['nobody', outside(undefined, undefined), { by: 'nobody', since: null, older: false }],
  ['witnesses', outside({ entries: 9, at: 7 }, undefined), { by: 'witnesses', since: 7, older: false }],
  [
    'anchors',
    outside({ entries: 8, at: 7 }, { entries: 9, at: undefined }),
    { by: 'anchors', since: null, older: false },
  ],
  [
    'witnesses before anchors',
    outside({ entries: 9, at: 7 }, { entries: 9, at: 3 }),
    { by: 'witnesses', since: 7, older: false },
  ],
  [
    'nobody up to the last entry',
    outside({ entries: 8, at: 7 }, { entries: 8, at: 7 }),
    { by: 'nobody', since: null, older: false },
  ],
  ['not known: another log', { ...outside({ entries: 9, at: 7 }, undefined), origin: 'x' }, null],
  [
    'witnesses, by the end that the log after theirs states',
    { ...outside({ entries: 1, at: 7 }, undefined), origin: 'x', before: [end(9)] },
    { by: 'witnesses', since: 7, older: true },
  ],
  [
    'nobody: of the log after theirs nothing is held yet',
    { ...outside({ entries: 0, at: 7 }, undefined), origin: 'x', before: [end(9)] },
    { by: 'nobody', since: null, older: true },
  ],
  [
    'not known: theirs is not said to have had so many',
    { ...outside({ entries: 1, at: 7 }, undefined), origin: 'x', before: [end(8)] },
    null,
  ],
]

for (const [why, held, expected] of HELD)
  test(`explain says who holds the entries outside: ${why}`, () => {
    const entries = [INTENT, { ...DONE, index: 8 }]
    for (const clearance of ['operator', 'caller'] as const)
      assert.deepEqual(explain(entries, clearance, held)?.held, expected)
    assert.equal(explain(entries, 'operator')?.held, null)
  })

function end(size: number): Head {
  return { origin: 'gatehouse.local/test', size, root: Buffer.alloc(32) }
}

function outside(witnessed: HeldOutside['witnessed'], anchored: HeldOutside['anchored']): HeldOutside {
  return { origin: 'gatehouse.local/test', witnessed, anchored }
}
