import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GuardedRoute } from '#door/guarded.ts'
import type { Incoming } from '#door/route.ts'
import { routeKey, type SentIncoming } from './messages.ts'
import { Passing } from './passing.ts'

const ROUTE: Omit<GuardedRoute, 'handle'> = {
  name: 'held',
  listener: 'door',
  method: 'GET',
  path: '/held',
  media: 'json',
  envelope: 'problem',
  credentialAt: 'headers',
  action: 'log:read',
}

const SENT: SentIncoming = {
  route: routeKey(ROUTE),
  id: 'a',
  credential: { kind: 'none' },
  address: '127.0.0.1',
  params: {},
  query: [],
}

/** Nothing is asked of the worker here. */
const NOBODY = {
  ask: () => {
    throw new Error('it was asked')
  },
}

test('pass takes a request once while it is under way: of the first nobody would hear any more that it is over', async () => {
  const ended: string[] = []
  const answer = { kind: 'answer', status: 200, json: '' } as const
  const handle = async (incoming: Incoming) => {
    incoming.onEnd(() => ended.push(incoming.id))
    return Promise.resolve(answer)
  }
  const passing = new Passing(new Map([[SENT.route, { ...ROUTE, handle }]]), () => NOBODY)
  assert.deepEqual(await passing.pass(SENT), answer)
  await assert.rejects(passing.pass(SENT), { code: 'internal.bug' })
  passing.end('a')
  assert.deepEqual(ended, ['a'])
  await passing.pass(SENT)
  passing.endAll()
  assert.deepEqual(ended, ['a', 'a'])
})

test('pass refuses a route that the writer does not have', async () => {
  const passing = new Passing(new Map(), () => NOBODY)
  await assert.rejects(passing.pass(SENT), { code: 'route.unknown' })
})
