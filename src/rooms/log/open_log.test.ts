import assert from 'node:assert/strict'
import test from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import { planLog } from '../../../test/support/tiled_fixture.ts'
import { OpenLog, type LogDocument } from './open_log.ts'

const NAME = '0001-TestedTestedTest'
const PLAN = [
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 300 },
] as const

async function scene(): Promise<{
  log: OpenLog
  clock: HandClock
  read(path: string): Promise<LogDocument>
}> {
  const { files } = await planLog(PLAN)
  const clock = new HandClock()
  const log = new OpenLog({ logs: new TiledLogs(files, '/ledger'), clock })
  const read = async (path: string): Promise<LogDocument> =>
    await log.read(log.find(path) ?? assert.fail(`${path} is not asked here`), '192.0.2.1')
  return { log, clock, read }
}

const OPEN: readonly [path: string, type: string, cache: string, bytes: number | undefined][] = [
  ['/log/checkpoint', 'text/plain; charset=utf-8', 'public, max-age=1', undefined],
  [`/logs/${NAME}/checkpoint`, 'text/plain; charset=utf-8', 'public, max-age=1', undefined],
  ['/log/tile/0/001', 'application/octet-stream', 'public, max-age=86400, immutable', 8_192],
  [`/logs/${NAME}/tile/0/001`, 'application/octet-stream', 'public, max-age=31536000, immutable', 8_192],
  ['/log/tile/0/003.p/44', 'application/octet-stream', 'public, max-age=86400, immutable', 44 * 32],
  [`/logs/${NAME}/tile/0/003.p/44`, 'application/octet-stream', 'public, max-age=86400, immutable', 44 * 32],
  ['/log/tile/1/000.p/3', 'application/octet-stream', 'public, max-age=86400, immutable', 96],
]

for (const [path, type, cache, bytes] of OPEN)
  test(`OpenLog reads with the right type and for as long as it may be kept: ${path}`, async () => {
    const document = await (await scene()).read(path)
    assert.deepEqual([document.type, document.cache], [type, cache])
    if (bytes !== undefined) assert.equal(document.bytes.length, bytes)
    else assert.match(Buffer.from(document.bytes).toString(), /^gatehouse\.local\/TestedTestedTest\n812\n/)
  })

const UNKNOWN = [
  '/log/tile/0/003',
  '/log/tile/0/003.p/45',
  '/log/tile/0/004.p/1',
  '/log/tile/2/000.p/1',
  '/logs/0002-TestedTestedTest/checkpoint',
]

for (const path of UNKNOWN)
  test(`OpenLog gives only what a checkpoint covers: not ${path}`, async () => {
    await assert.rejects((await scene()).read(path), { code: 'log.unknown' })
  })

const ELSEWHERE = [
  '/log/tile/entries/000',
  `/logs/${NAME}/tile/entries/000`,
  '/log/',
  '/log/checkpoint/',
  '/log/checkpoint?x',
  '/log/tile/0/../checkpoint',
  '/log/tile/0/%2e%2e/000',
  '/log/tile/00/000',
  '/logs/checkpoint',
  '/logs/../checkpoint',
  '/logs/../log/checkpoint',
  '/logs//checkpoint',
  '/v1/models',
]

for (const path of ELSEWHERE)
  test(`OpenLog leaves to the routes what is not its own: ${path}`, async () => {
    assert.equal((await scene()).log.find(path), undefined)
  })

test('OpenLog reads for each source so often: others are read for, and later the same one again', async () => {
  const { log, clock, read } = await scene()
  for (let count = 0; count < LIMITS.logReadsPerSource.burst; count++) await read('/log/checkpoint')
  await assert.rejects(read('/log/checkpoint'), { code: 'source.throttled' })
  const asked = log.find('/log/checkpoint') ?? assert.fail()
  assert.ok((await log.read(asked, '198.51.100.7')).bytes.length > 0)
  clock.time += 1_000
  await read('/log/checkpoint')
})

test('OpenLog lets so many wait at once: more are refused', async () => {
  const { read } = await scene()
  const reads = Array.from({ length: LIMITS.logReads + 1 }, async () => await read('/log/tile/0/000'))
  const results = await Promise.allSettled(reads)
  const refused = results.filter(({ status }) => status === 'rejected')
  assert.equal(refused.length, 1)
  await read('/log/tile/0/000')
})
