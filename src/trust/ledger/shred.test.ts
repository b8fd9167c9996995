import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { shredEntries } from './shred.ts'
import { verifyLedger } from './verify.ts'

const OPTIONS = { segmentBytes: 10_000 }

async function closedLedger(): Promise<{ files: SimulatedFiles; checkpoint: string }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, OPTIONS)
  for (let at = 0; at < 3; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(at * 100 + each))))
  const checkpoint = await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  return { files, checkpoint }
}

test('shredEntries removes values and salts for good: and every proof still holds', async () => {
  const { files, checkpoint } = await closedLedger()
  const before = await readAll(files)
  const folder = await newestFolder(files)
  assert.equal(await shredEntries(files, folder, KEYS.sidecarKey, { from: 250, to: 270 }), 20)
  assert.equal(await shredEntries(files, folder, KEYS.sidecarKey, { from: 250, to: 270 }), 0, 'once')
  const after = await readAll(files, { sidecarKey: KEYS.sidecarKey })
  assert.deepEqual(
    after.map(({ bytes }) => bytes),
    before.map(({ bytes }) => bytes),
  )
  assert.deepEqual(
    after.filter(({ opened }) => opened === undefined).map(({ index }) => index),
    numbers(250, 270),
  )
  const keys = { sidecarKey: KEYS.sidecarKey }
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER, keys, against: checkpoint })).problems, [])
  const ledger = await openOn(files, OPTIONS)
  for (let at = 0; at < 3; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(each))))
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  const sealed = await readAll(files, keys)
  assert.deepEqual(
    sealed.filter(({ opened }) => opened === undefined).map(({ index }) => index),
    numbers(250, 270),
    'also once sealed',
  )
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER, keys })).problems, [])
})

test('shredEntries leaves other segments alone', async () => {
  const { files } = await closedLedger()
  const before = files.all()
  assert.equal(
    await shredEntries(files, await newestFolder(files), KEYS.sidecarKey, { from: 290, to: 300 }),
    10,
  )
  const changed = [...files.all()].filter(
    ([name, bytes]) => Buffer.compare(bytes, before.get(name) ?? Buffer.alloc(0)) !== 0,
  )
  assert.deepEqual(
    changed.map(([name]) => name.slice(-16)),
    ['000000000256.raw'],
  )
})

test('shredEntries reads and writes only the segments that it must: the range ends where one begins', async () => {
  for (const [from, to, hit, names] of [
    [200, 256, 56, ['000000000000.sidecar']],
    [256, 300, 44, ['000000000256.raw']],
    [255, 257, 2, ['000000000000.sidecar', '000000000256.raw']],
    [300, 400, 0, []],
    [100, 100, 0, []],
  ] as const) {
    const { files } = await closedLedger()
    const folder = await newestFolder(files)
    const before = files.all()
    files.steps.length = 0
    const reads: string[] = []
    const read = files.read.bind(files)
    files.read = (path) => {
      reads.push(path.slice(-16))
      return read(path)
    }
    assert.equal(await shredEntries(files, folder, KEYS.sidecarKey, { from, to }), hit)
    const changed = [...files.all()].filter(
      ([name, bytes]) => Buffer.compare(bytes, before.get(name) ?? Buffer.alloc(0)) !== 0,
    )
    assert.deepEqual(changed.map(([name]) => name.replace(/^.*\//, '')).toSorted(), names)
    if (hit === 0) assert.equal(files.steps.length, 0)
    if (to === 256) assert.ok(!reads.includes('000000000256.raw'))
    if (from === 256) assert.ok(!reads.some((name) => name.endsWith('000000.leaves')))
  }
})

const WRONG: readonly [
  why: string,
  range: { from: number; to: number },
  harm: (files: SimulatedFiles, path: string) => void,
  key?: Uint8Array,
][] = [
  ['a wrong key, sealed', { from: 0, to: 1 }, () => undefined, KEYS.pseudonymKey],
  ['a wrong key, active', { from: 299, to: 300 }, () => undefined, KEYS.pseudonymKey],
  [
    'the leaves cannot be read',
    { from: 0, to: 1 },
    (files, path) => files.tamper(`${path}/000000000000.leaves`, Buffer.alloc(100)),
  ],
  [
    'the sidecar is gone',
    { from: 0, to: 1 },
    (files, path) => files.tamper(`${path}/000000000000.sidecar`, undefined),
  ],
  [
    'the active segment is torn',
    { from: 299, to: 300 },
    (files, path) => {
      const name = `${path}/000000000256.raw`
      files.tamper(name, files.all().get(name)?.subarray(0, 10_000))
    },
  ],
]

for (const [why, range, harm, key = KEYS.sidecarKey] of WRONG)
  test(`shredEntries throws: ${why}`, async () => {
    const { files } = await closedLedger()
    const folder = await newestFolder(files)
    harm(files, folder.path)
    const before = files.all()
    await assert.rejects(shredEntries(files, folder, key, range), {
      code: 'ledger.corrupt',
      detail: {
        place: `${folder.path}/${range.from < 256 ? '000000000000.sidecar' : '000000000256.raw'}`,
        what: 'the sidecar does not open',
      },
    })
    assert.deepEqual(files.all(), before, 'nothing was written')
  })

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}
