import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { emptyDisk, intent, KEYS, openOn, PUBLIC_KEYS } from '../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../test/support/simulated_files.ts'
import { findHead, headFaultOf, onLossOf, setAside, type FoundHead } from './main_head.ts'

const HEAD = '/home/head'

async function checkpoint(signingPem: string): Promise<string> {
  const ledger = await openOn(await emptyDisk(), { keys: { ...KEYS, signingPem, mlDsaPem: undefined } })
  await ledger.append(intent(1))
  const text = await ledger.checkpoint()
  await ledger.close()
  return text
}

/** A home without a ledger and with this in the place of the head. */
async function homeWith(head: string | undefined): Promise<SimulatedFiles> {
  const files = await emptyDisk()
  if (head !== undefined) files.tamper(HEAD, utf8(head))
  return files
}

const ours = await checkpoint(KEYS.signingPem)
const HEADS: readonly [why: string, head: string | undefined, kind: FoundHead['kind'], starts: boolean][] = [
  ['no head', undefined, 'none', false],
  ['an empty head', '', 'invalid', false],
  ['a head of nonsense', 'garbage\n', 'invalid', false],
  ['a head of another key', await checkpoint(newEd25519Pem()), 'invalid', false],
  ['a head whose size was changed', ours.replace('\n1\n', '\n0\n'), 'invalid', false],
  ['our head', ours, 'ours', true],
]

for (const [why, text, kind, starts] of HEADS)
  test(`a used home whose ledger is gone ${starts ? 'states the gap' : 'refuses to start'}: ${why}`, async () => {
    const files = await homeWith(text)
    const head = await findHead(files, HEAD, PUBLIC_KEYS)
    assert.equal(head.kind, kind)
    const knownHeads = head.kind === 'ours' ? [head.text] : []
    const open = async (acceptLoss: boolean) =>
      await openOn(files, { knownHeads, onLoss: onLossOf({ isUsed: true, head, acceptLoss }) })
    if (starts) {
      const ledger = await open(false)
      assert.match(ledger.state().problems.join(), /^1 entries were lost/)
      await ledger.close()
    } else await assert.rejects(open(false), { code: 'home.damaged' })
    await (await open(true)).close()
  })

test('onLossOf starts a home anew only when nothing stands in the place of a head', () => {
  const kinds = ['none', 'invalid', 'ours'] as const
  const decided = kinds.map((kind) =>
    onLossOf({ isUsed: false, head: { kind, text: ours }, acceptLoss: false }),
  )
  assert.deepEqual(decided, ['state', 'refuse', 'state'])
})

test('findHead takes what cannot be read for an invalid head, not for none', async () => {
  const files = await homeWith(ours)
  files.read = () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }))
  assert.deepEqual(await findHead(files, HEAD, PUBLIC_KEYS), { kind: 'invalid' })
})

test('setAside keeps an invalid head beside the next one, and it stays a problem until it is taken away', async () => {
  const files = await homeWith('garbage')
  const start = async (): Promise<string> =>
    (await setAside(files, HEAD, await findHead(files, HEAD, PUBLIC_KEYS))).join()
  assert.match(await start(), /head\.invalid/)
  files.tamper(HEAD, utf8(ours))
  assert.match(await start(), /head\.invalid/)
  assert.deepEqual([...files.reopen('lost').all().keys()].toSorted(), [HEAD, `${HEAD}.invalid`])
  assert.equal(Buffer.from(await files.read(`${HEAD}.invalid`)).toString(), 'garbage')
  files.tamper(`${HEAD}.invalid`, undefined)
  assert.equal(await start(), '')
})

test('headFaultOf tells a head that is gone from one that never was', () => {
  const rows = [
    ['none', true, 'missing'],
    ['none', false, undefined],
    ['invalid', false, 'invalid'],
    ['ours', true, undefined],
  ] as const
  for (const [kind, hasKeptOne, expected] of rows)
    assert.equal(headFaultOf({ kind, text: ours }, hasKeptOne), expected, kind)
})
