import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { draft } from '../../../test/support/ledger_fixture.ts'
import { makeLeaf, parseLeaf, type Secrets } from './leaf.ts'
import { secretsMatch } from './secrets_match.ts'
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
  })
