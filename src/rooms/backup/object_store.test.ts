import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { LIMITS } from '#base/limits.ts'
import { CHUNK_BYTES } from '#base/sealed_chunks.ts'
import { emptyDisk } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { ObjectStore, PIECE_BYTES, readWhole, sha256Of, sourceOf } from './object_store.ts'

const KEY = Buffer.alloc(32, 1)

async function emptyStore(): Promise<{ files: SimulatedFiles; store: ObjectStore }> {
  const files = await emptyDisk()
  await files.makeDirectory('/anchor/objects')
  return { files, store: new ObjectStore(files, '/anchor', KEY) }
}

function bytesOf(count: number): Uint8Array {
  return Buffer.from(Array.from({ length: count }, (_, at) => (at * 7 + (at >> 9)) & 255))
}

const LENGTHS = [
  0,
  1,
  CHUNK_BYTES - 1,
  CHUNK_BYTES,
  CHUNK_BYTES + 1,
  PIECE_BYTES,
  PIECE_BYTES + CHUNK_BYTES + 3,
]

for (const length of LENGTHS)
  test(`ObjectStore gives back what was written: ${length} bytes, whole and in parts`, async () => {
    const { store } = await emptyStore()
    const content = bytesOf(length)
    const name = store.nameOf('a', 'hash')
    assert.equal(await store.has(name, length), false)
    const sha256 = await store.write(name, sourceOf(content))
    assert.equal(await store.has(name, length), true)
    assert.equal(await store.has(name, length + 1), false)
    const source = await store.open(name)
    assert.equal(source.bytes, length)
    assert.equal(await sha256Of(source), sha256)
    assert.deepEqual(Buffer.from(await readWhole(source)), Buffer.from(content))
    for (const [from, count] of [
      [0, 10],
      [CHUNK_BYTES - 5, 10],
      [length - 3, 10],
      [length, 10],
      [length + CHUNK_BYTES, 10],
    ] as const)
      assert.deepEqual(
        Buffer.from(await source.read(Math.max(0, from), count)),
        Buffer.from(content.subarray(Math.max(0, from), Math.max(0, from) + count)),
      )
  })

test('nameOf tells files and contents apart, and says nothing without the key', () => {
  const store = new ObjectStore({} as never, '/', KEY)
  const other = new ObjectStore({} as never, '/', Buffer.alloc(32, 2))
  const names = [
    store.nameOf('a', '1'),
    store.nameOf('a', '2'),
    store.nameOf('b', '1'),
    other.nameOf('a', '1'),
  ]
  assert.equal(new Set(names).size, 4)
  assert.equal(store.nameOf('a', '1'), names[0])
})

const TWO = CHUNK_BYTES + 100
type Change = (object: Buffer, other: Buffer) => Buffer | undefined
const CHANGES: readonly (readonly [why: string, change: Change])[] = [
  ['it is gone', () => undefined],
  ['nothing is left of it', () => Buffer.alloc(0)],
  ['its end was cut off', (object) => object.subarray(0, -1)],
  ['its last chunk was cut off', (object) => object.subarray(0, 39 + CHUNK_BYTES + 16)],
  ['something was added', (object) => Buffer.concat([object, Buffer.alloc(1)])],
  ['it is no object', (object) => Buffer.concat([Buffer.from('GHOBJ2\n'), object.subarray(7)])],
  ['another salt', (object) => flipped(object, 8)],
  ['a bit of the first chunk', (object) => flipped(object, 60)],
  ['a bit of the last chunk', (object) => flipped(object, object.length - 1)],
  ['another object of the same length stands in its place', (_, other) => other],
  [
    'its chunks change places',
    (object) => {
      const [head, first, last] = [object.subarray(0, 39), object.subarray(39, -116), object.subarray(-116)]
      return Buffer.concat([head, last, first])
    },
  ],
]
for (const [why, change] of CHANGES)
  test(`ObjectStore refuses an object that was changed: ${why}`, async () => {
    const { files, store } = await emptyStore()
    const [name, otherName] = [store.nameOf('a', '1'), store.nameOf('b', '1')]
    await store.write(name, sourceOf(bytesOf(TWO)))
    await store.write(otherName, sourceOf(bytesOf(TWO)))
    const path = `/anchor/${name}`
    const changed = change(
      Buffer.from(await files.read(path)),
      Buffer.from(await files.read(`/anchor/${otherName}`)),
    )
    files.tamper(path, changed)
    await assert.rejects(async () => await readWhole(await store.open(name)), { code: 'backup.damaged' })
  })

test('removeAllBut leaves what is named, and removes what was not finished too', async () => {
  const { files, store } = await emptyStore()
  const [kept, gone] = [store.nameOf('a', '1'), store.nameOf('b', '1')]
  for (const name of [kept, gone]) await store.write(name, sourceOf(bytesOf(5)))
  files.tamper(`/anchor/${gone}.tmp`, bytesOf(5))
  assert.equal(await store.removeAllBut(new Set([kept])), 2)
  assert.deepEqual(await files.list('/anchor/objects'), [kept.slice('objects/'.length)])
})

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

test('removeAllBut removes objects only: a link in the place of the folder may lead anywhere', async () => {
  const { files, store } = await emptyStore()
  const name = store.nameOf('a', '1')
  await store.write(name, sourceOf(bytesOf(3)))
  for (const strange of ['ledger.pem', 'notes.tmp', `${name.slice(8)}.txt`])
    files.tamper(`/anchor/objects/${strange}`, utf8('mine'))
  files.tamper(`/anchor/${name}.tmp`, utf8('half'))
  assert.equal(await store.removeAllBut(new Set()), 2)
  assert.deepEqual(
    await files.list('/anchor/objects'),
    [`${name.slice(8)}.txt`, 'ledger.pem', 'notes.tmp'].sort(),
  )
})

test('readWhole refuses a length that nobody has proven, before it takes memory for it', async () => {
  const read = async (): Promise<never> => assert.fail('nothing is read')
  await assert.rejects(readWhole({ bytes: LIMITS.homeFileBytes + 1, read }), { code: 'backup.damaged' })
})
