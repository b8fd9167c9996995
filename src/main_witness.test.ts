import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { newEd25519Pem } from '#base/crypto.ts'
import { signCheckpoint } from '#trust/ledger/checkpoint.ts'
import { cosignaturesOf, parseCosignerKey } from '#trust/ledger/cosignature.ts'
import { rootOf } from '#trust/ledger/merkle.ts'
import { noteSigner, printVerifierKey } from '#trust/ledger/note.ts'
import type { ServingWitness } from '#faces/cli/world.ts'
import { HandClock } from '../test/support/ledger_fixture.ts'
import { startWitness } from './main_witness.ts'

const LOG = noteSigner('gatehouse.local/x', newEd25519Pem())

interface Scene {
  readonly folder: string
  start(): Promise<ServingWitness>
  readonly inconsistent: string[]
}

function scene(
  t: TestContext,
  config = `name: witness.test/x\nlisten: 127.0.0.1:0\nlogs: [{ keys: ["${printVerifierKey(LOG)}"] }]\n`,
): Scene {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-main-witness-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.writeFileSync(path.join(folder, 'witness.yaml'), config)
  const inconsistent: string[] = []
  return {
    folder,
    inconsistent,
    start: async () => {
      const onInconsistent = (origin: string): void => void inconsistent.push(origin)
      const serving = await startWitness({ directory: folder, clock: new HandClock(), onInconsistent })
      t.after(async () => serving.close())
      return serving
    },
  }
}

async function ask(url: string, oldSize: number, size: number, fill: number): Promise<Response> {
  const root = size === 0 ? rootOf([]) : Buffer.alloc(32, fill)
  const note = await signCheckpoint({ origin: LOG.name, size, root }, [LOG], 0)
  return await fetch(`${url}/add-checkpoint`, { method: 'POST', body: `old ${oldSize}\n\n${note}` })
}

test('startWitness makes keys and a memory once, and remembers with them', async (t) => {
  const { start, inconsistent } = scene(t)
  const first = await start()
  assert.deepEqual([first.isNew, first.facts.name, first.facts.logs], [true, 'witness.test/x', 1])
  const answer = await ask(first.facts.url, 0, 5, 1)
  assert.equal(answer.status, 200)
  const keys = first.facts.keys.map(parseCosignerKey).filter((key) => key !== undefined)
  const text = `${LOG.name}\n5\n${Buffer.alloc(32, 1).toString('base64')}\n`
  assert.equal(cosignaturesOf(`${text}\n${await answer.text()}`, keys).length, 2)
  await first.close()
  await first.stopped
  const second = await start()
  assert.deepEqual([second.isNew, second.facts.keys], [false, first.facts.keys])
  const conflict = await ask(second.facts.url, 0, 9, 1)
  assert.deepEqual([conflict.status, await conflict.text()], [409, '5\n'])
  assert.equal((await ask(second.facts.url, 5, 5, 2)).status, 422)
  assert.deepEqual(inconsistent, [LOG.name])
})

test('startWitness does not go on with keys whose memory is gone', async (t) => {
  const { start, folder } = scene(t)
  await (await start()).close()
  for (const name of fs.readdirSync(folder))
    if (name.startsWith('witness.db')) fs.rmSync(path.join(folder, name))
  await assert.rejects(start(), { code: 'home.damaged' })
  assert.equal(fs.existsSync(path.join(folder, 'witness.db')), false)
})

test('startWitness does not go on with a memory that is empty: it would cosign a second history', async (t) => {
  const { start, folder } = scene(t)
  const first = await start()
  assert.equal((await ask(first.facts.url, 0, 5, 1)).status, 200)
  await first.close()
  fs.truncateSync(path.join(folder, 'witness.db'))
  for (let times = 0; times < 2; times++) await assert.rejects(start(), { code: 'home.damaged' })
})

const REFUSALS: readonly (readonly [why: string, change: (folder: string) => void, code: string])[] = [
  ['a key is gone', (folder) => fs.rmSync(path.join(folder, 'keys', 'witness.pem')), 'home.damaged'],
  [
    'a key is no key',
    (folder) => fs.writeFileSync(path.join(folder, 'keys', 'witness.ml-dsa.pem'), 'x'),
    'home.damaged',
  ],
  [
    'others may read a key',
    (folder) => fs.chmodSync(path.join(folder, 'keys', 'witness.pem'), 0o644),
    'home.damaged',
  ],
  [
    'the configuration is wrong',
    (folder) => fs.writeFileSync(path.join(folder, 'witness.yaml'), 'x: 1\n'),
    'config.invalid',
  ],
  ['the configuration is gone', (folder) => fs.rmSync(path.join(folder, 'witness.yaml')), 'config.invalid'],
  [
    'it would be open in plain text',
    (folder) => fs.writeFileSync(path.join(folder, 'witness.yaml'), 'name: w\nlisten: 0.0.0.0:0\n'),
    'listener.exposed',
  ],
]

for (const [why, change, code] of REFUSALS)
  test(`startWitness refuses to start: ${why}`, async (t) => {
    const { start, folder } = scene(t)
    await (await start()).close()
    change(folder)
    await assert.rejects(start(), { code })
  })
