import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { deepFreeze, type JsonValue } from '#base/json.ts'
import type { CheckState } from './check.ts'
import { examine } from './examine.ts'
import { noFacts, type Facts, type HeldFacts } from './facts.ts'
import { CHECKS } from './checks/all.ts'

const NOW = Date.UTC(2026, 10, 22)
const DAY_MS = 86_400_000
const GIB = 1_024 ** 3

const HOME = {
  path: '/srv/gate',
  mode: 0o700,
  isOwn: true,
  keyFiles: [],
  isRestored: false,
  firstKeyAt: undefined,
}
const LEDGER = {
  isWritable: true,
  reason: undefined,
  entries: 10,
  problems: [],
  lost: 0,
  unknownOutcomes: 0,
  restored: undefined,
  notices: [],
  contradictions: [],
  firstAt: NOW - 10 * DAY_MS,
  lastAt: NOW - 1_000,
  outside: {
    entries: 10,
    quorum: 2,
    witnessed: { entries: 10, at: NOW - 60_000 },
    anchored: undefined,
    near: { names: [], isAll: true },
  },
}
const GOOD: Facts = {
  now: NOW,
  home: HOME,
  disk: { freeBytes: 100 * GIB, ledgerBytes: GIB, daysLeft: undefined },
  ledger: LEDGER,
  policy: { state: 'good', set: 'a'.repeat(64), problems: 0 },
  listeners: [{ name: 'door', address: '127.0.0.1:4400', rule: 'loopback', expiresAt: undefined }],
  models: [{ name: 'echo', key: 'none' }],
  issuers: [{ name: 'corp', state: 'fresh', problems: [] }],
  workers: [{ number: 1, state: 'serving', restarts: 0 }],
  node: { version: 'v26.10.0', pinned: 'v26.10.0' },
  door: { isRunning: true, pid: 12 },
}

const worker = (state: 'serving' | 'starting' | 'given up', restarts: number) => ({
  workers: [{ number: 1, state, restarts }],
})
const held = (witnessed: HeldFacts | undefined, anchored: HeldFacts | undefined) => ({
  ledger: { ...LEDGER, outside: { ...LEDGER.outside, witnessed, anchored } },
})

/** A file on the disk of the home holds all. */
const near = (isAll: boolean, witnessed?: HeldFacts) => ({
  ledger: {
    ...LEDGER,
    outside: {
      ...LEDGER.outside,
      witnessed,
      anchored: { entries: 10, at: NOW },
      near: { names: ['/mnt/x'], isAll },
    },
  },
})

const listener = (rule: 'tls' | 'insecure' | 'exposed', expiresAt?: number) => ({
  listeners: [{ name: 'door', address: '10.0.0.1:4400', rule, expiresAt }],
})

const issuer = (state: 'waiting' | 'fresh' | 'stale' | 'none', ...problems: readonly string[]) => ({
  issuers: [{ name: 'corp', state, problems }],
})

const CASES: readonly (readonly [why: string, id: string, part: Partial<Facts>, expected: CheckState])[] = [
  ['others may enter the home', 'home-permissions', { home: { ...HOME, mode: 0o750 } }, 'fail'],
  ['the home is somebody else’s', 'home-permissions', { home: { ...HOME, isOwn: false } }, 'fail'],
  [
    'keys lie in files',
    'key-file-modes',
    { home: { ...HOME, keyFiles: [{ name: 'pepper', mode: 0o600 }] } },
    'warn',
  ],
  [
    'a key file is open',
    'key-file-modes',
    { home: { ...HOME, keyFiles: [{ name: 'pepper', mode: 0o640 }] } },
    'fail',
  ],
  ['the ledger is read-only', 'ledger-writable', { ledger: { ...LEDGER, isWritable: false } }, 'fail'],
  ['an anchor is away', 'ledger-writable', { ledger: { ...LEDGER, notices: ['x'] } }, 'warn'],
  ['an anchor holds more', 'ledger-verifies', { ledger: { ...LEDGER, contradictions: ['x'] } }, 'fail'],
  ['an anchor is away', 'ledger-verifies', { ledger: { ...LEDGER, notices: ['x'] } }, 'ok'],
  ['a restore lost entries', 'ledger-verifies', { ledger: { ...LEDGER, lost: 2 } }, 'warn'],
  ['the ledger has a problem', 'ledger-verifies', { ledger: { ...LEDGER, problems: ['entry 3'] } }, 'fail'],
  ['nobody holds it', 'ledger-anchored', held(undefined, undefined), 'warn'],
  ['a file holds it', 'ledger-anchored', held(undefined, { entries: 9, at: undefined }), 'ok'],
  ['files on the disk of the home hold it', 'ledger-anchored', near(true), 'warn'],
  ['a file elsewhere holds it too', 'ledger-anchored', near(false), 'ok'],
  ['witnesses hold it too', 'ledger-anchored', near(true, { entries: 9, at: NOW }), 'ok'],
  ['witnesses are behind', 'ledger-anchored', held({ entries: 9, at: NOW - 2 * DAY_MS }, undefined), 'warn'],
  [
    'witnesses are behind, anchors not',
    'ledger-anchored',
    held({ entries: 1, at: 0 }, { entries: 10, at: NOW }),
    'ok',
  ],
  ['nothing is new', 'ledger-anchored', held({ entries: 10, at: NOW - 2 * DAY_MS }, undefined), 'ok'],
  [
    'the disk is full',
    'disk-forecast',
    { disk: { freeBytes: 1_000, ledgerBytes: GIB, daysLeft: undefined } },
    'fail',
  ],
  [
    'two days are left',
    'disk-forecast',
    { disk: { freeBytes: 0.45 * GIB, ledgerBytes: GIB, daysLeft: undefined } },
    'fail',
  ],
  [
    'ten days are left',
    'disk-forecast',
    { disk: { freeBytes: 1.25 * GIB, ledgerBytes: GIB, daysLeft: undefined } },
    'warn',
  ],
  [
    'the door forecasts five days',
    'disk-forecast',
    { disk: { freeBytes: 100 * GIB, ledgerBytes: GIB, daysLeft: 5 } },
    'warn',
  ],
  ['history is too short', 'disk-forecast', { ledger: { ...LEDGER, firstAt: NOW - 2_000 } }, 'ok'],
  ['a door was killed', 'outcomes-known', { ledger: { ...LEDGER, unknownOutcomes: 2 } }, 'warn'],
  ['nobody has counted', 'outcomes-known', { ledger: { ...LEDGER, unknownOutcomes: undefined } }, 'unknown'],
  ['the home has not been started since', 'home-restored', { home: { ...HOME, isRestored: true } }, 'warn'],
  [
    'the home was restored',
    'home-restored',
    { ledger: { ...LEDGER, restored: { at: 0, before: { origin: 'gatehouse.local/x', size: 5 }, lost: 3 } } },
    'warn',
  ],
  [
    'a home without a ledger was restored',
    'home-restored',
    { ledger: { ...LEDGER, restored: { at: 0, before: undefined, lost: 0 } } },
    'warn',
  ],
  ['an old set holds', 'policy-healthy', { policy: { state: 'degraded', set: 'a', problems: 1 } }, 'fail'],
  ['no set holds', 'policy-healthy', { policy: { state: 'none', set: undefined, problems: 1 } }, 'fail'],
  ['a listener is open', 'listeners-guarded', listener('exposed'), 'fail'],
  ['a listener has TLS', 'listeners-guarded', listener('tls'), 'ok'],
  ['an exception holds', 'listeners-guarded', listener('insecure', NOW + DAY_MS), 'warn'],
  ['an exception has expired', 'listeners-guarded', listener('insecure', NOW), 'fail'],
  ['an exception has no end', 'listeners-guarded', listener('insecure'), 'fail'],
  ['a model waits for its key', 'models-have-keys', { models: [{ name: 'gpt', key: 'missing' }] }, 'warn'],
  ['an issuer cannot be read', 'issuers-readable', issuer('none', 'not reached'), 'fail'],
  ['old keys count', 'issuers-readable', issuer('stale', 'not reached'), 'warn'],
  ['a key is not used', 'issuers-readable', issuer('fresh', 'key 1 is not used'), 'warn'],
  ['an issuer has not been asked', 'issuers-readable', issuer('waiting'), 'unknown'],
  ['there is no issuer', 'issuers-readable', { issuers: [] }, 'ok'],
  ['one process does it all', 'workers-serving', { workers: [] }, 'ok'],
  ['a worker ended', 'workers-serving', worker('serving', 1), 'warn'],
  ['a worker starts', 'workers-serving', worker('starting', 1), 'warn'],
  ['a worker was given up', 'workers-serving', worker('given up', 10), 'fail'],
  ['the clock went back', 'clock-sane', { ledger: { ...LEDGER, lastAt: NOW + 3_600_000 } }, 'fail'],
  ['the clock is years back', 'clock-sane', { now: 0 }, 'fail'],
  ['another Node runs', 'node-pinned', { node: { version: 'v24.0.0', pinned: 'v26.10.0' } }, 'warn'],
  ['no door runs', 'door-running', { door: { isRunning: false, pid: undefined } }, 'unknown'],
  ['the first key is there', 'first-key-gone', { home: { ...HOME, firstKeyAt: NOW - 1_000 } }, 'warn'],
  [
    'the first key has expired',
    'first-key-gone',
    { home: { ...HOME, firstKeyAt: NOW - 2 * DAY_MS } },
    'fail',
  ],
]

for (const [why, id, part, expected] of CASES) {
  test(`${id} says ${expected}: ${why}`, () => {
    const row = examine(CHECKS, { ...GOOD, ...part }).rows.find((found) => found.id === id)
    assert.equal(row?.state, expected)
    assert.equal(row.fix === '', expected === 'ok')
  })
}

test('ledger-writable says why the running door cannot record, and not that of a user who may not', () => {
  const ledger = { ...LEDGER, isWritable: false, reason: 'the disk is full' }
  const row = examine(CHECKS, { ...GOOD, ledger }).rows.find(({ id }) => id === 'ledger-writable')
  assert.equal(row?.state, 'fail')
  assert.match(row.says, /the disk is full$/)
  assert.match(row.fix, /^Free space/)
})

test('examine says ok to every check: all is well', () => {
  assert.deepEqual(examine(CHECKS, GOOD).counts, { ok: CHECKS.length, warn: 0, fail: 0, unknown: 0 })
})

test('examine says unknown to every check: nothing could be read', () => {
  const { rows, counts } = examine(CHECKS, noFacts(NOW))
  assert.equal(counts.unknown, CHECKS.length)
  for (const row of rows) assert.notEqual(row.fix, '', row.id)
})

test('examine counts a check that throws as unknown: it is never green by absence', () => {
  const broken = {
    id: 'broken',
    title: 'Broken',
    why: '',
    run: () => {
      throw new TypeError('x')
    },
  }
  assert.equal(examine([broken], GOOD).counts.unknown, 1)
})

test('CHECKS keeps the contract: ids are unique, sorted, named as their files, and all files are listed', () => {
  const ids = CHECKS.map(({ id }) => id)
  assert.deepEqual(ids, [...new Set(ids)].sort())
  const files = readdirSync(`${import.meta.dirname}/checks`).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('all.'),
  )
  assert.deepEqual(
    ids.map((id) => `${id.replaceAll('-', '_')}.ts`),
    files.sort(),
  )
  for (const check of CHECKS) assert.ok(check.why.length > 20 && check.title.length > 2, check.id)
})

test('CHECKS are pure: frozen facts give the same answer twice', () => {
  const frozen = deepFreeze(structuredClone(GOOD) as unknown as JsonValue) as unknown as Facts
  assert.deepEqual(examine(CHECKS, frozen), examine(CHECKS, frozen))
})
