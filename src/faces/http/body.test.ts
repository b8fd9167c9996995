import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { answer, codeOf, HEAD, post, refusal, rig, route } from '../../../test/support/http_rig.ts'
import { Meter } from '#door/meter.ts'
import type { Media } from '#door/route.ts'
import { ENDLESS } from '../../../test/support/door_parts.ts'

const BYTES = 100_000

/** Holds what the door would hold: until the reply has left. */
function readInto(meter: Meter) {
  return route('POST', '/v1/read', async (incoming) => {
    const holding = meter.open(incoming.address, 'grouped')
    try {
      const body = await incoming.body(holding)
      return answer(JSON.stringify(body.length))
    } catch (thrown) {
      return refusal(thrown)
    } finally {
      incoming.onEnd(() => holding.release())
    }
  })
}

function meterOf(bytes: number): Meter {
  return new Meter({ places: 10, reservedPlaces: 0, bytes, reservedBytes: 0 })
}

function headOf(framing: string): string {
  return `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n${framing}\r\n\r\n`
}

test('readBody claims the whole length before a byte of it comes: connections alone take no memory', async (t) => {
  const meter = meterOf(2 * BYTES)
  const { open } = await rig(t, { routes: [readInto(meter)] })
  const first = await open()
  first.write(headOf(`Content-Length: ${String(BYTES)}`))
  const second = await open()
  second.write(headOf(`Content-Length: ${String(BYTES)}`))
  const reply = await second.reply()
  assert.equal(codeOf(reply), 'load.exceeded')
  assert.equal(reply?.headers.get('retry-after'), '1')
  assert.equal(meter.bytes, BYTES)
  first.destroy()
  await second.closed()
  const third = await open()
  assert.equal((await third.write(post('x'.repeat(BYTES))).reply())?.status, 200)
  third.destroy()
})

test('readBody claims chunks as they come, and refuses in the middle when there is no room', async (t) => {
  const meter = meterOf(2 * BYTES)
  const { open } = await rig(t, { routes: [readInto(meter)] })
  const connection = await open()
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
  connection.write(headOf('Transfer-Encoding: chunked')).write(chunk.repeat(2))
  connection.write(chunk.repeat(4))
  assert.equal(codeOf(await connection.reply()), 'load.exceeded')
  await connection.closed()
  assert.equal(meter.bytes, 0)
})

test('readBody asks for no body for which there is no room: no 100 Continue', async (t) => {
  const { open } = await rig(t, { routes: [readInto(meterOf(BYTES))] })
  const connection = await open()
  connection.write(headOf(`Content-Length: ${String(BYTES)}\r\nExpect: 100-continue`))
  const reply = await connection.reply()
  assert.deepEqual([reply?.status, codeOf(reply)], [503, 'load.exceeded'])
})

test('readBody holds 400,000 pieces of one byte in little memory', async (t) => {
  const meter = meterOf(40 * BYTES)
  const { open } = await rig(t, { routes: [readInto(meter)] })
  const connection = await open()
  const before = process.memoryUsage.rss()
  connection.write(headOf('Transfer-Encoding: chunked'))
  const pieces = Buffer.from('1\r\nx\r\n'.repeat(10_000))
  for (let at = 0; at < 40; at += 1) await new Promise((resolve) => connection.socket.write(pieces, resolve))
  assert.ok(process.memoryUsage.rss() - before < 60_000_000)
  assert.equal((await connection.write('0\r\n\r\n').reply())?.body, '400000')
})

/** Sizes of bodies, and of the packets that they come in behind their head. */
const PACKETS: readonly (readonly [why: string, bytes: number, sizes: readonly number[]])[] = [
  ['with its head', 1_000, [1_000]],
  ['one byte with its head', 1_000, [1, 999]],
  ['all but one byte with its head', 1_000, [999, 1]],
  ['nothing with its head', 1_000, [0, 1_000]],
  ['more than Node reads at once, with its head', 90_000, [90_000]],
  ['a part of that with its head', 90_000, [30_000, 60_000]],
]

for (const [why, bytes, sizes] of PACKETS) {
  test(`readBody gives the same bytes in whatever packets they come: ${why}`, async (t) => {
    const meter = meterOf(4 * BYTES)
    const { promise: ended, resolve } = Promise.withResolvers<Uint8Array>()
    const read = route('POST', '/v1/read', async (incoming) => {
      resolve(await incoming.body(meter.open('a', 'grouped')))
      return answer('{}')
    })
    const { open } = await rig(t, { routes: [read] })
    const connection = await open()
    const body = Buffer.from(Array.from({ length: bytes }, (_, at) => at % 251))
    const head = Buffer.from(headOf(`Content-Length: ${String(bytes)}`))
    let [packet, at] = [head, 0]
    for (const size of sizes) {
      connection.write(Buffer.concat([packet, body.subarray(at, (at += size))]))
      packet = Buffer.alloc(0)
      // Time for the other end to read it; should two come as one, they must give the same bytes too.
      await setImmediate()
      await setImmediate()
    }
    assert.deepEqual(Buffer.from(await ended), body)
    assert.equal(meter.bytes, bytes)
    assert.equal((await connection.reply())?.status, 200)
    // The next one on the same connection is not disturbed.
    connection.write(Buffer.concat([head, body]))
    assert.equal((await connection.reply())?.status, 200)
  })
}

test('readBody reads requests that come in one packet each for itself', async (t) => {
  const { open } = await rig(t, { routes: [readInto(meterOf(4 * BYTES))] })
  const connection = await open()
  connection.write(post('x') + post('xx') + post(''))
  const bodies = [await connection.reply(), await connection.reply(), await connection.reply()]
  assert.deepEqual(
    bodies.map((reply) => reply?.body),
    ['1', '2', '0'],
  )
})

test('readBody takes the media type of the route and no other', async (t) => {
  const take = (path: string, media: Media) => ({
    ...route('PUT', path, async (incoming) => {
      try {
        return answer(JSON.stringify((await incoming.body(ENDLESS)).length))
      } catch (thrown) {
        return refusal(thrown)
      }
    }),
    media,
  })
  const { ask } = await rig(t, {
    routes: [take('/json', 'json'), take('/scim', 'scim'), take('/form', 'form')],
  })
  const cases: readonly (readonly [path: string, type: string, status: number])[] = [
    ['/json', 'application/json', 200],
    ['/json', 'application/scim+json', 400],
    ['/scim', 'application/scim+json; charset=utf-8', 200],
    ['/scim', 'Application/SCIM+JSON', 200],
    ['/scim', 'application/json', 200],
    ['/scim', 'application/scim+json; charset=latin1', 400],
    ['/scim', 'application/scim', 400],
    ['/scim', 'text/plain', 400],
    ['/form', 'application/x-www-form-urlencoded', 200],
    ['/form', 'application/json', 400],
  ]
  for (const [path, type, status] of cases) {
    const reply = await ask(
      `PUT ${path} HTTP/1.1\r\n${HEAD}Content-Type: ${type}\r\nContent-Length: 2\r\n\r\n{}`,
    )
    assert.equal(reply.status, status, `${path} ${type}`)
  }
})
