import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { checkDatabase, copyDatabase, migrate, openDatabase, sqliteResult } from './sqlite.ts'

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const FIRST = ['CREATE TABLE thing (name TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT']
const SECOND = [...FIRST, 'ALTER TABLE thing ADD COLUMN colour TEXT']

suite('sqlite', () => {
  test('copyDatabase copies what is committed, beside a writer, into one private file', (t) => {
    const folder = temporaryFolder(t)
    const [from, to] = [join(folder, 'state.db'), join(folder, 'copy.db')]
    const database = openDatabase(from)
    migrate(database, 'things', FIRST)
    const insert = database.prepare('INSERT INTO thing VALUES (?, 1)')
    insert.run('before')
    database.atomically(() => {
      insert.run('under way')
      copyDatabase(from, to)
    })
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('copy')),
      ['copy.db'],
    )
    assert.equal(statSync(to).mode & 0o777, 0o600)
    const copy = openDatabase(to)
    assert.deepEqual(copy.prepare('SELECT name FROM thing').all(), [{ name: 'before' }])
    for (const each of [copy, database]) each.close()
    assert.throws(() => copyDatabase(from, to), 'nothing is overwritten')
  })

  test('checkDatabase refuses a database that is not whole', (t) => {
    const folder = temporaryFolder(t)
    const path = join(folder, 'state.db')
    const database = openDatabase(path)
    migrate(database, 'things', FIRST)
    const insert = database.prepare('INSERT INTO thing VALUES (?, ?)')
    database.atomically(() => {
      for (let at = 0; at < 1_000; at++) insert.run(`thing ${at}`, at)
    })
    database.close()
    checkDatabase(path)
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0x5a, 8_192, 12_288))
    assert.throws(() => checkDatabase(path), { code: 'home.damaged' })
    writeFileSync(path, 'no database at all, but long enough to be looked at')
    assert.throws(() => checkDatabase(path), { code: 'home.damaged' })
  })

  test('openDatabase syncs each commit: WAL, synchronous FULL, foreign keys on', (t) => {
    const database = openDatabase(join(temporaryFolder(t), 'state.db'))
    const settings: readonly (readonly [pragma: string, expected: unknown])[] = [
      ['journal_mode', 'wal'],
      ['synchronous', 2],
      ['foreign_keys', 1],
    ]
    for (const [pragma, expected] of settings)
      assert.deepEqual(Object.values(database.prepare(`PRAGMA ${pragma}`).all()[0] ?? {}), [expected], pragma)
    database.close()
  })

  test('openDatabase makes files that only the owner reads: the database and its WAL', (t) => {
    const folder = temporaryFolder(t)
    const database = openDatabase(join(folder, 'state.db'))
    migrate(database, 'things', FIRST)
    const names = readdirSync(folder)
    assert.ok(names.includes('state.db-wal'))
    for (const name of names) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
    database.close()
  })

  test('migrate does each step once: rows of earlier steps stay', (t) => {
    const path = join(temporaryFolder(t), 'state.db')
    const before = openDatabase(path)
    migrate(before, 'things', FIRST)
    before.prepare('INSERT INTO thing VALUES (?, ?)').run('lamp', 3)
    before.close()

    const after = openDatabase(path)
    migrate(after, 'things', SECOND)
    migrate(after, 'things', SECOND)
    migrate(after, 'others', ['CREATE TABLE other (name TEXT PRIMARY KEY) STRICT'])
    assert.deepEqual(after.prepare('SELECT name, size, colour FROM thing').all(), [
      { name: 'lamp', size: 3, colour: null },
    ])
    after.close()
  })

  test('migrate refuses tables of a newer program: it could not know what they mean', (t) => {
    const database = openDatabase(join(temporaryFolder(t), 'state.db'))
    migrate(database, 'things', SECOND)
    assert.throws(() => migrate(database, 'things', FIRST), { code: 'home.damaged' })
    database.close()
  })

  test('migrate leaves nothing behind when a step fails: all steps are one transaction', (t) => {
    const database = openDatabase(join(temporaryFolder(t), 'state.db'))
    assert.throws(() => migrate(database, 'things', [...FIRST, 'CREATE TABLE']))
    migrate(database, 'things', FIRST)
    assert.deepEqual(database.prepare('SELECT * FROM thing').all(), [])
    database.close()
  })

  test('atomically keeps none of the writes when the work throws: no half state', (t) => {
    const database = openDatabase(join(temporaryFolder(t), 'state.db'))
    migrate(database, 'things', FIRST)
    const insert = database.prepare('INSERT INTO thing VALUES (?, ?)')
    assert.throws(() =>
      database.atomically(() => {
        insert.run('lamp', 1)
        insert.run('lamp', 2)
      }),
    )
    assert.deepEqual(database.prepare('SELECT * FROM thing').all(), [])
    assert.equal(
      database.atomically(() => 'given back'),
      'given back',
    )
    database.close()
  })

  test('all refuses a value that is never stored: a 64-bit integer is not rounded in silence', (t) => {
    const database = openDatabase(join(temporaryFolder(t), 'state.db'))
    assert.throws(() => database.prepare('SELECT 9223372036854775807 AS big').all())
    assert.deepEqual(database.prepare("SELECT x'0102' AS bytes").all()[0]?.['bytes'], Uint8Array.of(1, 2))
    database.close()
  })

  test('openDatabase says which way the file is unusable', { timeout: 10_000 }, (t) => {
    const folder = temporaryFolder(t)
    assert.throws(() => openDatabase(folder), { code: 'home.damaged' })
    execFileSync('mkfifo', [join(folder, 'pipe')])
    assert.throws(() => openDatabase(join(folder, 'pipe')), { code: 'home.damaged' })
    assert.throws(() => openDatabase(join(folder, 'absent', 'state.db')), { code: 'home.unwritable' })
    writeFileSync(join(folder, 'junk.db'), 'this is no database at all. '.repeat(64))
    assert.throws(() => openDatabase(join(folder, 'junk.db')), { code: 'home.damaged' })
  })

  test('sqliteResult knows only errors of SQLite', () => {
    assert.equal(sqliteResult(new Error('other')), undefined)
    assert.equal(sqliteResult('text'), undefined)
    assert.equal(sqliteResult(Object.assign(new Error('io'), { errcode: 266 })), 10)
  })
})
