import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { emptyDisk, HandClock, LEDGER } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { Space, usedBytes, type SpaceOptions } from './space.ts'

const RESERVE = 100_000
/** What is left of the disk even without a reserve. */
const MARGIN = 64 * 1_024
const FULL = 'the disk is full'
const LARGEST = 'the ledger has reached its largest size'

interface Scene {
  readonly files: SimulatedFiles
  readonly space: Space
  readonly clock: HandClock
  /** Measures now and waits for it. */
  readonly measure: () => Promise<void>
}

async function scene(free: number, more: Partial<SpaceOptions> = {}): Promise<Scene> {
  const files = await emptyDisk()
  await files.makeDirectory(LEDGER)
  files.freeBytes = async () => Promise.resolve(free)
  const clock = new HandClock()
  const fixed = { files, directory: LEDGER, clock, maxBytes: undefined, reserveBytes: RESERVE, usedBytes: 0 }
  const space = new Space({ ...fixed, ...more })
  const measure = async (): Promise<void> => {
    clock.time += 1_000
    space.measureLater()
    await space.settled()
  }
  return { files, space, clock, measure }
}

const hasReserve = (files: SimulatedFiles): boolean => files.all().has(`${LEDGER}/reserve`)

for (const [why, free, isFull, isMade] of [
  ['there is room for it and as much again', 2 * RESERVE, false, true],
  ['there is less', 2 * RESERVE - 1, true, false],
  ['there is nothing', 0, true, false],
] as const)
  test(`Space makes its reserve: ${why}`, async () => {
    const { files, space, measure } = await scene(free)
    await measure()
    assert.deepEqual([space.isFull, hasReserve(files), space.freeBytes], [isFull, isMade, free])
    const bytes = files.all().get(`${LEDGER}/reserve`)
    if (isMade) assert.equal(bytes?.length, RESERVE)
    // Random to the end, in blocks: what can be compressed or left out reserves nothing.
    assert.equal(new Set(bytes?.subarray(-1_000)).size > 200, isMade)
  })

test('Space keeps a margin where the reserve is small', async () => {
  const small = { reserveBytes: 1_000 }
  for (const [free, isFull] of [
    [1_000 + MARGIN, false],
    [1_000 + MARGIN - 1, true],
  ] as const) {
    const { space, measure } = await scene(free, small)
    await measure()
    assert.equal(space.isFull, isFull, `${free} bytes`)
  }
})

test('Space takes the disk for full once the margin is used up, and not before: though the reserve is there', async () => {
  const { files, space, measure } = await scene(2 * RESERVE)
  await measure()
  for (const [free, isFull] of [
    [RESERVE, false],
    [RESERVE - 1, true],
    [RESERVE, false],
  ] as const) {
    files.freeBytes = async () => Promise.resolve(free)
    await measure()
    assert.equal(space.isFull, isFull, `${free} bytes`)
    assert.ok(hasReserve(files))
  }
})

test('Space makes the reserve anew: it was of another length', async () => {
  const { files, measure } = await scene(10 * RESERVE)
  files.tamper(`${LEDGER}/reserve`, utf8('x'))
  await measure()
  assert.equal(files.all().get(`${LEDGER}/reserve`)?.length, RESERVE)
})

test('Space gives the reserve up once, and makes it again when there is room', async () => {
  const { files, space, measure } = await scene(10 * RESERVE)
  assert.equal(await space.releaseReserve(), false)
  await measure()
  assert.equal(await space.releaseReserve(), true)
  assert.ok(!hasReserve(files))
  assert.equal(await space.releaseReserve(), false)
  await measure()
  assert.ok(hasReserve(files))
})

test('Space takes a disk that cannot be measured for full, until it can', async () => {
  const { files, space, measure } = await scene(10 * RESERVE)
  const works = files.freeBytes
  files.freeBytes = async () => Promise.reject(new Error('no'))
  await measure()
  assert.ok(space.isFull)
  files.freeBytes = works
  await measure()
  assert.ok(!space.isFull)
})

test('Space measures at most once a second', async () => {
  const { files, space, clock } = await scene(10 * RESERVE)
  let count = 0
  const works = files.freeBytes
  files.freeBytes = async () => {
    count += 1
    return await works()
  }
  for (const [after, counted] of [
    [0, 2],
    [0, 2],
    [999, 2],
    [1, 3],
    [999, 3],
    [1, 4],
  ] as const) {
    clock.time += after
    space.measureLater()
    await space.settled()
    assert.equal(count, counted, 'twice where the reserve is made')
  }
})

test('Space refuses what goes beyond the largest size, of which the last part is for reserved entries', async () => {
  const { space, measure } = await scene(100 * RESERVE, { maxBytes: 10 * RESERVE, usedBytes: 8 * RESERVE })
  await measure()
  const refusals = (bytes: number): unknown => [space.refusal(bytes, false), space.refusal(bytes, true)]
  assert.deepEqual(refusals(RESERVE), [undefined, undefined])
  assert.deepEqual(refusals(RESERVE + 1), [LARGEST, undefined])
  assert.deepEqual(refusals(2 * RESERVE), [LARGEST, undefined])
  assert.deepEqual(refusals(2 * RESERVE + 1), [LARGEST, LARGEST])
  space.add(RESERVE)
  assert.equal(space.usedBytes, 9 * RESERVE)
  assert.deepEqual(refusals(1), [LARGEST, undefined])
  space.markFull()
  assert.deepEqual(refusals(0), [FULL, undefined])
})

test('Space refuses ordinary entries on a full disk, and knows no other end without a largest size', async () => {
  const { space } = await scene(0)
  assert.equal(space.refusal(1e15, false), undefined)
  space.markFull()
  assert.deepEqual([space.refusal(1, false), space.refusal(1, true)], [FULL, undefined])
})

const LEFT: readonly [why: string, free: number, maxBytes: number | undefined, left: number][] = [
  ['what the disk has', 5 * RESERVE, undefined, 4 * RESERVE],
  ['what the largest size leaves', 100 * RESERVE, 10 * RESERVE, RESERVE],
  ['the disk has less', 5 * RESERVE, 100 * RESERVE, 4 * RESERVE],
  ['never less than nothing', 5 * RESERVE, 8 * RESERVE, 0],
]

for (const [why, free, maxBytes, left] of LEFT)
  test(`leftBytes says what ordinary entries may still use: ${why}`, async () => {
    const { space, measure } = await scene(free, { maxBytes, usedBytes: 8 * RESERVE })
    if (maxBytes === undefined) assert.equal(space.leftBytes, undefined, 'not measured')
    assert.equal(space.spareBeside(1), maxBytes === undefined ? 0 : Math.max(0, maxBytes - 9 * RESERVE - 1))
    await measure()
    assert.equal(space.leftBytes, left)
    assert.equal(space.spareBeside(10), Math.max(0, left - 10))
    assert.equal(space.spareBeside(left + 1), 0)
    space.markFull()
    assert.equal(space.spareBeside(0), 0)
  })

test('usedBytes counts all files of the logs but the reserve: tiles by their number', async () => {
  const files = await emptyDisk()
  const log = `${LEDGER}/0001-x`
  await files.makeDirectory(`${log}/tile/0`)
  assert.equal(await usedBytes(files, LEDGER), 0)
  files.tamper(`${LEDGER}/reserve`, new Uint8Array(5_000))
  files.tamper(`${log}/origin`, new Uint8Array(10))
  files.tamper(`${log}/000000000000.raw`, new Uint8Array(300))
  assert.equal(await usedBytes(files, LEDGER), 310)
  for (const name of ['000', '001']) files.tamper(`${log}/tile/0/${name}`, new Uint8Array(8_192))
  assert.equal(await usedBytes(files, LEDGER), 310 + 2 * 8_192)
})
