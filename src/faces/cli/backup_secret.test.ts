import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { worldWithout } from '../../../test/support/cli_world.ts'
import { readSecret } from './backup_secret.ts'
import type { Call } from './command.ts'

/** A call with these options, in a folder with these files. */
function call(
  t: TestContext,
  options: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Call {
  const cwd = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  return { world: worldWithout({ cwd }), option: (name: string) => options[name] } as Call
}

const ENDS = ['', '\n', '\r\n']
for (const end of ENDS)
  test(`readSecret leaves out the line break that editors put at the end: ${JSON.stringify(end)}`, async (t) => {
    const asked = call(t, { 'passphrase-file': 'p' }, { p: `two words ${end}` })
    const { kind, bytes } = await readSecret(asked)
    assert.deepEqual([kind, Buffer.from(bytes).toString()], ['passphrase', 'two words '])
  })

test('readSecret takes a passphrase as the same however its characters are composed, and a key as its bytes', async (t) => {
  const texts = ['caf\u00e9 caf\u00e9', 'cafe\u0301 cafe\u0301']
  const read = async (option: string): Promise<readonly string[]> =>
    await Promise.all(
      texts.map(async (text) =>
        Buffer.from((await readSecret(call(t, { [option]: 'f' }, { f: text }))).bytes).toString('hex'),
      ),
    )
  const [first, second] = await read('passphrase-file')
  assert.equal(first, second)
  const [key, other] = await read('key-file')
  assert.notEqual(key, other)
})

const WRONG: readonly (readonly [why: string, options: Readonly<Record<string, string>>])[] = [
  ['none', {}],
  ['both', { 'key-file': 'f', 'passphrase-file': 'f' }],
  ['a file that is not there', { 'key-file': 'none' }],
]
for (const [why, options] of WRONG)
  test(`readSecret refuses what names no secret: ${why}`, async (t) => {
    await assert.rejects(readSecret(call(t, options, { f: 'x' })), { code: 'usage.wrong' })
  })
