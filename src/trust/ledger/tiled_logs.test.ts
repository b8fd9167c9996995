import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { LIMITS } from '#base/limits.ts'
import { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { originFolder } from './layout.ts'
import { nameOf, TiledLogs } from './tiled_logs.ts'

const IDS = ['AAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBB', 'CCCCCCCCCCCCCCCC']

/** A home with logs of these ids, and behind them one that a start has not finished. */
async function homeOf(ids: readonly string[]): Promise<TiledLogs> {
  const files = new SimulatedFiles()
  for (const [at, id] of [...ids, 'ZZZZZZZZZZZZZZZZ'].entries()) {
    const { path } = originFolder('/ledger', at + 1, id)
    await files.makeDirectory(path)
    if (at < ids.length) files.tamper(`${path}/origin`, utf8('keys\n'))
  }
  return new TiledLogs(files, '/ledger')
}

const ASKED: readonly [
  why: string,
  ask: (logs: TiledLogs) => ReturnType<TiledLogs['newest']>,
  found: string | undefined,
][] = [
  ['the newest', (logs) => logs.newest(), '0003-CCCCCCCCCCCCCCCC'],
  ['one by its folder', (logs) => logs.named('0002-BBBBBBBBBBBBBBBB'), '0002-BBBBBBBBBBBBBBBB'],
  ['a folder that is not there', (logs) => logs.named('0004-BBBBBBBBBBBBBBBB'), undefined],
  ['a part of the name of a folder', (logs) => logs.named('0002'), undefined],
  ['the path of a folder', (logs) => logs.named('/ledger/0002-BBBBBBBBBBBBBBBB'), undefined],
  ['one by its origin', (logs) => logs.ofOrigin('gatehouse.local/AAAAAAAAAAAAAAAA'), '0001-AAAAAAAAAAAAAAAA'],
  ['an origin that is not there', (logs) => logs.ofOrigin('gatehouse.local/DDDDDDDDDDDDDDDD'), undefined],
]

for (const [why, ask, found] of ASKED)
  test(`TiledLogs finds a log: ${why}`, async () => {
    const log = await ask(await homeOf(IDS))
    assert.equal(log && nameOf(log.folder), found)
  })

test('TiledLogs finds nothing in a home without logs', async () => {
  const logs = await homeOf([])
  assert.deepEqual([await logs.newest(), await logs.named('0001-AAAAAAAAAAAAAAAA')], [undefined, undefined])
})

test('TiledLogs keeps what it found out about a log for the next question, of as many logs as it may', async () => {
  const ids = Array.from({ length: LIMITS.keptLogs + 1 }, (_, at) => String(at).padStart(16, 'A'))
  const logs = await homeOf(ids)
  const named = async (at: number): ReturnType<TiledLogs['newest']> =>
    await logs.named(`${String(at + 1).padStart(4, '0')}-${ids[at]}`)
  const first = await named(0)
  const second = await named(1)
  for (let at = 2; at < LIMITS.keptLogs; at++) await named(at)
  assert.equal(await named(0), first)
  assert.equal(await logs.newest(), await named(LIMITS.keptLogs))
  assert.equal(await named(0), first)
  assert.notEqual(await named(1), second)
})
