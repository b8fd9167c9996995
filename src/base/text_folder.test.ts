import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { readTextFolder, watchFolder } from './text_folder.ts'

const LIMITS = { suffix: '.txt', maxFiles: 5, maxFileBytes: 10 }

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-texts-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

suite('text_folder', () => {
  test('readTextFolder reads the wanted files by name, and links that stay inside', async (t) => {
    const folder = temporaryFolder(t)
    fs.writeFileSync(join(folder, 'b.txt'), 'b')
    fs.writeFileSync(join(folder, 'A-1_x.txt'), 'é'.repeat(5))
    fs.writeFileSync(join(folder, 'c.md'), 'other')
    fs.writeFileSync(join(folder, '.#b.txt'), 'of an editor')
    fs.mkdirSync(join(folder, '..data'))
    fs.writeFileSync(join(folder, '..data', 'd.txt'), 'd')
    fs.symlinkSync('..data/d.txt', join(folder, 'd.txt'))
    assert.deepEqual(await readTextFolder(folder, LIMITS), {
      files: [
        { name: 'A-1_x.txt', text: 'ééééé' },
        { name: 'b.txt', text: 'b' },
        { name: 'd.txt', text: 'd' },
      ],
      faults: [],
    })
  })

  test('readTextFolder tells what it cannot take and reads the rest', async (t) => {
    const rows: readonly (readonly [
      why: string,
      name: string,
      told: string,
      make: (path: string) => void,
    ])[] = [
      ['a link that leads out', 'x.txt', 'x.txt', (path) => fs.symlinkSync('/etc/passwd', path)],
      ['a link to nothing', 'x.txt', 'x.txt', (path) => fs.symlinkSync('nothing', path)],
      ['a folder', 'x.txt', 'x.txt', (path) => fs.mkdirSync(path)],
      ['a pipe', 'x.txt', 'x.txt', (path) => execFileSync('mkfifo', [path])],
      ['too large', 'x.txt', 'x.txt', (path) => fs.writeFileSync(path, 'x'.repeat(11))],
      ['not UTF-8', 'x.txt', 'x.txt', (path) => fs.writeFileSync(path, Uint8Array.of(0xff))],
      ['a name with a space', 'x y.txt', '', (path) => fs.writeFileSync(path, 'x')],
      ['a name with a line end', 'x\ny.txt', '', (path) => fs.writeFileSync(path, 'x')],
    ]
    for (const [why, name, told, make] of rows) {
      const folder = temporaryFolder(t)
      fs.writeFileSync(join(folder, 'a.txt'), 'a')
      make(join(folder, name))
      const read = await readTextFolder(folder, LIMITS)
      assert.deepEqual(read.files, [{ name: 'a.txt', text: 'a' }], why)
      assert.deepEqual(
        read.faults.map((fault) => fault.name),
        [told],
        why,
      )
    }
  })

  test('readTextFolder tells of a folder that is absent, or too full', async (t) => {
    const folder = temporaryFolder(t)
    for (let index = 0; index < 6; index++) fs.writeFileSync(join(folder, `${index}.txt`), '')
    for (const place of [folder, join(folder, 'absent'), join(folder, '0.txt')]) {
      const read = await readTextFolder(place, LIMITS)
      assert.deepEqual([read.files.length, read.faults.length], [0, 1], place)
    }
  })

  test('watchFolder tells once when the folder is quiet again, and nothing after it was stopped', async (t) => {
    const folder = temporaryFolder(t)
    let told = 0
    const heard = Promise.withResolvers<void>()
    const stop = watchFolder(folder, 20, () => {
      told += 1
      heard.resolve()
    })
    // The timer is not one to stay alive for.
    const alive = setInterval(() => undefined, 1_000)
    for (let index = 0; index < 5; index++) fs.writeFileSync(join(folder, 'a.txt'), String(index))
    await heard.promise
    assert.equal(told, 1)
    stop()
    clearInterval(alive)
  })
})
