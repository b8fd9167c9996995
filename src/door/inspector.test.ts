import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import type { Detector } from './detector.ts'
import { always } from './inspection_actions.ts'
import { Inspector } from './inspector.ts'

/** Finds one word, so that tests need no credential. */
const WORD: Detector = {
  id: 'word',
  why: 'tests',
  find: (text) => {
    const start = text.indexOf('banana')
    return start < 0 ? [] : [{ rule: 'word.banana', start, end: start + 6 }]
  },
}

const LARGE = 'some words '.repeat(LIMITS.inspectedAtOnce / 4)
const inspector = new Inspector({
  detectors: [WORD],
  actions: { request: always('redact'), response: always('block') },
  encoded: 'pass',
})
const BLOCKED = { code: 'content.blocked', detail: { findings: ['word.banana'] } }

test('Inspector is done at once with a value of ordinary size', () => {
  const value = { a: 'a banana', b: 'c' }
  assert.deepEqual(inspector.inspect('request', 'all', value), {
    value: { a: 'a [redacted:word.banana]', b: 'c' },
    findings: ['word.banana'],
  })
  assert.throws(() => inspector.inspect('response', 'all', value), BLOCKED)
})

test('Inspector takes turns with all other work over a large value', async () => {
  let turns = 0
  let isOver = false
  const count = (): void => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const clean = inspector.inspect('request', 'all', { a: LARGE })
  const planted = inspector.inspect('request', 'all', { a: `${LARGE}banana` })
  const refused = assert.rejects(
    async () => await inspector.inspect('response', 'all', { a: `${LARGE}banana` }),
    BLOCKED,
  )
  assert.ok(clean instanceof Promise)
  assert.equal((await clean).value.a, LARGE)
  assert.deepEqual((await planted).findings, ['word.banana'])
  await refused
  isOver = true
  // Three values in two or three pieces each, after the first ones: never two of them in one turn.
  assert.ok(turns >= 6, String(turns))
})

test('Inspector does not look at what is exempt', () => {
  const value = { a: 'banana' }
  assert.deepEqual(inspector.inspect('response', { exempt: 'tests' }, value), { value, findings: [] })
})

test('Inspector treats a route otherwise where it is told to, in each direction for itself', () => {
  const routes = new Map([['loud', { request: always('pass'), response: always('redact') }]])
  const actions = { request: always('redact'), response: always('block') }
  const own = new Inspector({ detectors: [WORD], actions, routes, encoded: 'pass' })
  const value = { a: 'banana' }
  const redacted = { value: { a: '[redacted:word.banana]' }, findings: ['word.banana'] }
  assert.deepEqual(own.ofRoute('other').inspect('request', 'all', value), redacted)
  assert.throws(() => own.ofRoute('other').inspect('response', 'all', value), BLOCKED)
  const loud = own.ofRoute('loud')
  assert.deepEqual(loud.inspect('request', 'all', value), { value, findings: ['word.banana'] })
  assert.deepEqual(loud.inspect('response', 'all', value), redacted)
  const guard = loud.guard()
  assert.equal(guard.push('a banana ') + guard.end(), 'a [redacted:word.banana] ')
})

test('Inspector gets ready once for all streams, and once for the key of each upstream', () => {
  let reads = 0
  const counted: Detector = {
    ...WORD,
    get signs() {
      reads += 1
      return { length: 6, run: Infinity, form: /banana/ }
    },
  }
  const secretOf = (): Detector => ({ ...WORD, id: 'secret', find: () => [] })
  const own = new Inspector({
    detectors: [counted],
    actions: { request: always('redact'), response: always('redact') },
    encoded: 'pass',
  })
  const secret = secretOf()
  const use = (one?: Detector): void => {
    const guard = own.guard(undefined, one)
    assert.equal(guard.push('some words, ') + guard.end(), 'some words, ')
  }
  for (const one of [undefined, secret]) use(one)
  const ready = reads
  for (const one of [undefined, secret, undefined, secret]) use(one)
  assert.equal(reads, ready)
  use(secretOf())
  assert.ok(reads > ready)
})
