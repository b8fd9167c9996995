import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { callerAlone } from '../../../test/support/directory_scene.ts'
import { openLastUsed } from './last_used.ts'
import { NO_SECRET, type KeyRecord } from './key_record.ts'

const OWNER = callerAlone()

function keyOf(kid: string): KeyRecord {
  return {
    kid,
    environment: 'live',
    pepperId: '1',
    owner: OWNER,
    scope: { models: undefined, actions: undefined },
    addresses: [],
    ranges: { admits: () => true },
    notBefore: 0,
    createdAt: 0,
    createdBy: '',
    revokedAt: undefined,
    secrets: [{ ...NO_SECRET, number: 1 }],
    limits: undefined,
  }
}

function use(note: ReturnType<typeof openLastUsed>['note'], key: KeyRecord, day: number): void {
  const [secret] = key.secrets
  assert.ok(secret !== undefined)
  note(key, secret, day)
}

suite('openLastUsed', () => {
  test('openLastUsed writes in bounded batches until nothing waits', () => {
    const sizes: number[] = []
    const waiting: (() => void)[] = []
    const store = { setLastUsed: (days: readonly unknown[]) => void sizes.push(days.length) }
    const lastUsed = openLastUsed(store, (work) => void waiting.push(work))
    for (let index = 0; index <= LIMITS.lastUsedBatch; index++) use(lastUsed.note, keyOf(`k${index}`), 1)
    assert.equal(waiting.length, 1)
    waiting.shift()?.()
    assert.deepEqual(sizes, [LIMITS.lastUsedBatch])
    waiting.shift()?.()
    assert.deepEqual(sizes, [LIMITS.lastUsedBatch, 1])
    assert.equal(waiting.length, 0)
  })

  test('openLastUsed keeps what could not be written for the next time', () => {
    const written: unknown[] = []
    const waiting: (() => void)[] = []
    let isFull = true
    const store = {
      setLastUsed: (days: readonly (readonly [string, number, number])[]) => {
        if (isFull) throw new Error('disk full')
        written.push(...days)
      },
    }
    const lastUsed = openLastUsed(store, (work) => void waiting.push(work))
    const key = keyOf('k')
    use(lastUsed.note, key, 1)
    waiting.shift()?.()
    assert.equal(waiting.length, 0, 'it does not spin')
    isFull = false
    use(lastUsed.note, keyOf('other'), 2)
    waiting.shift()?.()
    assert.deepEqual(written, [
      ['k', 1, 1],
      ['other', 1, 2],
    ])
  })

  test('openLastUsed writes nothing twice: not what a flush wrote before its turn', () => {
    const written: unknown[] = []
    const waiting: (() => void)[] = []
    const lastUsed = openLastUsed(
      { setLastUsed: (days) => void written.push(days) },
      (work) => void waiting.push(work),
    )
    const key = keyOf('k')
    use(lastUsed.note, key, 1)
    lastUsed.flush()
    lastUsed.flush()
    waiting.shift()?.()
    assert.deepEqual(written, [[['k', 1, 1]]])
    use(lastUsed.note, key, 1)
    assert.equal(waiting.length, 0, 'the day is known')
    use(lastUsed.note, key, 2)
    waiting.shift()?.()
    assert.deepEqual(written, [[['k', 1, 1]], [['k', 1, 2]]])
    assert.equal(waiting.length, 0)
  })
})
