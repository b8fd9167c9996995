import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { Sealed } from '#base/sealed.ts'
import { faultCode } from '../../../test/support/admin_bench.ts'
import { askRunningDoor, askWithKey } from './door_line.ts'

const Anything = z.json()
const GET = { method: 'GET', path: '/admin/keys' } as const

/** Something that listens on `admin.sock` of a home and answers as it is told. */
async function homeWith(t: TestContext, listener: RequestListener): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'gate-line-'))
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(join(home, 'admin.sock'), resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(home, { recursive: true, force: true })
  })
  return home
}

const BAD: readonly (readonly [why: string, listener: RequestListener])[] = [
  ['it answers something that is not JSON', (_, response) => response.end('<html>')],
  ['it closes without an answer', (_, response) => response.socket?.destroy()],
  [
    'it closes in the middle of an answer',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a":')
      response.flushHeaders()
      setImmediate(() => response.socket?.destroy())
    },
  ],
  [
    'it answers without an end',
    (_, response) => {
      const part = Buffer.alloc(1_048_576, 'x')
      const pour = (): void => {
        while (response.write(part));
        response.once('drain', pour)
      }
      pour()
    },
  ],
]
for (const [why, listener] of BAD) {
  test(`askRunningDoor ends with door.unreachable: ${why}`, async (t) => {
    const home = await homeWith(t, listener)
    assert.equal(await faultCode(() => askRunningDoor(home, Anything, GET)), 'door.unreachable')
  })
}

test('askRunningDoor gives the answer, and sends the body as JSON', async (t) => {
  const home = await homeWith(t, (request, response) => {
    request
      .setEncoding('utf8')
      .on('data', (text: string) => response.end(JSON.stringify({ got: text, method: request.method })))
  })
  const sent = { method: 'POST', path: '/x', body: { a: 1 } } as const
  assert.deepEqual(await askRunningDoor(home, Anything, sent), { got: '{"a":1}', method: 'POST' })
})

test('askRunningDoor is undefined: nobody listens', async () => {
  assert.equal(await askRunningDoor('/nonexistent', Anything, GET), undefined)
})

test('askWithKey ends with door.unreachable: nobody listens at the address', async () => {
  const url = new URL('http://127.0.0.1:1/v1/why/x')
  assert.equal(await faultCode(() => askWithKey(url, Anything, new Sealed('gate_x'))), 'door.unreachable')
})
