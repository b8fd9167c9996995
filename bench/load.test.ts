import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, test } from 'node:test'
import { runLoad } from './load.ts'

const servers: net.Server[] = []
after(() => servers.forEach((server) => server.close()))

/** A server that gives each request the next of the given parts, one after the other. */
async function serve(parts: readonly string[], ends = false): Promise<number> {
  const server = net.createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('data', () => {
      let delayMs = 0
      for (const part of parts) setTimeout(() => socket.write(part), (delayMs += 2))
      if (ends) setTimeout(() => socket.end(), delayMs + 2)
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

function load(port: number) {
  const head = 'POST / HTTP/1.1\r\nhost: x\r\n'
  return runLoad({ port, head, body: '{}', concurrency: 2, warmMs: 0, measureMs: 150 })
}

const GOOD = '{"choices":[]}'

test('runLoad counts good answers: whole, in pieces, and chunked', async () => {
  for (const parts of [
    [`HTTP/1.1 200 OK\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`],
    ['HTTP/1.1 200 OK\r\nconte', `nt-length: ${GOOD.length}\r\n\r\n`, GOOD.slice(0, 5), GOOD.slice(5)],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', `e\r\n${GOOD}\r\n`, '0\r\n\r\n'],
  ]) {
    const result = await load(await serve(parts))
    assert.ok(result.requests > 1)
    assert.equal(result.errors, 0, result.firstError ?? '')
    assert.ok(result.p50Us >= 1_000 && result.p99Us >= result.p50Us)
  }
})

test('runLoad does not count what is no good answer', async () => {
  for (const [parts, says] of [
    [['HTTP/1.1 500 Oh\r\ncontent-length: 14\r\n\r\n{"choices":[]}'], /^HTTP\/1.1 500 Oh/],
    [['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'], /^HTTP\/1.1 200 OK: {}/],
  ] as const) {
    const result = await load(await serve(parts))
    assert.equal(result.requests, 0)
    assert.ok(result.errors > 0)
    assert.match(result.firstError ?? '', says)
  }
})

test('runLoad counts a closed connection as an error, and goes on', async () => {
  const port = await serve([`HTTP/1.1 200 OK\r\ncontent-length: ${GOOD.length}\r\n\r\n${GOOD}`], true)
  const result = await load(port)
  assert.ok(result.requests > 0)
  assert.ok(result.errors > 0)
})

test('runLoad ends: nobody listens', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  const result = await load(port)
  assert.equal(result.requests, 0)
  assert.match(result.firstError ?? '', /ECONNREFUSED/)
})
