import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { journey, say, type Journey } from '../support/journey.ts'

const MIB = 1_048_576

type Row = readonly [why: string, body: string | Uint8Array, status: number, code: string]

const chat = (extra: string) => `{"model":"echo","messages":[{"role":"user","content":"hi"}]${extra}}`

const BODIES: readonly Row[] = [
  ['empty', '', 400, 'input.invalid'],
  ['not JSON', 'hello', 400, 'input.invalid'],
  ['not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22), 400, 'input.invalid'],
  ['an array', '[]', 400, 'input.invalid'],
  ['nested 10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 400, 'input.invalid'],
  ['objects nested 10,000 deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400, 'input.invalid'],
  ['a duplicate member', chat(',"model":"house-model"'), 400, 'input.invalid'],
  ['a duplicate member in disguise', chat(',"\\u006dodel":"house-model"'), 400, 'input.invalid'],
  ['a lone surrogate', chat(',"user":"\\ud800"'), 400, 'input.invalid'],
  ['an integer beyond 2^53', chat(',"seed":9007199254740993'), 400, 'input.invalid'],
  ['a number without end', chat(',"seed":1e999'), 400, 'input.invalid'],
  ['max_tokens of 10^9', chat(',"max_tokens":1000000000'), 400, 'input.invalid'],
  ['a negative max_tokens', chat(',"max_tokens":-1'), 400, 'input.invalid'],
  ['a prototype member', chat(',"__proto__":{"model":"house-model"}'), 400, 'input.invalid'],
  ['text after the value', `${chat('')} {}`, 400, 'input.invalid'],
  ['no messages', '{"model":"echo","messages":[]}', 400, 'input.invalid'],
  [
    'more members than may be',
    chat(
      `,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{${Array.from({ length: LIMITS.jsonNodes }, (_, at) => `"m${at}":1`).join(',')}}}}`,
    ),
    400,
    'input.invalid',
  ],
  [
    'a body over the limit',
    `{"model":"echo","messages":[{"role":"user","content":"${'x'.repeat(11 * MIB)}"}]}`,
    413,
    'input.too_large',
  ],
]

test('bad bodies are refused with a code, and the door goes on serving', async () => {
  await journey(async (story) => {
    const { key } = await story.key('demo', '--models', 'echo')
    for (const [why, body, status, code] of BODIES) {
      const response = await post(story, key, body)
      const answer = (await response.json()) as { error?: { code?: string } }
      assert.deepEqual([response.status, answer.error?.code], [status, code], why)
      assert.match(response.headers.get('x-request-id') ?? '', /^[0-9A-Za-z]{16}$/, why)
    }
    assert.match((await say(story.client(key), 'still here')).choices[0]?.message.content ?? '', /still here/)
  })
})

const TARGETS: readonly (readonly [why: string, target: string])[] = [
  ['dot segments', '/v1/../v1/models'],
  ['encoded dot segments', '/v1/%2e%2e/models'],
  ['an encoded slash', '/v1%2fmodels'],
  ['a backslash', '/v1\\models'],
  ['two slashes', '//v1/models'],
  ['a fragment', '/v1/models#x'],
  ['absolute form with another host', 'http://elsewhere.example/v1/models'],
  ['an encoded null', '/v1/models%00'],
]

test('ambiguous request targets are refused before a route is chosen', async () => {
  await journey(async (story) => {
    const { key } = await story.key('demo', '--models', 'echo')
    for (const [why, target] of TARGETS) {
      const answer = await raw(
        story,
        `GET ${target} HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
      )
      assert.match(answer, /^HTTP\/1\.1 400 /, why)
    }
    const shadowed = await raw(
      story,
      `POST /v1/chat/completions?model=house-model HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer ${key}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${String(chat('').length)}\r\nConnection: close\r\n\r\n${chat('')}`,
    )
    assert.match(shadowed, /^HTTP\/1\.1 400 /)
    assert.equal((await fetch(`${story.door().door}/healthz`)).status, 200)
  })
})

test('a body of 100 MB is refused without being read to its end', async () => {
  await journey(async (story) => {
    const { key } = await story.key('demo', '--models', 'echo')
    const head =
      `POST /v1/chat/completions HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer ${key}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(100 * MIB)}\r\n\r\n`
    assert.match(await raw(story, head), /^HTTP\/1\.1 413 /)
  })
})

test('clients that go away in the middle leave nothing behind', async () => {
  await journey(async (story) => {
    const { key } = await story.key('demo', '--models', 'echo')
    const { hostname, port } = new URL(story.door().door)
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"mod`
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = net.connect(Number(port), hostname)
        await new Promise<void>((resolve) => socket.write(head, () => resolve()))
        await new Promise<void>((resolve) => socket.on('close', () => resolve()).destroy())
      }),
    )
    await say(story.client(key), 'after them')
    const metrics = await (await fetch(`${story.door().metrics}/metrics`)).text()
    assert.match(metrics, /in_flight[^\n]* 0\n/)
  })
})

async function post(story: Journey, key: string, body: string | Uint8Array): Promise<Response> {
  return fetch(`${story.door().door}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  })
}

/** Sends bytes as they are and gives everything that comes back until the other side closes. */
async function raw(story: Journey, bytes: string): Promise<string> {
  const { hostname, port } = new URL(story.door().door)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
    socket.on('error', (thrown) => (answer === '' ? reject(thrown) : resolve(answer)))
    socket.on('close', () => resolve(answer))
    socket.setTimeout(15_000, () => socket.destroy(new Error('no answer in 15 s')))
  })
}
