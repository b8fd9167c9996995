import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { parseManifest, printManifest, type Manifest } from './manifest.ts'

const FILE = { path: 'a/b c', bytes: 3, sha256: 'f'.repeat(64), object: `objects/${'0'.repeat(64)}` }
const HEAD = { origin: 'gatehouse.local/x', size: 5, root: Buffer.alloc(32, 1) }
const MANIFEST: Manifest = { madeAt: 1_795_000_000_000, version: '1', head: HEAD, files: [FILE] }

for (const manifest of [MANIFEST, { ...MANIFEST, head: undefined, files: [] }])
  test(`parseManifest gives what printManifest was given: ${manifest.files.length} files`, () => {
    const read = parseManifest(printManifest(manifest))
    assert.deepEqual(
      { ...read, head: read.head && { ...read.head, root: Buffer.from(read.head.root) } },
      manifest,
    )
  })

const WRONG: readonly (readonly [why: string, text: string])[] = [
  ['no JSON', '{'],
  ['no object', '[]'],
  ['a newer form', JSON.stringify({ form: 2 })],
  ['no files', JSON.stringify({ form: 1, made_at: '2026-01-01T00:00:00Z', version: '1', head: null })],
  ['no time', JSON.stringify({ form: 1, made_at: 'now', version: '1', head: null, files: [] })],
  ...['../a', '/a', 'a/../b', 'a//b', '.', '', 'a\0b'].map((path): [string, string] => [
    `a path that is none: ${JSON.stringify(path)}`,
    withFile({ path }),
  ]),
  ['an object that is none', withFile({ object: 'objects/../../etc/passwd' })],
  ['a length that is none', withFile({ bytes: '3' })],
]
for (const [why, text] of WRONG)
  test(`parseManifest refuses what it cannot use: ${why}`, () => {
    assert.throws(() => parseManifest(utf8(text)), { code: 'backup.damaged' })
  })

function withFile(changes: object): string {
  const files = [{ ...FILE, ...changes }]
  return JSON.stringify({ form: 1, made_at: '2026-01-01T00:00:00Z', version: '1', head: null, files })
}
