import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeFile, judgeVerifier, LINES_MAX, VERIFIER_LINES_MAX } from './sizes.ts'

const CASES: readonly (readonly [why: string, file: string, lines: number, wrong: number])[] = [
  ['in order', 'src/base/home_lock.ts', LINES_MAX, 0],
  ['a test', 'src/base/home_lock.test.ts', 1, 0],
  ['too long', 'src/base/home_lock.ts', LINES_MAX + 1, 1],
  ['outside src', 'tools/home_lock.ts', LINES_MAX + 1, 0],
  ['another case', 'src/base/homeLock.ts', 1, 1],
  ['dashes', 'src/base/home-lock.ts', 1, 1],
  ['an empty name', 'src/base/utils.ts', 1, 1],
  ['an index', 'src/base/index.ts', 1, 1],
]

test('judgeFile holds files to their length and name', () => {
  for (const [why, file, lines, wrong] of CASES) {
    assert.equal(judgeFile(file, 'x\n'.repeat(lines)).length, wrong, why)
  }
})

test('judgeVerifier holds all files of the verifier together to what can be read in an hour', () => {
  const lines = (count: number): string => 'x\n'.repeat(count)
  assert.deepEqual(judgeVerifier([lines(VERIFIER_LINES_MAX - 1), lines(1)]), [])
  assert.equal(judgeVerifier([lines(VERIFIER_LINES_MAX), lines(1)]).length, 1)
  assert.equal(judgeVerifier([]).length, 1, 'a verifier that is not found is not held to anything')
})
