import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import { emptyDisk } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { originFolder } from './layout.ts'
import { encodeGroup, encodeHead } from './raw_segment.ts'
import { readIfThere, readPackedHead, readSegment, scanLive } from './segment_reader.ts'

const FOLDER = originFolder('/home/ledger', 1, 'A'.repeat(16))
const RAW = `${FOLDER.path}/000000000000.raw`
const GROUPS = [0, 1, 2].map((at) => encodeGroup(at, [utf8(`leaf ${at}`)], utf8('sealed')))
const WHOLE = Buffer.from(concat(encodeHead(FOLDER.origin, 0), ...GROUPS))
const [FIRST = assert.fail()] = GROUPS
/** The first group is not there yet, as a reader may find it that began before it was written. */
const HOLED = Buffer.from(WHOLE).fill(0, WHOLE.indexOf(FIRST), WHOLE.indexOf(FIRST) + FIRST.length)

/** A disk on which the active segment reads as one of these after the other, and then as the last. */
async function diskWith(
  ...contents: readonly (Buffer | undefined)[]
): Promise<{ files: SimulatedFiles; reads: number }> {
  const files = await emptyDisk()
  const disk = { files, reads: 0 }
  const read = files.read.bind(files)
  files.read = async (path) => {
    if (path !== RAW) return await read(path)
    const content = contents[Math.min(disk.reads, contents.length - 1)]
    disk.reads += 1
    if (content === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' })
    return content
  }
  return disk
}

const LIVE: readonly [why: string, then: readonly (Buffer | undefined)[], groups: number, reads: number][] = [
  ['it was whole', [], 3, 0],
  ['a group was being written', [WHOLE.subarray(0, -3), WHOLE], 3, 1],
  ['a group came after those behind it were read', [HOLED, WHOLE], 3, 1],
  ['it takes two more looks', [HOLED, HOLED, WHOLE], 3, 2],
  ['a torn write stays', [WHOLE.subarray(0, -3)], 2, 3],
  ['damage stays', [HOLED], 0, 3],
  ['it was sealed in between', [WHOLE.subarray(0, -3), undefined], 2, 1],
]

for (const [why, [first = WHOLE, ...later], groups, reads] of LIVE)
  test(`scanLive reads again what looks torn or damaged, a few times: ${why}`, async () => {
    const disk = await diskWith(...(later.length === 0 ? [first] : later))
    const scanned = await scanLive(disk.files, FOLDER, 0, first)
    assert.deepEqual([scanned?.groups.length, disk.reads], [groups, reads])
  })

test('scanLive gives nothing where not even the head can be read', async () => {
  const disk = await diskWith(WHOLE)
  assert.equal(await scanLive(disk.files, FOLDER, 0, utf8('x')), undefined)
  assert.equal(disk.reads, 0)
})

for (const [code, expected] of [
  ['ENOENT', undefined],
  ['ENOTPLAIN', { code: 'ledger.corrupt', detail: { place: RAW, what: 'not a plain file of a ledger' } }],
  ['EISDIR', { code: 'ledger.corrupt', detail: { place: RAW, what: 'not a plain file of a ledger' } }],
  ['EFBIG', { code: 'ledger.corrupt' }],
  ['EIO', { code: 'EIO' }],
  [undefined, { message: 'x' }],
] as const)
  test(`readers of one file tell what is missing, what is no file of ours, and what the disk says: ${code}`, async () => {
    const files = await emptyDisk()
    const failing = async (): Promise<never> => Promise.reject(Object.assign(new Error('x'), { code }))
    files.read = failing
    files.readRange = failing
    for (const work of [readIfThere(files, RAW), readPackedHead(files, RAW)])
      if (expected === undefined) assert.equal(await work, undefined)
      else await assert.rejects(work, expected)
  })

test('readSegment takes the raw file as long as it is there: sealing removes it last', async () => {
  const files = await emptyDisk()
  await files.makeDirectory(FOLDER.path)
  assert.deepEqual(await readSegment(files, FOLDER, 0), { kind: 'missing' })
  files.tamper(`${FOLDER.path}/000000000000.sidecar`, utf8('s'))
  assert.deepEqual(await readSegment(files, FOLDER, 0), { kind: 'missing' })
  files.tamper(`${FOLDER.path}/000000000000.leaves`, utf8('l'))
  const sealed = await readSegment(files, FOLDER, 0)
  assert.ok(sealed.kind === 'sealed')
  assert.deepEqual(
    [sealed.leaves, sealed.sidecar].map(String),
    ['l', 's'].map((text) => String(utf8(text))),
  )
  files.tamper(RAW, WHOLE)
  assert.equal((await readSegment(files, FOLDER, 0)).kind, 'raw')
})
