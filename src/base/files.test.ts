import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { SimulatedFiles } from '../../test/support/simulated_files.ts'
import { utf8 } from './bytes.ts'
import { errorCode, folderOf, isTemporary, NODE_FILES, writeAtomic, type Files } from './files.ts'

/** What every implementation promises; the simulated disk is only worth something if it behaves like the real one. */
async function checkContract(files: Files, folder: string): Promise<void> {
  const inner = `${folder}/a/b`
  await files.makeDirectory(inner)
  await files.makeDirectory(inner)
  assert.deepEqual(await files.list(folder), ['a'])
  assert.deepEqual(await files.list(`${folder}/none`), [])
  assert.equal(await files.facts(`${inner}/none`), undefined)
  await assert.rejects(files.read(`${inner}/none`), { code: 'ENOENT' })
  await assert.rejects(files.readRange(`${inner}/none`, 0, 1), { code: 'ENOENT' })
  await assert.rejects(files.openForWriting(`${folder}/none/x`), { code: 'ENOENT' })
  await files.unlink(`${inner}/none`)
  const file = await files.openForWriting(`${inner}/x`)
  await file.write(utf8('hello ____'), 0)
  await file.write(utf8('world'), 6)
  await file.truncate(8)
  await file.datasync()
  const facts = await file.facts()
  assert.deepEqual(await files.facts(`${inner}/x`), facts)
  assert.equal(facts.bytes, 8)
  assert.equal(facts.links, 1)
  assert.deepEqual(Buffer.from(await files.read(`${inner}/x`)), Buffer.from('hello wo'))
  assert.deepEqual(Buffer.from(await files.readRange(`${inner}/x`, 6, 100)), Buffer.from('wo'))
  assert.deepEqual(Buffer.from(await files.readRange(`${inner}/x`, 1, 3)), Buffer.from('ell'))
  await assert.rejects(files.removeDirectory(inner), { code: 'ENOTEMPTY' })
  await files.rename(`${inner}/x`, `${inner}/y`)
  await files.unlink(`${inner}/y`)
  await files.syncDirectory(inner)
  assert.equal((await file.facts()).links, 0)
  await file.close()
  await writeAtomic(files, `${inner}/z`, utf8('one'))
  await writeAtomic(files, `${inner}/z`, utf8('two'))
  assert.deepEqual(Buffer.from(await files.read(`${inner}/z`)), Buffer.from('two'))
  assert.deepEqual(await files.list(inner), ['z'])
  const again = await files.openForWriting(`${inner}/z`)
  await again.write(utf8('e'), 2)
  await again.write(utf8('!'), 4)
  await again.close()
  assert.deepEqual(Buffer.from(await files.read(`${inner}/z`)), Buffer.from('twe\0!'))
  await files.unlink(`${inner}/z`)
  await files.removeDirectory(inner)
  assert.deepEqual(await files.list(`${folder}/a`), [])
  assert.ok((await files.freeBytes(folder)) > 0)
}

test('NODE_FILES keeps the contract of Files: on the disk of this machine', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-files-'))
  try {
    await checkContract(NODE_FILES, folder)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('SimulatedFiles keeps the contract of Files: as the real disk does', async () => {
  const files = new SimulatedFiles()
  await files.makeDirectory('/home')
  await checkContract(files, '/home')
})

test('NODE_FILES makes what only the owner can read: files 0600, folders 0700', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-files-'))
  try {
    await NODE_FILES.makeDirectory(`${folder}/inner`)
    await writeAtomic(NODE_FILES, `${folder}/inner/x`, utf8('x'))
    assert.equal(fs.statSync(`${folder}/inner`).mode & 0o777, 0o700)
    assert.equal(fs.statSync(`${folder}/inner/x`).mode & 0o777, 0o600)
    await assert.rejects(NODE_FILES.facts(`${folder}/inner/x/y`), { code: 'ENOTDIR' })
    await assert.rejects(NODE_FILES.list(`${folder}/inner/x`), { code: 'ENOTDIR' })
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('writeAtomic leaves the old content or the new: it stops at any step, whatever survives', async () => {
  for (let number = 0; ; number++) {
    const files = new SimulatedFiles()
    await files.makeDirectory('/home')
    await files.syncDirectory('/')
    await writeAtomic(files, '/home/x', utf8('old'))
    files.steps.length = 0
    files.judge = (step) => (step.number === number ? 'crash' : 'go')
    const finished = await writeAtomic(files, '/home/x', utf8('new')).then(
      () => true,
      () => false,
    )
    for (const survival of ['lost', 'kept', 'torn', 'holed', 'nameless'] as const) {
      const after = Buffer.from(await files.reopen(survival).read('/home/x')).toString('utf8')
      assert.ok(finished ? after === 'new' : ['old', 'new'].includes(after), `${number} ${survival} ${after}`)
    }
    if (finished) return
  }
})

test('SimulatedFiles forgets what was not synced: content, names, and pages of a failed sync', async () => {
  const files = new SimulatedFiles()
  await files.makeDirectory('/home')
  await files.syncDirectory('/')
  const file = await files.openForWriting('/home/x')
  await file.write(utf8('synced'), 0)
  assert.deepEqual([...files.reopen('lost').all()], [])
  await files.syncDirectory('/home')
  files.judge = (step) => (step.kind === 'datasync' ? { code: 'EIO' } : 'go')
  await assert.rejects(file.write(utf8(' not'), 6), { code: 'EIO' })
  assert.equal(textOf(files.reopen('lost'), '/home/x'), 'synced')
  assert.equal(textOf(files.reopen('torn'), '/home/x'), 'synced n')
  assert.equal(textOf(files.reopen('holed'), '/home/x'), 'synced\0\0ot')
  assert.equal(textOf(files.reopen('kept'), '/home/x'), 'synced not')
  files.judge = () => 'go'
  await file.datasync()
  assert.equal(textOf(files.reopen('lost'), '/home/x'), 'synced', 'a later sync does not find them again')
  await file.truncate(6)
  await file.write(utf8(' again'), 6)
  assert.equal(textOf(files.reopen('lost'), '/home/x'), 'synced again', 'cut off, they do no harm')
})

test('SimulatedFiles forgets what was not synced: content that was written over other content', async () => {
  const files = new SimulatedFiles()
  await files.makeDirectory('/home')
  await files.syncDirectory('/')
  const file = await files.openForWriting('/home/x')
  await file.write(utf8('one ....'), 0)
  await files.syncDirectory('/home')
  files.judge = (step) => (step.kind === 'datasync' ? 'crash' : 'go')
  await assert.rejects(file.write(utf8('two'), 4))
  assert.equal(textOf(files.reopen('lost'), '/home/x'), 'one ....')
  assert.equal(textOf(files.reopen('torn'), '/home/x'), 'one tw..')
  assert.equal(textOf(files.reopen('holed'), '/home/x'), 'one ..o.')
  assert.equal(textOf(files.reopen('kept'), '/home/x'), 'one two.')
})

test('errorCode, folderOf and isTemporary read what they are given', () => {
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 'EIO' })), 'EIO')
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 5 })), undefined)
  assert.equal(errorCode(new Error('x')), undefined)
  assert.equal(errorCode('EIO'), undefined)
  assert.deepEqual(['a/b', '/a', 'a', '/a/b'].map(folderOf), ['a', '/', '.', '/a'])
  assert.deepEqual(['a.tmp', 'tmp'].map(isTemporary), [true, false])
})

function textOf(files: SimulatedFiles, name: string): string {
  return Buffer.from(files.all().get(name) ?? []).toString('utf8')
}
