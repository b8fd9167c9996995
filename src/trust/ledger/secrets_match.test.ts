import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { draft } from '../../../test/support/ledger_fixture.ts'
import { makeLeaf, parseLeaf, type Secrets } from './leaf.ts'
import { checkLeaf } from './leaf_check.ts'
import { secretsMatch, secretsMatchChecked } from './secrets_match.ts'
import type { SecretRecord } from './sidecar.ts'

const SEED = Buffer.alloc(32, 9)

function made(fields: Readonly<Record<string, JsonValue>>): { leaf: JsonObject; secrets: Secrets } {
  const { bytes, secrets } = makeLeaf(draft('note', fields), SEED, String)
  return { leaf: parseLeaf(bytes), secrets }
}

const { leaf, secrets } = made({ what: 'x', address: '10.0.0.1', content: 'y' })
const [ADDRESS = assert.fail(), CONTENT = assert.fail()] = secrets.fields
const PLAIN = made({ what: 'x' }).leaf

const ROWS: readonly [why: string, isRight: boolean, leaf: JsonObject, record: SecretRecord][] = [
  ['as they were made', true, leaf, secrets],
  ['in another order', true, leaf, { seed: SEED, fields: [CONTENT, ADDRESS] }],
  ['shredded', true, leaf, undefined],
  ['one is missing', false, leaf, { seed: SEED, fields: [ADDRESS] }],
  ['none is there', false, leaf, { seed: SEED, fields: [] }],
  ['one is there twice', false, leaf, { seed: SEED, fields: [ADDRESS, ADDRESS, CONTENT] }],
  ['one is of another name', false, leaf, { seed: SEED, fields: [ADDRESS, ['asked', 'y']] }],
  ['the first value is another', false, leaf, { seed: SEED, fields: [['address', '10.0.0.2'], CONTENT] }],
  ['the last value is another', false, leaf, { seed: SEED, fields: [ADDRESS, ['content', 'z']] }],
  ['another seed', false, leaf, { seed: Buffer.alloc(32, 8), fields: secrets.fields }],
  ['another kind', false, { ...leaf, kind: 'intent' }, secrets],
  ['nothing is secret', true, PLAIN, { seed: new Uint8Array(0), fields: [] }],
  ['a secret of a leaf without any', false, PLAIN, { seed: SEED, fields: [ADDRESS] }],
  ['what is no commitments commits to nothing', false, { ...leaf, commit: 'x' }, secrets],
]

for (const [why, isRight, of, record] of ROWS)
  test(`secretsMatch ${isRight ? 'takes' : 'refuses'} secrets: ${why}`, () => {
    assert.equal(secretsMatch(of, record), isRight)
    assert.equal(secretsMatchChecked(checkLeaf(utf8(canonicalJson(of))), record), isRight)
  })

/** With a commitment of the name of a member. */
const NAMED_KIND = made({ kind: 'x', what: '"kind":"x"' })

test('secretsMatchChecked reads no usual leaf that commits to the secrets, and takes what is no leaf', () => {
  for (const [of, record] of [
    [leaf, secrets],
    [NAMED_KIND.leaf, NAMED_KIND.secrets],
    [PLAIN, { seed: new Uint8Array(0), fields: [] }],
  ] as const) {
    const { usual = assert.fail() } = checkLeaf(utf8(canonicalJson(of)))
    assert.ok(
      secretsMatchChecked({ wrong: undefined, usual, leaf: () => assert.fail('it was read') }, record),
    )
  }
  assert.ok(secretsMatchChecked(checkLeaf(utf8('{')), secrets))
})

/** `kind` is that of a commitment here, and the first two are written with a backslash. */
const NAME = fc.constantFrom('a"b', 'a\\', 'kind', 'commit', 'id', 'asked', 'content', 'before')
const FIELDS = fc.dictionary(
  NAME,
  fc.oneof(fc.constantFrom('x', '"kind":"note"', '"commit":{"'), fc.jsonValue()),
  {
    maxKeys: 4,
  },
)

test('secretsMatchChecked says what secretsMatch says: any leaf, and secrets that are those of it or nearly', () => {
  const said = { right: 0, wrong: 0 }
  fc.assert(
    fc.property(FIELDS, FIELDS, fc.constantFrom('none', 'all', 'order', 'kind'), (some, others, change) => {
      const plain: Record<string, JsonValue> = JSON.parse(JSON.stringify(some))
      const { leaf: of, secrets: own } = made(plain)
      const changed: Readonly<Record<string, SecretRecord>> = {
        all: made(JSON.parse(JSON.stringify(others))).secrets,
        order: { ...own, fields: own.fields.toReversed() },
        kind: makeLeaf(draft('change', plain), SEED, String).secrets,
      }
      const record = changed[change] ?? own
      const expected = secretsMatch(of, record)
      assert.equal(secretsMatchChecked(checkLeaf(utf8(canonicalJson(of))), record), expected)
      said[expected ? 'right' : 'wrong'] += 1
    }),
    { seed: 20_413, numRuns: 1_000 },
  )
  assert.ok(said.right > 100 && said.wrong > 100, JSON.stringify(said))
})
