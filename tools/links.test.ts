import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { checkLinks, findAnchors, findLinks } from './links.ts'

test('findLinks finds what leads inside the project', () => {
  const cases: readonly (readonly [why: string, text: string, expected: readonly string[]])[] = [
    ['inline', 'see [a](docs/a.md) and ![b](b.png "B")', ['docs/a.md', 'b.png']],
    ['reference', '[a]: ./a.md#top\n', ['./a.md#top']],
    ['angle brackets', '[a](<a.md>)', ['a.md']],
    ['web address', '[a](https://example.org/a.md)', []],
    ['mail address', '[a](mailto:a@example.org)', []],
    ['in code', '`[a](a.md)`\n```\n[b](b.md)\n```\n', []],
  ]
  for (const [why, text, expected] of cases) assert.deepEqual(findLinks(text), expected, why)
})

test('findAnchors names headings: as the usual viewers do', () => {
  const text = '# One, two: `three`\n## A\n## A\n```\n# not one\n```\n### [Link](x.md) - end\n'
  assert.deepEqual([...findAnchors(text)], ['one-two-three', 'a', 'a-1', 'link---end'])
})

test('checkLinks fails: a file, an anchor or a place outside that is not there', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'links-'))
  t.after(() => fs.rmSync(root, { recursive: true }))
  fs.writeFileSync(
    path.join(root, 'a.md'),
    '# Top\n[b](b.md) [top](#top) [bad](#gone) [c](b.md#gone) [d](../b.md)',
  )
  assert.deepEqual(
    checkLinks(['a.md'], root).map((line) => line.split(' ')[1]),
    ['b.md', '#gone', 'b.md#gone', '../b.md'],
  )
  fs.writeFileSync(path.join(root, 'b.md'), '# Gone')
  assert.deepEqual(
    checkLinks(['a.md'], root).map((line) => line.split(' ')[1]),
    ['#gone', '../b.md'],
  )
})
