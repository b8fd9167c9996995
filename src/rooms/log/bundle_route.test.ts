import assert from 'node:assert/strict'
import test from 'node:test'
import type { RawRequest } from '#door/route.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { planLog } from '../../../test/support/tiled_fixture.ts'
import { bundleRoutes } from './bundle_route.ts'

const NAME = '0001-TestedTestedTest'

async function routes(): Promise<ReturnType<typeof bundleRoutes>> {
  const { files } = await planLog([{ kind: 'raw', count: 300 }])
  return bundleRoutes(new TiledLogs(files, '/ledger'))
}

function request(params: Readonly<Record<string, string>>, more: Partial<RawRequest> = {}): RawRequest {
  return { params, query: [], preconditions: undefined, body: new Uint8Array(0), ...more }
}

test('bundleRoutes ask for one action on one resource: whatever the bundle', async () => {
  for (const route of await routes()) {
    const input = route.parse(request({ bundle: '000', log: NAME }))
    assert.equal(route.action, 'log:read-entries')
    assert.equal(route.listener, 'door')
    assert.deepEqual(route.target(input, {} as never).ref, { type: 'Endpoint', id: 'log' })
  }
})

const NAMES: readonly [bundle: string, expected: string | undefined][] = [
  ['000', 'tile/entries/000'],
  ['001.p/44', 'tile/entries/001.p/44'],
  ['x001/234', 'tile/entries/x001/234'],
  ['0', undefined],
  ['x000/001', undefined],
  ['000.p/0', undefined],
  ['000.p/256', undefined],
  ['../0/000', undefined],
  ['', undefined],
]

for (const [bundle, expected] of NAMES)
  test(`bundleRoutes take the name of a bundle in its one form: ${JSON.stringify(bundle)}`, async () => {
    const [route] = await routes()
    const parse = (): string | undefined => route?.parse(request({ bundle })).bundle
    if (expected === undefined) assert.throws(parse, { code: 'log.unknown' })
    else assert.equal(parse(), expected)
  })

test('bundleRoutes take no query and no body', async () => {
  const [route] = await routes()
  for (const more of [{ query: [['a', 'b']] as const }, { body: Buffer.from('x') }])
    assert.throws(() => route?.parse(request({ bundle: '000' }, more)), { code: 'input.invalid' })
})

test('bundleRoutes act with a permit of the door only', async () => {
  const [route] = await routes()
  const input = route?.parse(request({ bundle: '000' }))
  const forged = { decision: {} } as never
  await assert.rejects(async () => await route?.act(forged, input ?? assert.fail(), {} as never))
})
