import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { before } from 'node:test'
import { exportTo, inFolder, tamperScene, verifyHome, verifyOutside, type Scene } from './scene.ts'
import { tamperPage } from './tamper_page.ts'
import { tamperRows, type TamperRow } from './tamper_table.ts'

const PAGE = path.resolve(import.meta.dirname, '../../docs/reference/tamper-table.md')
/** With GATEHOUSE_WRITE_DOCS set the page is written instead of compared. */
const WRITES = (process.env['GATEHOUSE_WRITE_DOCS'] ?? '') !== ''

let scene: Scene
let rows: readonly TamperRow[] = []
before(async () => {
  scene = await tamperScene()
  rows = await tamperRows(scene)
})

test('both verifiers find nothing where nothing was edited: alone, and with what was held outside', async () => {
  for (const against of [undefined, scene.outside])
    assert.equal(await verifyHome(scene.home, against), undefined)
  await inFolder(async (folder) => {
    const [log, held, receipt] = ['log', 'held', 'receipt'].map((name) => path.join(folder, name))
    await exportTo(scene.home, log ?? '')
    writeFileSync(held ?? '', scene.outside)
    writeFileSync(receipt ?? '', scene.receipt)
    for (const words of [
      ['log', log],
      ['log', log, '--against', held],
      ['receipt', receipt],
    ])
      assert.equal(verifyOutside(words.map(String), scene.key), undefined, words.join(' '))
  })
})

test('both verifiers find every edit: from the files alone, or with a checkpoint from outside', () => {
  assert.ok(rows.length >= 18)
  for (const { edit, home, exported } of rows) {
    assert.ok(home !== undefined || exported !== undefined, edit)
    for (const said of [home, exported])
      assert.ok(said === undefined || said.outside !== undefined, `${edit}: not found`)
  }
})

test('only what leaves a whole log behind needs a copy from outside', () => {
  const hidden = rows.filter(({ home, exported }) =>
    [home, exported].some((said) => said !== undefined && said.alone === undefined),
  )
  assert.deepEqual(
    hidden.map(({ edit }) => edit),
    [
      'an older checkpoint of the log is put back, and nothing else',
      'all keys of the home are exchanged, and the checkpoint signed with the new one',
      'the whole home is rolled back to an older copy',
      'the log is forked from an older copy, with its own key',
    ],
  )
})

test('docs/reference/tamper-table.md says what the verifiers say', () => {
  if (WRITES) writeFileSync(PAGE, tamperPage(rows))
  assert.equal(readFileSync(PAGE, 'utf8'), tamperPage(rows), 'run: GATEHOUSE_WRITE_DOCS=1 npm test -- tamper')
})
