import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyDisk, intent, newestFolder, openOn } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import type { SignedHead } from './checkpointer.ts'
import type { Ledger } from './ledger.ts'

const LINES = ['\u2014 example.test/w AAAAAAAA\n', '\u2014 example.test/v AAAAAAAA\n']

interface Scene {
  readonly files: SimulatedFiles
  readonly ledger: Ledger
  /** Checkpoints of one entry and of two. */
  readonly older: SignedHead
  readonly newer: SignedHead
  readonly home: { isHeld: boolean }
  readonly textOf: (name: 'checkpoint' | 'cosigned') => Promise<string | undefined>
}

async function scene(): Promise<Scene> {
  const files = await emptyDisk()
  const home = { isHeld: true }
  const ledger = await openOn(files, { isOurs: () => home.isHeld })
  const heads: SignedHead[] = []
  for (let at = 0; at < 2; at++) {
    await ledger.append(intent(at))
    await ledger.checkpoint()
    heads.push(ledger.checkpoints.newest)
  }
  const [older = assert.fail(), newer = assert.fail()] = heads
  const { path } = await newestFolder(files)
  const textOf = async (name: string): Promise<string | undefined> => {
    const bytes = files.all().get(`${path}/${name}`)
    return Promise.resolve(bytes && Buffer.from(bytes).toString('utf8'))
  }
  return { files, ledger, older, newer, home, textOf }
}

test('cosign keeps lines of the newest checkpoint with it, and apart once there are enough', async () => {
  const { ledger, newer, textOf } = await scene()
  const { checkpoints } = ledger
  await checkpoints.cosign(newer, LINES.slice(0, 1), false)
  assert.equal(await textOf('checkpoint'), newer.text + LINES[0])
  assert.equal(checkpoints.newest.text, newer.text + LINES[0])
  assert.deepEqual([await textOf('cosigned'), checkpoints.cosigned], [undefined, undefined])
  await checkpoints.cosign(newer, LINES, true)
  const text = newer.text + LINES.join('')
  assert.deepEqual([await textOf('checkpoint'), await textOf('cosigned')], [text, text])
  assert.deepEqual(checkpoints.newest, { head: newer.head, text })
  assert.deepEqual(checkpoints.cosigned, checkpoints.newest)
  await ledger.close()
})

test('cosign of an older checkpoint leaves the newest alone, and never goes back', async () => {
  const { ledger, older, newer, textOf } = await scene()
  const { checkpoints } = ledger
  await checkpoints.cosign(older, LINES, true)
  assert.equal(await textOf('checkpoint'), newer.text)
  assert.deepEqual(checkpoints.newest, newer)
  assert.equal(checkpoints.cosigned?.text, older.text + LINES.join(''))
  await checkpoints.cosign(newer, LINES, true)
  await checkpoints.cosign(older, LINES, true)
  assert.equal(checkpoints.cosigned?.head.size, 2)
  assert.equal(await textOf('cosigned'), newer.text + LINES.join(''))
  await ledger.close()
})

test('cosign and rekey write nothing once the home is no longer ours', async () => {
  const { files, ledger, newer, home } = await scene()
  const before = files.all()
  home.isHeld = false
  await ledger.checkpoints.cosign(newer, LINES, true)
  assert.deepEqual(files.all(), before)
  assert.deepEqual(ledger.checkpoints.newest, newer)
  await ledger.close()
  assert.deepEqual(files.all(), before)
})

test('cosign holds up nothing that comes after it: where it fails', async () => {
  const { files, ledger, newer, textOf } = await scene()
  files.judge = ({ kind, path }) => (kind === 'rename' && path.endsWith('/cosigned') ? { code: 'EIO' } : 'go')
  await assert.rejects(ledger.checkpoints.cosign(newer, LINES, true), { code: 'EIO' })
  assert.equal(ledger.checkpoints.cosigned, undefined)
  files.judge = () => 'go'
  await ledger.checkpoints.cosign(newer, LINES, true)
  assert.equal(await textOf('cosigned'), newer.text + LINES.join(''))
  await ledger.close()
})
