import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { privateSocket } from './private_socket.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'gh-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

test('privateSocket listens at its place with mode 0600: also over a stale socket', async (t) => {
  const at = path.join(folder(t), 'admin.sock')
  for (let round = 0; round < 2; round += 1) {
    const socket = privateSocket(at)
    assert.equal(statSync(path.dirname(socket.bindAt)).mode & 0o777, 0o700)
    const server = createServer((connection) => connection.end('hello'))
    await new Promise<void>((resolve) => server.listen(socket.bindAt, resolve))
    socket.publish()
    assert.equal(statSync(at).mode & 0o777, 0o600)
    assert.equal(existsSync(path.dirname(socket.bindAt)), false)
    const heard = await new Promise((resolve) => connect(at).on('data', (bytes) => resolve(String(bytes))))
    assert.equal(heard, 'hello')
    // The server forgets the name it was bound at, so the socket stays behind as after a crash.
    await new Promise((resolve) => server.close(resolve))
    assert.equal(existsSync(at), true)
    if (round === 1) socket.remove()
  }
  assert.equal(existsSync(at), false)
})

test('privateSocket refuses a path that the kernel would cut: with the way out', (t) => {
  const at = path.join(folder(t), 'x'.repeat(100), 'admin.sock')
  assert.throws(() => privateSocket(at), {
    code: 'listener.unavailable',
    detail: { address: at, reason: 'path.too_long' },
  })
})

test('privateSocket removes nothing that is no socket: it may be what somebody needs', (t) => {
  const at = path.join(folder(t), 'admin.sock')
  writeFileSync(at, 'precious')
  assert.throws(() => privateSocket(at), { code: 'home.damaged' })
  assert.equal(existsSync(at), true)
})
