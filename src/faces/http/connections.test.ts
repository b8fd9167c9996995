import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { suite, test } from 'node:test'
import { ENDLESS } from '../../../test/support/door_parts.ts'
import { answer, HEAD, refusal, rig, route, STRANGER, type Rig } from '../../../test/support/http_rig.ts'
import type { RawConnection } from '../../../test/support/raw_http.ts'
import { Fault } from '#base/fault.ts'
import type { Incoming } from '#door/route.ts'
import type { Outcome } from '#door/outcome.ts'
import { Connections, type Connection, type DropReason } from './connections.ts'

/** Proves its caller when the token says so, as the door does: only then it asks for the body. */
async function prove(incoming: Incoming): Promise<Outcome> {
  const { credential } = incoming
  if (credential.kind !== 'bearer') {
    return { kind: 'refusal', fault: new Fault('caller.unknown'), stage: 'authenticate' }
  }
  try {
    await incoming.body({ ...ENDLESS, caller: credential.token.open((token) => token) })
    return answer('{}')
  } catch (thrown) {
    return refusal(thrown)
  }
}

const PROVE = route('GET', '/v1/prove', prove)
const SEND = route('POST', '/v1/send', prove)

const PROVEN = `GET /v1/prove HTTP/1.1\r\n${HEAD}\r\n`
const OTHER = PROVEN.replace('real-1', 'real-2')
/** A request that goes on for ever. */
const TRICKLE = `POST /v1/send HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n`
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

  test('lets no caller keep the others out with requests that never end', async (t) => {
    const running = await rig(t, { routes: [PROVE, SEND] }, { connections: 8, strangersPerBlock: 100 })
    const idle = await running.open()
    assert.equal(await ask(idle, OTHER), 200)
    const trickling: RawConnection[] = []
    for (let at = 0; at < 20; at += 1) {
      trickling.push((await running.open()).write(TRICKLE))
      const health = await running.open()
      assert.equal(await ask(health, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'), 200)
      const newcomer = await running.open()
      assert.equal(await ask(newcomer, OTHER), 200)
      newcomer.destroy()
    }
    for (const gone of trickling.slice(0, -3)) await gone.closed()
    assert.equal(await ask(idle, OTHER), 200, 'one of another caller stays, although it is idle longest')
  })

  test('lets the proven one go that has been idle longest, never one whose request is at work', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = route('GET', '/v1/slow', async (incoming) => {
      const outcome = await prove(incoming)
      await promise
      return outcome
    })
    const running = await rig(t, { routes: [PROVE, slow] }, { connections: 8, strangersPerBlock: 100 })
    const [busy, idle, recent, other] = await openMany(running, 4)
    assert.ok(busy !== undefined && idle !== undefined && recent !== undefined && other !== undefined)
    busy.write(`GET /v1/slow HTTP/1.1\r\n${HEAD}\r\n`)
    for (const one of [recent, idle, other, recent]) assert.equal(await ask(one, PROVEN), 200)
    const newcomer = await running.open()
    assert.equal(await ask(newcomer, PROVEN), 200)
    await idle.closed()
    assert.equal(await ask(newcomer, PROVEN), 200)
    assert.equal(await ask(recent, PROVEN), 200)
    resolve()
    assert.equal((await busy.reply())?.status, 200)
  })
})

/** Connections without a network behind them; what was dropped is told by name. */
class Bench {
  readonly connections: Connections
  readonly dropped: DropReason[] = []
  readonly #all = new Map<string, Connection>()

  constructor(most: number, isTrusted = false) {
    this.connections = new Connections({
      most,
      strangersPerBlock: most,
      isTrusted: () => isTrusted,
      onDrop: (_peer, reason) => this.dropped.push(reason),
    })
  }

  /** Takes in one of each name; the letter before the number is the caller that it proves, `s` a stranger. */
  open(...names: readonly string[]): void {
    for (const name of names) {
      const socket = new Socket()
      this.connections.admit(socket)
      this.#all.set(name, this.connections.of(socket))
      if (!name.startsWith('s')) this.prove(name)
    }
  }

  prove(name: string, caller = name.slice(0, 1)): void {
    this.connections.prove(this.of(name), caller)
  }

  of(name: string): Connection {
    const connection = this.#all.get(name)
    assert.ok(connection !== undefined, name)
    return connection
  }

  /** The names of those that are left. */
  get left(): string {
    const names = [...this.#all].filter(([, { socket }]) => !socket.destroyed).map(([name]) => name)
    assert.equal(this.connections.size, names.length)
    assert.equal([...this.connections].length, names.length)
    return names.join(' ')
  }
}

suite('Connections', () => {
  test('prove bounds what a caller holds: as many as stay free for the others', () => {
    const bench = new Bench(6)
    bench.open('a1', 'a2', 'a3', 'a4', 'a5')
    assert.equal(bench.left, 'a3 a4 a5', 'half')
    bench.open('b1')
    assert.equal(bench.left, 'a3 a4 a5 b1', 'room for the next one')
    bench.open('b2')
    assert.equal(bench.left, 'a4 a5 b1 b2', 'of the caller that holds most')
    bench.open('b3')
    assert.equal(bench.left, 'a4 a5 b2 b3', 'of its own where nobody holds more')
    bench.open('c1')
    assert.equal(bench.left, 'a4 a5 b2 b3 c1', 'and room for one more')
    assert.deepEqual(bench.dropped, ['share', 'share', 'share', 'share'])
  })

  test('prove ends no work: one whose request has arrived stays', () => {
    const bench = new Bench(6)
    bench.open('a1', 'a2', 'a3')
    bench.of('a1').working = 1
    // Its request is still on its way.
    bench.of('a2').busy = 1
    bench.open('a4')
    assert.equal(bench.left, 'a1 a3 a4')
    for (const name of ['a3', 'a4']) bench.of(name).working = 1
    bench.open('a5')
    assert.equal(bench.left, 'a1 a3 a4', 'the new one has to go itself')
  })

  test('prove keeps the order of the last proven requests, and the bound when the caller changes', () => {
    const bench = new Bench(6)
    bench.open('a1', 'a2', 'a3')
    bench.prove('a1')
    bench.open('a4')
    assert.equal(bench.left, 'a1 a3 a4')
    bench.open('b1')
    bench.prove('b1', 'a')
    assert.equal(bench.left, 'a1 a4 b1')
    bench.prove('b1', 'b')
    assert.equal(bench.left, 'a1 a4 b1')
  })

  test('prove takes none in again that is closed', async () => {
    const bench = new Bench(6)
    bench.open('a1', 's1')
    for (const name of ['a1', 's1']) {
      const { socket } = bench.of(name)
      socket.destroy()
      await once(socket, 'close')
      bench.prove(name, 'a')
    }
    assert.equal(bench.left, '')
  })

  test('admit drops no proven one for a stranger', () => {
    const bench = new Bench(4)
    bench.open('a1', 'b1', 'c1', 's1', 's2', 's3')
    assert.equal(bench.left, 'a1 b1 c1 s3')
    assert.deepEqual(bench.dropped, ['full', 'full'])
  })

  test('admit makes room behind a trusted peer, which has no bound: of the caller that holds most', () => {
    const bench = new Bench(4, true)
    bench.open('a1', 'b1', 'a2', 'a3')
    assert.equal(bench.left, 'a1 b1 a2 a3')
    bench.of('a1').working = 1
    bench.open('s1')
    assert.equal(bench.left, 'a1 b1 a3 s1')
    bench.open('c1')
    assert.equal(bench.left, 'a1 b1 s1 c1')
    bench.prove('s1', 'd')
    bench.open('s2')
    assert.equal(bench.left, 'a1 b1 s1 c1', 'nobody holds more than the new one')
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
