import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { judgeCoverage, listSources, mergeCoverage, type FileCoverage } from './coverage.ts'

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'coverage-')))
after(() => fs.rmSync(root, { recursive: true }))

const SOURCES: Readonly<Record<string, string>> = {
  'src/base/pick.ts': [
    '/** A comment. */',
    'interface Shape {',
    '  side: number',
    '}',
    '',
    'export function pick(word: string): number {',
    "  if (word === 'left') {",
    '    return 1',
    '  }',
    "  if (word === 'right') {",
    '    return 2',
    '  }',
    '  return never()',
    '}',
    '',
    'function never(): number {',
    '  const shape: Shape = { side: 3 }',
    '  return shape.side',
    '}',
    '',
  ].join('\n'),
  'src/base/shape.ts': 'export interface Shape {\n  side: number\n}\n',
  'src/base/unseen.ts': 'export const unseen = 1\n',
  'src/base/pick.test.ts': '',
}

for (const [file, text] of Object.entries(SOURCES)) {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  fs.writeFileSync(path.join(root, file), text)
}

/** Each word is a process of its own, as the tests and the servers that they start are. */
function cover(...words: readonly string[]): FileCoverage[] {
  const folder = path.join(root, `coverage-${words.join('-')}`)
  for (const word of words) {
    const program = `import { pick } from './src/base/pick.ts'; pick('${word}')`
    const env = { ...process.env, NODE_V8_COVERAGE: folder, NODE_DISABLE_COMPILE_CACHE: '1' }
    const flags = ['--input-type=module', '--eval', program]
    const child = spawnSync(process.execPath, flags, { cwd: root, env, encoding: 'utf8' })
    assert.equal(child.status, 0, child.stderr)
  }
  return mergeCoverage(folder, listSources(root), root)
}

test('mergeCoverage counts what one process missed', () => {
  const [pick] = cover('left')
  assert.equal(pick?.lines, 9)
  assert.deepEqual(pick.missedLines, [10, 11, 13, 16, 17, 18])
})

test('mergeCoverage joins processes: what any of them ran is covered', () => {
  const [pick, shape, unseen] = cover('left', 'right')
  assert.deepEqual(pick?.missedLines, [13, 16, 17, 18])
  assert.deepEqual(pick.missedBranches, [12, 16])
  assert.deepEqual(cover('left', 'right', 'other')[0]?.missedLines, [])
  assert.deepEqual([shape?.lines, shape?.isLoaded], [0, false], 'types cannot be missed')
  assert.deepEqual([unseen?.lines, unseen?.missedLines, unseen?.isLoaded], [1, [1], false])
})

test('judgeCoverage fails: below a bar, an empty place, and a file that nothing loaded', () => {
  const file = {
    file: 'src/base/a.ts',
    isLoaded: true,
    lines: 10,
    branches: 10,
    missedLines: [1],
    missedBranches: [1],
  }
  const bar = { place: 'src/base', lines: 90, branches: 90 }
  const cases: readonly (readonly [why: string, files: readonly FileCoverage[], expected: boolean])[] = [
    ['exactly at the bar', [file], true],
    ['a line too few', [{ ...file, missedLines: [1, 2] }], false],
    ['a branch too few', [{ ...file, missedBranches: [1, 2] }], false],
    ['only another place', [{ ...file, file: 'src/door/a.ts' }], false],
    [
      'a small file that nothing loaded',
      [
        { ...file, lines: 1_000 },
        { ...file, isLoaded: false },
      ],
      false,
    ],
    [
      'types alone',
      [{ ...file, lines: 0, branches: 0, missedLines: [], missedBranches: [], isLoaded: false }],
      true,
    ],
  ]
  for (const [why, files, expected] of cases) assert.equal(judgeCoverage(files, [bar]).isGood, expected, why)
})
