import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, codeOf, HEAD, post, refusal, rig, route } from '../../../test/support/http_rig.ts'
import { Meter } from '#door/meter.ts'

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
