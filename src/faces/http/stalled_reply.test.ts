import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, HEAD, rig, route } from '../../../test/support/http_rig.ts'

/** More than the buffers of two sockets take. */
const LARGE = 30_000_000
/** Without the limit a test would wait for minutes. */
const SOON = { timeout: 30_000 }
const MIDDLE = 4_000_000
const ASK = `GET /v1/large HTTP/1.1\r\n${HEAD}\r\n`

function largeRoute(ended: () => void) {
  return route('GET', '/v1/large', (incoming) => {
    incoming.onEnd(ended)
    return Promise.resolve(answer(JSON.stringify('x'.repeat(LARGE))))
  })
}

test(
  'a caller that takes no byte of its reply is cut off, and the door told that it ended',
  SOON,
  async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { open } = await rig(t, { routes: [largeRoute(resolve)] }, { stalledReplyMs: 100 })
    const connection = await open()
    connection.socket.pause()
    connection.write(ASK)
    await promise
    connection.socket.resume()
    assert.ok((await connection.closed()).length < LARGE)
  },
)

test('a caller that is slow gets all of it: every byte that leaves starts the wait anew', SOON, async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { open } = await rig(t, { routes: [largeRoute(resolve)] }, { stalledReplyMs: 400 })
  const connection = await open()
  let received = 0
  connection.socket.removeAllListeners('data')
  connection.socket.on('data', (bytes: Buffer) => {
    received += bytes.length
    connection.socket.pause()
    setTimeout(() => connection.socket.resume(), received < 6_000_000 ? 10 : 0)
  })
  const began = Date.now()
  connection.write(ASK)
  await promise
  assert.ok(Date.now() - began > 800, 'it took longer than the limit')
  assert.ok(received > LARGE - 10_000_000)
  connection.destroy()
})

test(
  'the limit ends with the reply: the next request on the connection may take its time',
  SOON,
  async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = route('GET', '/v1/slow', async () => {
      await promise
      return answer('{}')
    })
    const large = route('GET', '/v1/large', () => Promise.resolve(answer(JSON.stringify('x'.repeat(MIDDLE)))))
    const { open } = await rig(t, { routes: [large, slow] }, { stalledReplyMs: 60 })
    const connection = await open()
    connection.write(`${ASK}GET /v1/slow HTTP/1.1\r\n${HEAD}\r\n`)
    assert.equal((await connection.reply())?.status, 200)
    setTimeout(resolve, 300)
    assert.equal((await connection.reply())?.status, 200)
  },
)
