import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { NODE_FILES, type Files } from '#base/files.ts'
import { setHash } from './policy_manifest.ts'
import { keep, loadKept } from './policy_state.ts'

const FILES = [
  { name: 'a.cedar', text: 'permit (principal, action, resource);' },
  { name: 'b.cedar', text: '' },
]
const SCHEMA = 'a'.repeat(64)
const KEPT = { set: setHash(FILES, SCHEMA), schemaHash: SCHEMA, files: FILES }
const STATE = { v: 1, set: KEPT.set, schema: SCHEMA, files: FILES }

function folder(t: TestContext): string {
  const made = fs.mkdtempSync(join(tmpdir(), 'gatehouse-policy-state-'))
  t.after(() => fs.rmSync(made, { recursive: true, force: true }))
  return made
}

/** Files of which one call fails as the system says. */
function broken(call: 'read' | 'makeDirectory', code: string): Files {
  const fail = (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }))
  return { ...NODE_FILES, [call]: fail }
}

suite('policy_state', () => {
  test('loadKept gives what keep kept, and nothing where nothing was kept', async (t) => {
    const directory = join(folder(t), 'policy')
    assert.equal(await loadKept(NODE_FILES, directory), undefined)
    await keep(NODE_FILES, directory, KEPT)
    assert.deepEqual(await loadKept(NODE_FILES, directory), KEPT)
    assert.deepEqual(JSON.parse(fs.readFileSync(join(directory, 'last_good.json'), 'utf8')), STATE)
  })

  test('loadKept takes only a whole set that is what its hash says', async (t) => {
    const directory = folder(t)
    const odd = [{ name: 'c.cedar' }, { text: '' }, { name: 1, text: '' }, null, 'c.cedar', []]
    const rows: readonly (readonly [why: string, text: string])[] = [
      ['nothing', ''],
      ['half a file', JSON.stringify(STATE).slice(0, -9)],
      ['no object', 'null'],
      ['a later form', JSON.stringify({ ...STATE, v: 2 })],
      ['no form', JSON.stringify({ ...STATE, v: undefined })],
      ['no set', JSON.stringify({ ...STATE, set: undefined })],
      ['no schema', JSON.stringify({ ...STATE, schema: undefined })],
      ['a number for a schema', JSON.stringify({ ...STATE, schema: 1, set: setHash(FILES, '1') })],
      ['no files', JSON.stringify({ ...STATE, files: undefined })],
      ['another schema', JSON.stringify({ ...STATE, schema: 'b'.repeat(64) })],
      ['a changed text', JSON.stringify({ ...STATE, files: [FILES[0], { name: 'b.cedar', text: ' ' }] })],
      ['a file left out', JSON.stringify({ ...STATE, files: [FILES[0]] })],
      ...odd.map(
        (file) =>
          [`with ${JSON.stringify(file)}`, JSON.stringify({ ...STATE, files: [...FILES, file] })] as const,
      ),
    ]
    for (const [why, text] of rows) {
      fs.writeFileSync(join(directory, 'last_good.json'), text)
      assert.equal(await loadKept(NODE_FILES, directory), undefined, why)
    }
  })

  test('loadKept and keep throw for a disk that fails: a set that cannot be read is not one that is missing', async (t) => {
    const directory = folder(t)
    await assert.rejects(loadKept(broken('read', 'EIO'), directory), {
      code: 'home.unwritable',
      detail: { error: 'EIO' },
    })
    await assert.rejects(keep(broken('makeDirectory', 'ENOSPC'), directory, KEPT), {
      code: 'home.unwritable',
      detail: { error: 'ENOSPC' },
    })
  })
})
