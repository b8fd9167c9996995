import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listFiles } from './files.ts'
import { filesOf, judgeReport, TARGETS, type ReportedMutant } from './mutation.ts'
import { IN_NO_PIECE, LEDGER_PIECES } from './mutation/ledger_pieces.ts'
import {
  after as keptAfter,
  before as keptBefore,
  keepTests,
  runKept,
  suite as keptSuite,
  test as keptTest,
} from './mutation/node_test_stand_in.ts'

const SOURCE = 'const a = 1 + 2\nif (a) {\n  stop()\n}\n'

function mutant(
  status: string,
  line: number,
  columns: readonly [number, number],
  to: string,
): ReportedMutant {
  const [start, end] = columns
  const location = { start: { line, column: start }, end: { line, column: end } }
  return { status, mutatorName: 'Any', replacement: to, location }
}

test('judgeReport counts what was killed or hung, and names the rest', () => {
  const mutants = [
    mutant('Killed', 1, [11, 16], '1 - 2'),
    mutant('Timeout', 2, [5, 6], 'true'),
    mutant('Survived', 2, [5, 6], 'false'),
    mutant('NoCoverage', 3, [3, 9], 'go()'),
    mutant('CompileError', 1, [1, 2], 'x'),
  ]
  const report = { files: { 'src/x/a.ts': { source: SOURCE, mutants } } }
  const same = { file: 'x/a.ts', reason: 'it never comes here', changes: ['a -> false'] }
  assert.deepEqual(judgeReport(report, [same]), {
    percent: 50,
    mutants: 4,
    survivors: [
      'src/x/a.ts:2:5 a -> false (the same: it never comes here)',
      'src/x/a.ts:3:3 stop() -> go() (no test comes by)',
    ],
  })
  assert.equal(judgeReport({ files: {} }, []).percent, 0)
})

test('the stand-in keeps tests, runs them again and again, and tells what went wrong first', async () => {
  const ran: string[] = []
  const load = async (): Promise<void> => {
    keptBefore(() => ran.push('set up'))
    keptSuite('a suite', () => {
      keptBefore(() => ran.push('set up inside'))
      keptAfter(() => ran.push('closed'))
      keptTest('good', async ({ after }) => {
        after(() => ran.push('cleaned up'))
        await Promise.resolve()
        ran.push('good')
      })
    })
    keptTest('bad', () => assert.fail('as it should'))
    assert.throws(() => keptTest('bad', () => undefined), /two tests with one title/)
    await Promise.resolve()
  }
  const [good, bad] = await keepTests(['a.test.ts'], load)
  assert.ok(good !== undefined && bad !== undefined)
  assert.deepEqual([good.id, bad.id], ['a.test.ts > a suite > good', 'a.test.ts > bad'])
  const once = ['set up', 'set up inside', 'good', 'cleaned up', 'closed']
  assert.equal(await runKept(good), undefined)
  assert.equal(await runKept(good), undefined)
  assert.deepEqual(ran, [...once, ...once])
  assert.match((await runKept(bad)) ?? '', /as it should/)
})

test('the stand-in runs no test that could not be set up, and cleans up all the same', async () => {
  const ran: string[] = []
  const load = (): Promise<void> => {
    keptBefore(() => assert.fail('no port is free'))
    keptAfter(() => ran.push('closed'))
    keptTest('good', () => ran.push('good'))
    return Promise.resolve()
  }
  const [good] = await keepTests(['a.test.ts'], load)
  assert.ok(good !== undefined)
  assert.match((await runKept(good)) ?? '', /no port is free/)
  assert.deepEqual(ran, ['closed'])
})

test('filesOf gives a file to the innermost target only', () => {
  const targets = [{ folder: 'src/a' }, { folder: 'src/a/b' }, { folder: 'src/ab' }]
  const files = ['src/a/one.ts', 'src/a/b/two.ts', 'src/a/c/three.ts', 'src/ab/four.ts']
  const given = targets.map((target) => filesOf(target, targets, files))
  assert.deepEqual(given, [['src/a/one.ts', 'src/a/c/three.ts'], ['src/a/b/two.ts'], ['src/ab/four.ts']])
})

test('filesOf gives a piece the files that it names, and the tests of those names', () => {
  const files = ['a.ts', 'a.test.ts', 'a_b.ts', 'b.test.ts', 'c.ts'].map((name) => `src/x/${name}`)
  const piece = { folder: 'src/x', only: ['a', 'b'] }
  assert.deepEqual(filesOf(piece, [piece], files), ['src/x/a.ts', 'src/x/a.test.ts', 'src/x/b.test.ts'])
})

const LEDGER = 'src/trust/ledger'
const LEDGER_FILES = listFiles([LEDGER])
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(LEDGER.length + 1))

test('every file of the ledger with code is in exactly one piece, or said to be in none', () => {
  const named = LEDGER_PIECES.flatMap(({ only }) => only.map((name) => `${name}.ts`))
  const excepted = Object.keys(IN_NO_PIECE).filter((name) => !name.endsWith('.test.ts'))
  const code = LEDGER_FILES.filter((name) => !name.endsWith('.test.ts'))
  assert.deepEqual([...named, ...excepted].toSorted(), code.toSorted())
})

test('every test of the ledger is among those of a piece, or said to be in none', () => {
  const tests = LEDGER_FILES.filter((name) => name.endsWith('.test.ts'))
  const beside = LEDGER_PIECES.flatMap(({ only }) => only.map((name) => `${name}.test.ts`))
  const also = LEDGER_PIECES.flatMap(({ alsoTests }) =>
    alsoTests.map((file) => file.slice(LEDGER.length + 1)),
  )
  const excepted = Object.keys(IN_NO_PIECE).filter((name) => name.endsWith('.test.ts'))
  const taken = new Set([...beside, ...also, ...excepted])
  assert.deepEqual(
    tests.filter((name) => !taken.has(name)),
    [],
    'in no piece',
  )
  assert.deepEqual(
    [...also, ...excepted].filter((name) => !tests.includes(name)),
    [],
    'a name without a test',
  )
  assert.deepEqual(
    excepted.filter((name) => beside.includes(name) || also.includes(name)),
    [],
    'in a piece all the same',
  )
})

test('every piece of the ledger is a target, and has files of its own only', () => {
  const pieces = TARGETS.filter(({ folder }) => folder === LEDGER)
  assert.deepEqual(
    pieces.map(({ name }) => name),
    LEDGER_PIECES.map(({ name }) => name),
  )
  const files = LEDGER_FILES.map((name) => `${LEDGER}/${name}`)
  const given = pieces.flatMap((piece) => filesOf(piece, TARGETS, files))
  assert.equal(new Set(given).size, given.length)
})
