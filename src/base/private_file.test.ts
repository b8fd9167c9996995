import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { writePrivateFile } from './private_file.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-file-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('writePrivateFile writes for its owner only, also over a file that others could read', async (t) => {
  const path = join(folderOf(t), 'file')
  writeFileSync(path, 'before', { mode: 0o644 })
  await writePrivateFile(path, 'after')
  assert.equal(readFileSync(path, 'utf8'), 'after')
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('writePrivateFile replaces a symbolic link: what it points to stays as it is', async (t) => {
  const folder = folderOf(t)
  const victim = join(folder, 'victim')
  const path = join(folder, 'file')
  writeFileSync(victim, 'precious')
  symlinkSync(victim, path)
  await writePrivateFile(path, 'text')
  assert.deepEqual([readFileSync(victim, 'utf8'), readFileSync(path, 'utf8')], ['precious', 'text'])
})

test('writePrivateFile leaves nothing behind when it fails', async (t) => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'file'))
  await assert.rejects(writePrivateFile(join(folder, 'file'), 'text'), { code: 'EISDIR' })
  assert.deepEqual(readdirSync(folder), ['file'])
})
