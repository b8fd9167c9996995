import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { errorCode, NODE_FILES } from './files.ts'
import {
  NOT_PLAIN,
  openPlainForWriting,
  readPlainFile,
  readPlainFileNow,
  readPlainRange,
} from './plain_file.ts'

const FOLLOW = { maxBytes: 5, links: 'follow' } as const
const REFUSE = { maxBytes: 5, links: 'refuse' } as const

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-plain-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('readPlainFile reads a file up to its limit, and through a link where that may be', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  const link = join(folder, 'link')
  fs.symlinkSync(file, link)
  for (const text of ['', 'abc', 'abcde']) {
    fs.writeFileSync(file, text)
    for (const rules of [FOLLOW, REFUSE]) {
      assert.equal((await readPlainFile(file, rules)).toString(), text)
      assert.equal(readPlainFileNow(file, rules).toString(), text)
    }
    assert.equal((await readPlainFile(link, FOLLOW)).toString(), text)
    assert.equal(readPlainFileNow(link, FOLLOW).toString(), text)
  }
  assert.equal((await readPlainRange(file, 1, 3)).toString(), 'bcd')
  assert.equal((await readPlainRange(file, 3, 100)).toString(), 'de')
})

/** Each makes something at a path that is no plain file to read. */
const OTHERS: readonly [why: string, make: (path: string) => void, code: string][] = [
  ['a pipe', (path) => execFileSync('mkfifo', [path]), 'ENOTPLAIN'],
  ['a folder', (path) => fs.mkdirSync(path), 'ENOTPLAIN'],
  ['a link to a device that never ends', (path) => fs.symlinkSync('/dev/zero', path), 'ENOTPLAIN'],
  ['a file that is too large', (path) => fs.writeFileSync(path, 'abcdef'), 'EFBIG'],
  [
    'a file of holes that would fill the memory',
    (path) => fs.truncateSync(makeEmpty(path), 2 ** 40),
    'EFBIG',
  ],
]

for (const [why, make, code] of OTHERS)
  test(`readPlainFile refuses at once: ${why}`, { timeout: 10_000 }, async (t) => {
    const path = join(temporaryFolder(t), 'x')
    make(path)
    await assert.rejects(readPlainFile(path, FOLLOW), { code })
    assert.throws(() => readPlainFileNow(path, FOLLOW), { code })
    assert.ok(NOT_PLAIN.has(code))
    const before = process.memoryUsage.rss()
    for (const work of [
      async () => await NODE_FILES.read(path, 5),
      async () => await readPlainFile(path, REFUSE),
    ])
      assert.ok(NOT_PLAIN.has(errorCode(await work().catch((each: unknown) => each)) ?? ''))
    assert.ok(process.memoryUsage.rss() - before < 64 * 1_024 * 1_024)
  })

test('readPlainFile refuses a link where only Gatehouse writes, and what is not there', async (t) => {
  const folder = temporaryFolder(t)
  const link = join(folder, 'link')
  fs.symlinkSync(makeEmpty(join(folder, 'file')), link)
  await assert.rejects(readPlainFile(link, REFUSE), { code: 'ELOOP' })
  assert.throws(() => readPlainFileNow(link, REFUSE), { code: 'ELOOP' })
  await assert.rejects(readPlainFile(join(folder, 'none'), REFUSE), { code: 'ENOENT' })
})

test('readPlainFileNow asks about the open file before it reads', (t) => {
  const file = makeEmpty(join(temporaryFolder(t), 'file'))
  const refuse = (facts: fs.Stats): never => {
    throw new Error(`mode ${facts.mode.toString(8)}`)
  }
  assert.throws(() => readPlainFileNow(file, REFUSE, refuse), /mode 100/)
})

test(
  'openPlainForWriting and ranges refuse at once what is no plain file',
  { timeout: 10_000 },
  async (t) => {
    const folder = temporaryFolder(t)
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const link = join(folder, 'link')
    fs.symlinkSync(makeEmpty(join(folder, 'file')), link)
    for (const path of [pipe, link]) {
      // One after the other: a promise that nobody waits for yet would end the run when it fails first.
      for (const work of [openPlainForWriting, async (each: string) => await readPlainRange(each, 0, 1)])
        assert.ok(NOT_PLAIN.has(errorCode(await work(path).catch((each: unknown) => each)) ?? ''), path)
    }
    // A pipe that somebody reads can be opened for writing; it is no file all the same.
    const reader = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
    await assert.rejects(openPlainForWriting(pipe), { code: 'ENOTPLAIN' })
    fs.closeSync(reader)
    const handle = await openPlainForWriting(join(folder, 'new'))
    assert.equal((await handle.stat()).mode & 0o777, 0o600)
    await handle.close()
  },
)

function makeEmpty(path: string): string {
  fs.writeFileSync(path, '')
  return path
}
