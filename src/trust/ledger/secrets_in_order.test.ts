import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat } from '#base/bytes.ts'
import { SecretsInOrder } from './secrets_in_order.ts'
import { encodeRecord, recordsIn, type SecretRecord } from './sidecar.ts'

const RECORD: SecretRecord = { seed: Buffer.alloc(32, 1), fields: [['address', '10.0.0.1']] }
const RECORDS = concat(encodeRecord(RECORD), encodeRecord(undefined), encodeRecord(RECORD))

test('SecretsInOrder gives each entry its own: and knows when there was one for each', () => {
  const secrets = new SecretsInOrder(recordsIn(RECORDS))
  assert.deepEqual(secrets.take()?.fields, RECORD?.fields)
  assert.equal(secrets.take(), undefined)
  assert.deepEqual(secrets.take()?.fields, RECORD?.fields)
  assert.ok(secrets.isAtEnd())
})

const WRONG: readonly [why: string, bytes: Uint8Array, entries: number][] = [
  ['one too few', RECORDS, 4],
  ['one too many', RECORDS, 2],
  ['one that is cut off', RECORDS.subarray(0, -1), 3],
  ['a value that is no JSON', Buffer.from(RECORDS).fill('x', RECORDS.length - 10, RECORDS.length - 9), 3],
  ['a length without end', Uint8Array.from([1, ...Buffer.alloc(32), 0xff, 0xff, 0xff, 0xff, 0xff]), 1],
]

for (const [why, bytes, entries] of WRONG)
  test(`SecretsInOrder says that they are not those of the entries, and does not throw: ${why}`, () => {
    const secrets = new SecretsInOrder(recordsIn(bytes))
    for (let at = 0; at < entries; at++) secrets.take()
    assert.ok(!secrets.isAtEnd())
    assert.ok(!secrets.isAtEnd())
  })

test('SecretsInOrder lets errors of others through', () => {
  const secrets = new SecretsInOrder({
    [Symbol.iterator]: () => ({
      next: () => {
        throw new TypeError('x')
      },
    }),
  })
  assert.throws(() => secrets.take(), TypeError)
})
