import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, toBase64Url, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { hmacSha256, sha256, sha256Hex } from '#base/crypto.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { draft, intent, KEYS, outcome } from '../../../test/support/ledger_fixture.ts'
import { classOf } from './class_table.ts'
import { commit, saltFor, verifyDisclosure } from './commitment.ts'
import { cutValue } from './cut.ts'
import { idOf, kindOf, makeLeaf, parseLeaf } from './leaf.ts'
import { checkLeaf } from './leaf_check.ts'
import { pseudonymOf, rememberedPseudonyms } from './pseudonym.ts'
import { Seeds } from './seeds.ts'

const SEED = Buffer.alloc(32, 9)
const PSEUDONYM = (value: string): string => pseudonymOf(KEYS.pseudonymKey, value)

test('classOf knows what is public: and takes every other name as sensitive', () => {
  assert.equal(classOf('status'), 'public')
  assert.equal(classOf('caller'), 'pseudonym')
  for (const name of [
    'address',
    'content',
    'asked',
    'block',
    'Status',
    'toString',
    '__proto__',
    'commit',
    'at',
  ])
    assert.equal(classOf(name), 'sensitive', name)
})

test('makeLeaf gives canonical JSON: public fields in the clear, the caller as a pseudonym, the rest committed', () => {
  const made = makeLeaf(intent(1), SEED, PSEUDONYM)
  const leaf = parseLeaf(made.bytes)
  assert.deepEqual(Buffer.from(made.bytes), Buffer.from(utf8(canonicalJson(leaf))))
  assert.equal(leaf['v'], 1)
  assert.equal(kindOf(leaf), 'intent')
  assert.equal(leaf['action'], 'model:invoke')
  assert.equal(leaf['caller'], PSEUDONYM('Service::"svc-1"'))
  assert.equal(leaf['caller'].length, 16)
  const text = Buffer.from(made.bytes).toString('utf8')
  for (const secret of ['svc-1', '10.0.1', sha256Hex('request 1')]) assert.ok(!text.includes(secret), secret)
  assert.deepEqual(Object.keys(leaf['commit'] ?? {}), ['address', 'content'])
})

test('makeLeaf leaves out the commitments: an entry without sensitive fields', () => {
  const made = makeLeaf(draft('note', { what: 'x' }), SEED, PSEUDONYM)
  assert.ok(!('commit' in parseLeaf(made.bytes)))
  assert.deepEqual(made.secrets.fields, [])
})

test('verifyDisclosure accepts value and salt of a field: and nothing else', () => {
  const made = makeLeaf(intent(1), SEED, PSEUDONYM)
  const leaf = parseLeaf(made.bytes)
  const salt = saltFor(SEED, 'intent', 'address')
  assert.ok(verifyDisclosure(leaf, 'address', '10.0.1.1', salt))
  assert.ok(!verifyDisclosure(leaf, 'address', '10.0.1.2', salt))
  assert.ok(!verifyDisclosure(leaf, 'content', '10.0.1.1', salt))
  assert.ok(!verifyDisclosure(leaf, 'absent', '10.0.1.1', salt))
  assert.ok(!verifyDisclosure(leaf, 'toString', '10.0.1.1', salt))
  assert.ok(!verifyDisclosure(leaf, 'address', '10.0.1.1', saltFor(SEED, 'outcome', 'address')))
  assert.ok(!verifyDisclosure(leaf, 'address', '10.0.1.1', salt.subarray(1)))
  assert.ok(!verifyDisclosure({ v: 1 }, 'address', '10.0.1.1', salt))
  assert.ok(!verifyDisclosure({ commit: { address: 5 } }, 'address', '10.0.1.1', salt))
})

test('commit frames name and value: moving a character between them changes it', () => {
  const salt = saltFor(SEED, 'note', 'x')
  assert.notDeepEqual(commit(salt, 'ab', '1'), commit(salt, 'a', '1'))
  assert.notDeepEqual(commit(salt, 'a', '"1"'), commit(salt, 'a', '1'))
  assert.notDeepEqual(commit(salt, 'a1', '2'), commit(salt, 'a', '12'))
})

const COMMITTED: readonly [why: string, name: string, json: string][] = [
  ['short', 'address', '"10.0.0.1"'],
  ['characters of several bytes', 'ümlaut', '"ü😀"'],
  ['as long as the common bytes', 'a', 'x'.repeat(1_344)],
  ['longer', 'a', 'x'.repeat(1_345)],
  ['long, in characters of three bytes', 'a', '€'.repeat(9_000)],
]

for (const [why, name, json] of COMMITTED)
  test(`commit is the hash that the format says: ${why}`, () => {
    const salt = saltFor(SEED, 'note', name)
    const bytes = utf8(name)
    const parts = [utf8('gatehouse commitment v1\n'), salt, Uint8Array.of(0, bytes.length), bytes, utf8(json)]
    assert.equal(commit(salt, name, json), toBase64Url(sha256(concat(...parts))))
  })

test('verifyDisclosure wants a salt of 32 bytes: a longer one is not cut to it', () => {
  const salt = saltFor(SEED, 'note', 'a')
  const long = concat(salt, Uint8Array.of(0))
  assert.ok(!verifyDisclosure({ commit: { a: commit(long, 'a', '1') } }, 'a', 1, long))
})

test('pseudonymOf is the keyed hash that the format says', () => {
  const hash = hmacSha256(KEYS.pseudonymKey, 'gatehouse pseudonym v1\nService::"x"')
  assert.equal(PSEUDONYM('Service::"x"'), toBase64Url(hash.subarray(0, 12)))
})

test('saltFor gives each field of each kind its own salt', () => {
  const salts = ['intent content', 'outcome content', 'intent address'].map((label) => {
    const [kind = '', name = ''] = label.split(' ')
    return Buffer.from(saltFor(SEED, kind, name)).toString('hex')
  })
  assert.equal(new Set(salts).size, 3)
})

const VALUE = fc.oneof(
  fc.string({ maxLength: 3_000 }),
  fc.jsonValue(),
  fc.array(fc.string({ maxLength: 2_000 }), { maxLength: 100 }),
)
const TEXT = fc.string({ maxLength: 3_000 })
const NUMBER = fc.double({ noNaN: true, noDefaultInfinity: true })
const LIST = fc.array(fc.oneof(fc.string({ maxLength: 2_000 }), fc.jsonValue()), { maxLength: 100 })
/** Fields in any order, of which public ones hold what they may. */
const FIELDS = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom('policies', 'errors', 'findings'), LIST),
      fc.tuple(fc.constantFrom('resource', 'reason'), fc.oneof(TEXT, fc.constant(null))),
      fc.tuple(fc.constantFrom('status', 'window_ms'), NUMBER),
      fc.tuple(fc.constantFrom('caller', 'before', 'asked', 'address', 'other'), VALUE),
      fc.tuple(fc.constantFrom('a', 'zz', '__proto__', 'toString', 'ümlaut "quoted"'), VALUE),
    ),
    { maxLength: 12 },
  )
  .map((fields) => Object.fromEntries(fields) as JsonObject)

test('makeLeaf stays within the limit: whatever the fields hold', () => {
  fc.assert(
    fc.property(FIELDS, (fields) => {
      const made = makeLeaf(draft('refusal', fields), SEED, PSEUDONYM)
      assert.ok(made.bytes.length <= LIMITS.leafBytes)
      const leaf = parseLeaf(made.bytes)
      for (const [field, kept] of made.secrets.fields)
        assert.ok(verifyDisclosure(leaf, field, kept, saltFor(SEED, 'refusal', field)))
    }),
    { seed: 20_263, numRuns: 200 },
  )
})

test('makeLeaf writes what its parts put together give: for any fields in any order', () => {
  fc.assert(
    fc.property(FIELDS, (fields) => {
      const entry = draft('refusal', fields)
      const made = makeLeaf(entry, SEED, PSEUDONYM)
      const expected = plainLeaf(entry)
      if (expected.length > LIMITS.leafBytes) return
      assert.equal(Buffer.from(made.bytes).toString('utf8'), expected)
    }),
    { seed: 20_265, numRuns: 500 },
  )
})

/** The leaf by its definition (docs/reference/ledger-format.md), without regard to time. */
function plainLeaf({ kind, id, at, fields }: EntryDraft): string {
  const leaf = new Map<string, JsonValue>(Object.entries({ v: 1, kind, id, at }))
  const committed = new Map<string, JsonValue>()
  for (const [name, value] of Object.entries(fields)) {
    const json = canonicalJson(cutValue(value))
    if (classOf(name) === 'public') leaf.set(name, cutValue(value))
    else if (classOf(name) === 'sensitive') committed.set(name, commit(saltFor(SEED, kind, name), name, json))
    else leaf.set(name, PSEUDONYM(typeof value === 'string' ? value : canonicalJson(value)))
  }
  if (committed.size > 0) leaf.set('commit', Object.fromEntries(committed))
  return canonicalJson(Object.fromEntries(leaf))
}

test('makeLeaf remembers few orders of names: more are written as rightly', () => {
  for (let round = 0; round < 2; round++)
    for (let at = 0; at < 3_000; at++) {
      const entry = draft('note', { [`n${at}`]: 1, what: 'x', [`m${at}`]: 2 })
      assert.equal(Buffer.from(makeLeaf(entry, SEED, PSEUDONYM).bytes).toString('utf8'), plainLeaf(entry))
    }
})

test('makeLeaf drops the longest public values: when cutting each is not enough', () => {
  const many = Array.from({ length: 64 }, (_, at) => `${at}${'x'.repeat(1_100)}`)
  const made = makeLeaf(draft('refusal', { policies: many, errors: many, status: 403 }), SEED, PSEUDONYM)
  const leaf = parseLeaf(made.bytes)
  assert.ok(made.bytes.length <= LIMITS.leafBytes)
  assert.equal(leaf['status'], 403)
  assert.ok(isJsonObject(leaf['policies']) && Number(leaf['policies']['length']) > 64_000)
})

test('makeLeaf drops no more than it must: the longest public value goes first, and what fits stays', () => {
  const fields = {
    policies: Array.from({ length: 60 }, () => 'p'.repeat(1_000)),
    errors: Array.from({ length: 20 }, () => 'e'.repeat(1_000)),
    what: 'w'.repeat(900),
    caller: 'Service::"x"',
  }
  const leaf = parseLeaf(makeLeaf(draft('refusal', fields), SEED, PSEUDONYM).bytes)
  assert.deepEqual(leaf['policies'], { cut: '', length: canonicalJson(fields.policies).length })
  assert.deepEqual(leaf['errors'], fields.errors)
  assert.equal(leaf['what'], fields.what)
  assert.equal(leaf['caller'], PSEUDONYM(fields.caller))
})

test('makeLeaf drops nothing from a leaf of just the limit: and something from the next longer one', () => {
  const errors = Array.from({ length: 59 }, () => 'e'.repeat(1_000))
  const lengthWith = (extra: number): JsonValue =>
    makeLeaf(draft('refusal', { errors, what: 'w'.repeat(extra) }), SEED, PSEUDONYM).bytes.length
  const extra = LIMITS.leafBytes - Number(lengthWith(0))
  assert.ok(extra > 0 && extra < 1_000)
  assert.equal(lengthWith(extra), LIMITS.leafBytes)
  assert.ok(Number(lengthWith(extra + 1)) < 2_000)
})

const WRONG: readonly [why: string, made: () => unknown, expected: object][] = [
  [
    'an id that is not ours',
    () => makeLeaf({ ...intent(1), id: 'x' }, SEED, PSEUDONYM),
    { code: 'internal.bug' },
  ],
  ['too many fields', () => makeLeaf(draft('note', numbered(65)), SEED, PSEUDONYM), { code: 'internal.bug' }],
  [
    'a long name',
    () => makeLeaf(draft('note', { ['n'.repeat(65)]: 1 }), SEED, PSEUDONYM),
    { code: 'internal.bug' },
  ],
  [
    'no JSON number',
    () => makeLeaf(draft('note', { ms: Number.NaN }), SEED, PSEUDONYM),
    { name: 'TypeError' },
  ],
]

const TIME = 1_795_000_000_000

/** What whoever checks a log refuses, and with it the log, whoever asks to have it written. */
const POISON: readonly [why: string, more: Partial<Record<keyof EntryDraft, unknown>>][] = [
  ['a time that is a text', { at: String(TIME) }],
  ['half a millisecond', { at: TIME + 0.5 }],
  ['a time before all others', { at: -1 }],
  ['no time', { at: null }],
  ['an object for a text', { fields: { kid: { a: 1 } } }],
  ['an object that looks as if it had been cut', { fields: { kid: { cut: 'x', length: -1 } } }],
  ['a number for a text', { fields: { kid: 5 } }],
  ['a text for a number', { fields: { ms: '5' } }],
  ['a list for a number or a text', { fields: { status: [200] } }],
  ['a text for a list', { fields: { policies: 'x' } }],
  ['a name that is half a character', { fields: { '\ud800': 1 } }],
  ['no name', { fields: { '': 1 } }],
]

for (const [why, more] of POISON)
  test(`makeLeaf refuses what would make all of a log not verify: ${why}`, () => {
    const entry = { ...draft('note', {}), ...more } as EntryDraft
    assert.throws(() => makeLeaf(entry, SEED, PSEUDONYM), { code: 'internal.bug' })
  })

test('checkLeaf finds nothing wrong with what makeLeaf makes: whatever the fields hold', () => {
  fc.assert(
    fc.property(FIELDS, (fields) => {
      const { bytes } = makeLeaf(draft('refusal', fields), SEED, PSEUDONYM)
      assert.equal(checkLeaf(bytes).wrong, undefined)
    }),
    { seed: 20_266, numRuns: 300 },
  )
})

for (const [why, made, expected] of WRONG)
  test(`makeLeaf refuses: ${why}`, () => {
    assert.throws(made, expected)
  })

for (const text of ['', 'x', '[]', '{"v":2}', 'null'])
  test(`parseLeaf refuses: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseLeaf(utf8(text)), { code: 'ledger.corrupt' })
  })

const TEXTS = Array.from({ length: 65 }, (_, at) => `t${at}`)

const CUTS: readonly [why: string, value: JsonValue, expected: JsonValue][] = [
  ['short', 'x', 'x'],
  ['a number', 5, 5],
  ['nothing', null, null],
  ['long', 'x'.repeat(1_030), { cut: 'x'.repeat(1_024), length: 1_030 }],
  ['just short enough', 'x'.repeat(1_024), 'x'.repeat(1_024)],
  [
    'a character ends at the cut',
    `${'x'.repeat(1_022)}\u{10000}y`,
    { cut: `${'x'.repeat(1_022)}\u{10000}`, length: 1_025 },
  ],
  [
    'cut inside the first of the long characters',
    `${'x'.repeat(1_023)}\u{10000}`,
    { cut: 'x'.repeat(1_023), length: 1_025 },
  ],
  ['a list of as many texts as are kept', TEXTS.slice(0, 64), TEXTS.slice(0, 64)],
  ['a list of one more', TEXTS.slice(0, 65), { cut: TEXTS.slice(0, 64), length: 65 }],
  ['a long text in a list', ['a', 'x'.repeat(1_025)], ['a', { cut: 'x'.repeat(1_024), length: 1_025 }]],
  ['a list that is too deep', [[[[['a']]]]], [[[[{ cut: [], length: 1 }]]]]],
  ['a list as deep as is kept', [[[['a']]]], [[[['a']]]]],
  ['a long name that is kept', { ['n'.repeat(1_024)]: 1 }, { ['n'.repeat(1_024)]: 1 }],
  ['more members than are kept, in any order', numbered(70), { cut: firstNames(64), length: 70 }],
  ['cut inside a character', `${'x'.repeat(1_023)}😀`, { cut: 'x'.repeat(1_023), length: 1_025 }],
  [
    'a long list',
    Array.from({ length: 70 }, () => 1),
    { cut: Array.from({ length: 64 }, () => 1), length: 70 },
  ],
  ['a long name in an object', { ['n'.repeat(1_025)]: 1, a: 2 }, { cut: { a: 2 }, length: 2 }],
  ['a small object', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
  ['too deep', [[[[[1]]]]], [[[[{ cut: [], length: 1 }]]]]],
  [
    'too deep objects',
    { a: { a: { a: { a: { a: 1 } } } } },
    { a: { a: { a: { a: { cut: {}, length: 1 } } } } },
  ],
]

for (const [why, value, expected] of CUTS)
  test(`cutValue keeps what fits: ${why}`, () => {
    assert.deepEqual(cutValue(value), expected)
  })

test('idOf gives the id, or nothing that an entry is called', () => {
  assert.equal(idOf({ id: 'x' }), 'x')
  assert.equal(idOf({ id: 5 }), '')
})

test('kindOf gives the kind, or nothing that a salt was made with', () => {
  assert.equal(kindOf({ kind: 'note' }), 'note')
  assert.equal(kindOf({ kind: 5 }), '')
})

test('rememberedPseudonyms gives what pseudonymOf gives: also when its memory is full', () => {
  const remembered = rememberedPseudonyms(KEYS.pseudonymKey)
  for (let at = 0; at < 10_050; at++) remembered(`caller ${at}`)
  for (const caller of ['caller 1', 'caller 10049', 'new']) {
    assert.equal(remembered(caller), PSEUDONYM(caller))
    assert.equal(remembered(caller), PSEUDONYM(caller))
  }
  assert.notEqual(PSEUDONYM('a'), pseudonymOf(KEYS.sidecarKey, 'a'))
})

test('Seeds gives intent and outcome of one request the same seed: and every other entry its own', () => {
  const seeds = new Seeds()
  const first = intent(1)
  const other = intent(2)
  const seed = seeds.take(first)
  assert.equal(seed.length, 32)
  assert.notDeepEqual(seeds.take(other), seed)
  assert.deepEqual(seeds.take(outcome(first, 1)), seed)
  assert.notDeepEqual(seeds.take(outcome(first, 1)), seed)
  assert.notDeepEqual(seeds.take(draft('note', {})), seeds.take(draft('note', {})))
})

test('Seeds keeps the seed of a request for its outcome: another entry of that id does not take it', () => {
  const seeds = new Seeds()
  const entry = intent(1)
  const seed = seeds.take(entry)
  assert.notDeepEqual(seeds.take({ ...draft('note', {}), id: entry.id }), seed)
  assert.deepEqual(seeds.take(outcome(entry, 1)), seed)
})

test('Seeds forgets the oldest requests: so that open ones cannot fill the memory', () => {
  const seeds = new Seeds()
  const oldest = intent(0)
  const seed = seeds.take(oldest)
  const middle = Array.from({ length: 40_000 }, (_, at) => intent(at))
  const middleSeeds = middle.map((each) => seeds.take(each))
  assert.deepEqual(seeds.take(outcome(oldest, 0)), seed, 'still in the older half')
  assert.notDeepEqual(seeds.take(outcome(oldest, 0)), seed, 'given once')
  assert.deepEqual(seeds.take(outcome(middle[39_999] ?? oldest, 0)), middleSeeds[39_999])
  for (let at = 0; at < 40_000; at++) seeds.take(intent(at))
  assert.notDeepEqual(seeds.take(outcome(middle[0] ?? oldest, 0)), middleSeeds[0])
})

function numbered(count: number): Record<string, JsonValue> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, at]))
}

/** The members of `numbered` that come first by name. */
function firstNames(count: number): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(numbered(70))
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .slice(0, count),
  )
}
