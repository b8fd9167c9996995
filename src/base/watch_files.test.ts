import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { watchFiles } from './watch_files.ts'

test('watchFiles calls back when a file is replaced: by renaming another over it', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gh-'))
  const file = path.join(folder, 'cert.pem')
  writeFileSync(file, 'old')
  let changes = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const watching = watchFiles(
    [file],
    20,
    () => {
      changes += 1
      resolve()
    },
    () => assert.fail(),
  )
  t.after(() => rmSync(folder, { recursive: true }))
  t.after(() => watching.close())
  for (let round = 0; round < 5; round += 1) {
    writeFileSync(`${file}.new`, 'new')
    renameSync(`${file}.new`, file)
  }
  // The watcher does not keep the process alive, and nothing else runs here.
  const alive = setInterval(() => undefined, 1_000)
  await promise
  clearInterval(alive)
  assert.equal(changes, 1, 'five changes at once are one')
})

test('watchFiles reports a folder that is not there: and goes on', () => {
  const errors: unknown[] = []
  watchFiles([path.join(tmpdir(), 'gatehouse-none', 'x')], 20, assert.fail, (error) =>
    errors.push(error),
  ).close()
  assert.equal(errors.length, 1)
})
