import assert from 'node:assert/strict'
import http from 'node:http'
import path from 'node:path'
import { once } from 'node:events'

/** Sends one request to the admin routes of the door that runs in this home, and gives the answer, which must be a success. */
export async function askAdmin(
  home: string,
  method: 'GET' | 'POST',
  target: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const text = body === undefined ? '' : JSON.stringify(body)
  const sending = http.request({
    socketPath: path.join(home, 'admin.sock'),
    method,
    path: target,
    headers: {
      host: 'localhost',
      ...(text === ''
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  })
  const answered = once(sending, 'response')
  sending.end(text)
  const [response] = (await answered) as [http.IncomingMessage]
  let said = ''
  for await (const chunk of response) said += String(chunk)
  assert.ok((response.statusCode ?? 0) < 400, `${method} ${target}: ${said}`)
  return JSON.parse(said) as Record<string, unknown>
}
