import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ENDLESS } from '../../../test/support/door_parts.ts'
import { answer, HEAD, rig, route, STRANGER, type Rig } from '../../../test/support/http_rig.ts'
import type { RawConnection } from '../../../test/support/raw_http.ts'
import { Fault } from '#base/fault.ts'

/** Proves its caller when the token says so, as the door does: only then it asks for the body. */
const PROVE = route('GET', '/v1/prove', async (incoming) => {
  const { credential } = incoming
  if (credential.kind !== 'bearer') {
    return { kind: 'refusal', fault: new Fault('caller.unknown'), stage: 'authenticate' }
  }
  await incoming.body(ENDLESS)
  return answer('{}')
})

const PROVEN = `GET /v1/prove HTTP/1.1\r\n${HEAD}\r\n`
const UNPROVEN = `GET /v1/prove HTTP/1.1\r\n${STRANGER}\r\n`

async function ask(connection: RawConnection, text: string): Promise<number | undefined> {
  return (await connection.write(text).reply())?.status
}

async function openMany(running: Rig, count: number): Promise<RawConnection[]> {
  const all: RawConnection[] = []
  // One after the other: their order is what counts.
  for (let at = 0; at < count; at += 1) all.push(await running.open())
  return all
}

function dropsIn({ metrics }: Rig): readonly string[] {
  const lines = metrics.expose().split('\n')
  return lines.filter((line) => line.startsWith('gatehouse_connections_dropped_total{'))
}

suite('a full listener', () => {
  const FULL = { connections: 4, strangersPerBlock: 100 }

  test('takes a valid key in, and the oldest stranger goes: idle ones lock nobody out', async (t) => {
    const running = await rig(t, { routes: [PROVE] }, FULL)
    const strangers = await openMany(running, 4)
    const caller = await running.open()
    assert.equal(await ask(caller, PROVEN), 200)
    await strangers[0]?.closed()
    await openMany(running, 20)
    assert.equal(await ask(caller, PROVEN), 200, 'a proven one stays')
    running.guard.flush()
    assert.deepEqual(
      running.digests.map(({ fields }) => fields),
      [{ block: 'loopback', count: 21, codes: { 'connection.dropped': 21 }, window_ms: 0 }],
    )
    assert.deepEqual(dropsIn(running), ['gatehouse_connections_dropped_total{reason="full"} 21'])
  })

  test('does not take a request for a proof: a stranger that talks is one that can go', async (t) => {
    const running = await rig(t, { routes: [PROVE] }, FULL)
    const talking = await running.open()
    assert.equal(await ask(talking, UNPROVEN), 401)
    await openMany(running, 4)
    await talking.closed()
  })

  test('lets the proven one go that has been idle longest, never one with a request in flight', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = route('GET', '/v1/slow', async (incoming) => {
      await incoming.body(ENDLESS)
      await promise
      return answer('{}')
    })
    const running = await rig(t, { routes: [PROVE, slow] }, FULL)
    const [busy, idle, recent, other] = await openMany(running, 4)
    assert.ok(busy !== undefined && idle !== undefined && recent !== undefined && other !== undefined)
    busy.write(`GET /v1/slow HTTP/1.1\r\n${HEAD}\r\n`)
    for (const one of [recent, idle, other, recent]) assert.equal(await ask(one, PROVEN), 200)
    const newcomer = await running.open()
    await idle.closed()
    assert.equal(await ask(newcomer, PROVEN), 200)
    assert.equal(await ask(recent, PROVEN), 200)
    resolve()
    assert.equal((await busy.reply())?.status, 200)
  })
})

suite('strangers of one source block', () => {
  const FEW = { connections: 100, strangersPerBlock: 3 }

  test('are bounded: the oldest goes, and those with a proven caller do not count', async (t) => {
    const running = await rig(t, { routes: [PROVE] }, FEW)
    const proven: RawConnection[] = []
    for (let at = 0; at < 5; at += 1) {
      const one = await running.open()
      assert.equal(await ask(one, PROVEN), 200)
      proven.push(one)
    }
    const strangers = await openMany(running, 4)
    await strangers[0]?.closed()
    assert.equal(await ask(await running.open(), PROVEN), 200)
    for (const one of proven) assert.equal(await ask(one, PROVEN), 200)
    assert.deepEqual(dropsIn(running), ['gatehouse_connections_dropped_total{reason="block"} 2'])
  })

  test('are forgotten when they go by themselves: a busy block is not a full one', async (t) => {
    const running = await rig(t, { routes: [PROVE] }, FEW)
    const kept = await running.open()
    for (let at = 0; at < 20; at += 1) {
      const passing = await running.open()
      assert.equal(await ask(passing, UNPROVEN), 401)
      passing.socket.end()
      await passing.closed()
    }
    assert.equal(await ask(kept, UNPROVEN), 401)
    assert.deepEqual(dropsIn(running), [])
  })

  test('are no proxies: a trusted one speaks for many, and is exempt', async (t) => {
    const running = await rig(t, { routes: [PROVE], trustedProxies: ['127.0.0.0/8'] }, FEW)
    for (const one of await openMany(running, 10)) assert.equal(await ask(one, UNPROVEN), 401)
  })
})
