import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { emptyDisk, intent, KEYS, openOn } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { signCheckpoint } from './checkpoint.ts'
import type { Ledger } from './ledger.ts'
import { noteSigner } from './note.ts'

const ANCHOR = '/anchor/copy'

async function grow(ledger: Ledger, from: number, count: number): Promise<string> {
  for (let at = 0; at < count; at++) await ledger.append(intent(from + at))
  const text = await ledger.checkpoint()
  // What is there by then: nobody else waits for the copies.
  await ledger.settled()
  return text
}

interface Scene {
  readonly files: SimulatedFiles
  /** A ledger of four entries, the last of them another one than before: rolled back, and its anchor away by now. */
  readonly ledger: Ledger
  /** Checkpoints of the log as it was before that, by their entries. */
  readonly before: ReadonlyMap<number, string>
}

async function rolledBack(): Promise<Scene> {
  const now = await emptyDisk()
  const first = await openOn(now)
  const before = new Map([[2, await grow(first, 0, 2)]])
  before.set(3, await grow(first, 2, 1))
  const files = now.reopen('kept')
  before.set(4, await grow(first, 3, 1))
  before.set(9, await grow(first, 4, 5))
  await first.close()
  const ledger = await openOn(files, { anchors: [ANCHOR] })
  await grow(ledger, 10, 1)
  assert.equal(ledger.state().anchors[0]?.size, 4)
  files.tamper(ANCHOR, undefined)
  return { files, ledger, before }
}

async function foreign(origin: string): Promise<string> {
  return await signCheckpoint(
    { origin, size: 1, root: Buffer.alloc(32, 1) },
    [noteSigner(origin, newEd25519Pem())],
    0,
  )
}

const KEPT: readonly [
  why: string,
  found: (scene: Scene) => Promise<string>,
  problem: RegExp,
  contradicts: boolean,
][] = [
  [
    'more entries than there are',
    async ({ before }) => Promise.resolve(before.get(9) ?? assert.fail()),
    /holds 9 entries of this log, of which 7 are here: it was rolled back/,
    true,
  ],
  [
    'other entries, and fewer of them',
    async ({ before }) => Promise.resolve(before.get(4) ?? assert.fail()),
    /another history of this log/,
    true,
  ],
  ['another ledger', async () => await foreign('gatehouse.local/x'), /no key of this home has signed/, false],
  [
    'the name of this log and another key',
    async ({ ledger }) => await foreign(ledger.origin),
    /no key of this home has signed/,
    false,
  ],
  [
    'another log of this home',
    async () =>
      await signCheckpoint(
        { origin: 'gatehouse.local/y', size: 1, root: Buffer.alloc(32, 1) },
        [noteSigner('gatehouse.local/y', KEYS.signingPem)],
        0,
      ),
    /another log of this home/,
    false,
  ],
]

for (const [why, found, problem, contradicts] of KEPT)
  test(`an anchor that was away at the start is not replaced: it holds ${why}`, async () => {
    const scene = await rolledBack()
    const { files, ledger } = scene
    const text = await found(scene)
    files.tamper(ANCHOR, utf8(text))
    await grow(ledger, 20, 3)
    const [anchor] = ledger.state().anchors
    assert.match(anchor?.problem ?? '', problem)
    assert.equal(anchor?.contradicts, contradicts)
    assert.equal(anchor?.size, undefined, 'what was put there is there no more')
    assert.equal(Buffer.from(files.all().get(ANCHOR) ?? []).toString('utf8'), text)
    // As soon as it is taken away, it gets copies again.
    files.tamper(ANCHOR, undefined)
    const newest = await grow(ledger, 23, 1)
    assert.equal(Buffer.from(files.all().get(ANCHOR) ?? []).toString('utf8'), newest)
    assert.equal(ledger.state().anchors[0]?.problem, undefined)
    assert.equal(ledger.state().anchors[0]?.contradicts, false)
    await ledger.close()
  })

const REPLACED: readonly [why: string, found: (scene: Scene) => string][] = [
  ['an older checkpoint of this log', ({ before }) => before.get(2) ?? assert.fail()],
  ['nothing', () => ''],
  ['no checkpoint', () => 'a page\n\nof somebody\n'],
]

for (const [why, found] of REPLACED)
  test(`an anchor that was away at the start is replaced: it holds ${why}`, async () => {
    const scene = await rolledBack()
    const { files, ledger } = scene
    files.tamper(ANCHOR, utf8(found(scene)))
    const newest = await grow(ledger, 20, 3)
    assert.equal(Buffer.from(files.all().get(ANCHOR) ?? []).toString('utf8'), newest)
    assert.deepEqual([ledger.state().anchors[0]?.size, ledger.state().anchors[0]?.problem], [7, undefined])
    await ledger.close()
  })

test('an anchor that is a link is not replaced: a plain file in its place would be on this disk', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-anchor-file-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const [link, elsewhere] = [path.join(folder, 'link'), path.join(folder, 'elsewhere')]
  fs.symlinkSync(elsewhere, link)
  const directory = path.join(folder, 'ledger')
  for (const isThere of [false, true]) {
    if (isThere) fs.writeFileSync(elsewhere, 'as it was')
    const ledger = await openOn(NODE_FILES, { directory, anchors: [link] })
    await grow(ledger, 0, 1)
    const [anchor] = ledger.state().anchors
    assert.deepEqual(
      [anchor?.size, anchor?.problem],
      [undefined, 'cannot be read, so it is not replaced: ELOOP'],
    )
    await ledger.close()
    assert.equal(fs.readlinkSync(link), elsewhere)
    assert.equal(
      fs.existsSync(elsewhere) ? fs.readFileSync(elsewhere, 'utf8') : '',
      isThere ? 'as it was' : '',
    )
  }
})
