import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkOwnFolder } from './own_folder.ts'

const ME = process.getuid?.()

test('checkOwnFolder refuses a folder in which others may write: with the command that mends it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-own-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const rows: readonly (readonly [mode: number, isRefused: boolean])[] = [
    [0o700, false],
    [0o755, false],
    [0o775, true],
    [0o757, true],
    [0o1777, true],
  ]
  for (const [mode, isRefused] of rows) {
    chmodSync(folder, mode)
    const checked = checkOwnFolder(folder, ME)
    if (isRefused)
      await assert.rejects(checked, { code: 'home.exposed', say: /chmod go-w/ }, mode.toString(8))
    else await checked
  }
})

test('checkOwnFolder refuses a folder of somebody else, and takes one that is not there yet', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-own-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await assert.rejects(checkOwnFolder(folder, (ME ?? 0) + 1), { code: 'home.exposed' })
  await checkOwnFolder(join(folder, 'none'), ME)
  await assert.rejects(checkOwnFolder(`${folder}/\u{0}`, ME), { code: 'home.unwritable' })
})
