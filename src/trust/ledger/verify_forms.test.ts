import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import {
  draft,
  emptyDisk,
  LEDGER,
  newestFolder,
  openOn,
  packOf,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { unpackLeaves } from './packing.ts'
import { verifyLedger } from './verify.ts'

/** One sealed bundle, and two entries behind it. */
async function home(): Promise<{ readonly files: SimulatedFiles; readonly folder: string }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  const append = async (count: number): Promise<unknown> =>
    await Promise.all(
      Array.from({ length: count }, () => ledger.append(draft('note', { what: 'x', asked: 'y' }))),
    )
  await append(256)
  await ledger.checkpoint()
  await ledger.settled()
  await append(2)
  await ledger.checkpoint()
  await ledger.close()
  return { files, folder: (await newestFolder(files)).path }
}

const HOME = await home()

const FORMS: readonly [why: string, from: string, to: string, what: RegExp][] = [
  ['not canonical', '"at":', '"at": ', /^not canonical JSON \(RFC 8785\) from byte \d+ on$/],
  ['with an unknown field', '"v":1', '"v":1,"vow":2', /^unknown field "vow"$/],
  ['with a field of another type', '"what":"', '"what":7,"whaty":"', /^"what" is not a text$/],
  ['no JSON', '{', '[', /^not a JSON object$/],
]

for (const [why, from, to, what] of FORMS)
  test(`verifyLedger names the entry: one in a sealed segment is ${why}, and its file was made right again`, async () => {
    const files = HOME.files.reopen('kept')
    const name = `${HOME.folder}/000000000000.leaves`
    const leaves = (await unpackLeaves(files.all().get(name) ?? utf8(''))) ?? []
    const text = Buffer.from(leaves[7] ?? '').toString('utf8')
    files.tamper(name, await packOf(0, 1_795_000_000_000, leaves.with(7, utf8(text.replace(from, to)))))
    const { problems } = await verifyLedger({ files, directory: LEDGER })
    assert.match(problems[0]?.place ?? '', /000000000000\.leaves entry 7$/)
    assert.match(problems[0]?.what ?? '', what)
  })

test('verifyLedger says so and goes no further: a sealed segment starts between bundles', async () => {
  const files = HOME.files.reopen('kept')
  const sealed = (await unpackLeaves(files.all().get(`${HOME.folder}/000000000000.leaves`) ?? utf8(''))) ?? []
  files.tamper(`${HOME.folder}/000000000258.leaves`, await packOf(258, 1_795_000_000_000, sealed))
  const { problems } = await verifyLedger({ files, directory: LEDGER })
  assert.match(problems[0]?.place ?? '', /000000000258\.leaves$/)
  assert.match(problems[0]?.what ?? '', /head of the segment/)
})
