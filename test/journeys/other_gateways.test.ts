import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { TOKENS_IN, TOKENS_OUT, type Script } from '../fakes/streamed_answers.ts'
import { startStreamingUpstream, type StreamingUpstream } from '../fakes/streaming_upstream.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, type Journey } from '../support/journey.ts'
import { fillerOf } from '../support/planted_secrets.ts'
import { RawConnection } from '../support/raw_http.ts'

/*
 * What other gateways got wrong, each as a request that must not do the same here. The names are those under which the
 * defects are known. Defects in what Gatehouse does not have (MCP, caches, data access) are not in the table; those of limits are in other_gateways_limits.test.ts.
 */

const fill = fillerOf(20_270_305)
const TOKEN = fill('ghp_{base62:30}{checksum:30}')
const PROVIDER_KEY = ['provider', 'key', '4711', 'of', 'the', 'house'].join('-')
const OTHERS_KEY = fill('gate_live_{base62:12}_{base62:32}_{checksum:0}')

/** What a request may be made of; the rest is that of a good one. */
interface Asked {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  /** `undefined` for none. */
  readonly authorization?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
}

interface Expected {
  readonly status: number
  readonly code?: string
  /** Whether the provider is called. */
  readonly calls: 0 | 1
  readonly has?: RegExp
  readonly hasNot?: RegExp
}

interface Defect {
  readonly name: string
  readonly says?: Script
  readonly asked: Asked
  readonly expected: Expected
}

const MESSAGES = [{ role: 'user', content: 'hi' }]
const chat = (more: object = {}): object => ({ model: 'good', messages: MESSAGES, ...more })
const CHAT = '/v1/chat/completions'
const MESSAGE = {
  target: '/v1/messages',
  body: { model: 'claude', max_tokens: 9, messages: MESSAGES, stream: true },
}
const RESPONSE = { target: '/v1/responses', body: { model: 'good', input: 'hi', stream: true } }
const CHAT_STREAM = { body: chat({ stream: true }) }

const STRANGER = { status: 401, code: 'caller.unknown', calls: 0 } as const
const INVALID = { status: 400, code: 'input.invalid', calls: 0 } as const
const NO_ROUTE = { status: 404, code: 'route.unknown', calls: 0 } as const
const DENIED = { status: 403, code: 'action.denied', calls: 0 } as const
const BAD_TARGET = { status: 400, code: 'target.invalid', calls: 0 } as const

/** A stream that was cut before any of the token left, in the way of its format. */
const BLOCKED = {
  status: 200,
  calls: 1,
  has: /"code":"content\.blocked"/,
  hasNot: new RegExp(`\\[DONE\\]|message_stop|response\\.completed|${TOKEN.slice(0, 8)}|${TOKEN.slice(-8)}`),
} as const

function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Identity. */
const IDENTITY: readonly Defect[] = [
  {
    name: 'LiteLLM CVE-2026-42208: SQL in the key',
    asked: { authorization: "Bearer sk-x' UNION SELECT token FROM keys --" },
    expected: STRANGER,
  },
  {
    name: 'LiteLLM CVE-2026-59822: an invented Authorization header is an identity',
    asked: { authorization: 'Gateway admin' },
    expected: STRANGER,
  },
  {
    name: 'LiteLLM CVE-2026-59822: an empty credential is an identity',
    asked: { authorization: 'Bearer ' },
    expected: STRANGER,
  },
  {
    name: 'LiteLLM #20500: a JWT is read without its signature',
    asked: { authorization: `Bearer ${segment({ alg: 'none' })}.${segment({ sub: 'admin' })}.` },
    expected: STRANGER,
  },
  {
    name: 'LiteLLM #39757: a refusal shows the table and the digest of the key',
    asked: { authorization: `Bearer ${OTHERS_KEY}` },
    expected: {
      ...STRANGER,
      hasNot: new RegExp(
        `${OTHERS_KEY.slice(10, 22)}|${createHash('sha256').update(OTHERS_KEY).digest('hex')}|sql|table`,
        'i',
      ),
    },
  },
  {
    name: 'Portkey: whoever brings a key of a provider is let in',
    asked: { authorization: `Bearer ${PROVIDER_KEY}` },
    expected: STRANGER,
  },
  {
    name: 'identity by header: a caller names itself',
    asked: { authorization: undefined, headers: { 'x-user-id': 'admin', 'x-forwarded-user': 'admin' } },
    expected: STRANGER,
  },
]

/** What is checked is what is sent on. */
const SAME_OBJECT: readonly Defect[] = [
  {
    name: 'LiteLLM CVE-2026-49468: the Host header changes the path',
    asked: { host: 'x/#@127.0.0.1' },
    expected: BAD_TARGET,
  },
  {
    name: 'LiteLLM CVE-2026-49468: a fragment changes the path',
    asked: { target: `${CHAT}#/health` },
    expected: BAD_TARGET,
  },
  {
    name: 'LiteLLM #41810: the query names another model',
    asked: { target: `${CHAT}?model=forbidden` },
    expected: INVALID,
  },
  {
    name: 'LiteLLM #41810: for messages',
    asked: { ...MESSAGE, target: '/v1/messages?model=forbidden' },
    expected: INVALID,
  },
  {
    name: 'LiteLLM #41810: for responses',
    asked: { ...RESPONSE, target: '/v1/responses?model=forbidden' },
    expected: INVALID,
  },
  {
    name: 'a second model in the body wins',
    asked: { body: `{"model":"good","messages":[{"role":"user","content":"hi"}],"model":"forbidden"}` },
    expected: INVALID,
  },
  {
    name: 'a list of other models in the body is fallen back to',
    asked: { body: chat({ fallbacks: ['forbidden'], models: ['forbidden'] }) },
    expected: INVALID,
  },
  {
    name: 'agentgateway 1.4.0: policy reads a body that is cut off at 2 MB',
    asked: { body: { messages: [{ role: 'user', content: 'x'.repeat(3_000_000) }], model: 'forbidden' } },
    expected: DENIED,
  },
  {
    name: 'a header names another model',
    asked: { headers: { 'x-model': 'forbidden' } },
    expected: { status: 200, calls: 1, has: /"model":"good"/ },
  },
  {
    name: 'LiteLLM: a method override makes another request of it',
    asked: { headers: { 'x-http-method-override': 'DELETE' } },
    expected: { status: 200, calls: 1 },
  },
]

/** Where requests are sent. `CANARY` is the address of a server that may not be called. */
const ROUTING: readonly Defect[] = [
  {
    name: 'Portkey #1718: a host of the caller, on the way that is checked',
    asked: { headers: { 'x-portkey-custom-host': 'CANARY', 'x-portkey-provider': 'openai' } },
    expected: { status: 200, calls: 1 },
  },
  {
    name: 'Portkey #1718: a host of the caller, on the way that is not',
    asked: { target: '/v1/proxy/chat/completions', headers: { 'x-portkey-custom-host': 'CANARY' } },
    expected: NO_ROUTE,
  },
  ...['api_base', 'base_url', 'baseURL', 'azure_endpoint', 'custom_host'].map((name) => ({
    name: `LiteLLM: ${name} in the body sends the key elsewhere`,
    asked: { body: chat({ [name]: 'CANARY' }) },
    expected: INVALID,
  })),
  {
    name: 'Portkey #1596: the name of a model becomes part of a URL',
    asked: { body: chat({ model: '127.0.0.1:1/#' }) },
    expected: DENIED,
  },
  {
    name: 'LiteLLM: the provider is a prefix of the model',
    asked: { body: chat({ model: 'openai/good' }) },
    expected: DENIED,
  },
  {
    name: 'Bifrost #2873: a passage past the rules',
    asked: { target: '/openai_passthrough/v1/chat/completions' },
    expected: NO_ROUTE,
  },
  {
    name: 'LiteLLM PR #28785: the stream of another API',
    asked: { target: '/v1beta/models/good:streamGenerateContent' },
    expected: NO_ROUTE,
  },
  {
    name: 'LiteLLM CVE-2026-42271: a test of a connection starts a program',
    asked: { target: '/mcp-rest/test/connection', body: { command: 'sh', args: ['-c', 'id'] } },
    expected: NO_ROUTE,
  },
  {
    name: 'a full address as the target',
    asked: { target: 'CANARY/v1/chat/completions' },
    expected: BAD_TARGET,
  },
]

/** What streams let out. */
const STREAMS: readonly Defect[] = [
  {
    name: 'Cloudflare: answers are not looked at when they are streamed',
    says: { text: `so ${TOKEN} ok` },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'Portkey: the verdict comes behind the content',
    says: { text: `so ${TOKEN} ok ${'and more '.repeat(50)}` },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'LiteLLM #35257: streamed messages are not looked at',
    says: { text: `so ${TOKEN} ok` },
    asked: MESSAGE,
    expected: BLOCKED,
  },
  {
    name: 'LiteLLM #15718: streamed responses are not looked at',
    says: { text: `so ${TOKEN} ok` },
    asked: RESPONSE,
    expected: BLOCKED,
  },
  {
    name: 'LiteLLM #41611: a value in two chunks passes',
    says: { text: `so ${TOKEN} ok`, pieceLength: 22 },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'Mastra #23783: the first half has left when it is found',
    says: { text: `so ${TOKEN} ok`, pieceLength: 1 },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'NeMo stream_first: chunks leave before they are looked at',
    says: { text: `${TOKEN} `, pieceLength: 500 },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'tool arguments are not looked at',
    says: { toolArguments: JSON.stringify({ command: `T=${TOKEN} x` }), pieceLength: 3 },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'tool arguments of messages are not looked at',
    says: { toolArguments: JSON.stringify({ command: `T=${TOKEN} x` }), pieceLength: 3 },
    asked: MESSAGE,
    expected: BLOCKED,
  },
  {
    name: 'tool arguments of responses are not looked at',
    says: { toolArguments: JSON.stringify({ command: `T=${TOKEN} x` }), pieceLength: 3 },
    asked: RESPONSE,
    expected: BLOCKED,
  },
  {
    name: 'reasoning is not looked at',
    says: { text: 'ok', reasoning: `so ${TOKEN} ok`, pieceLength: 5 },
    asked: CHAT_STREAM,
    expected: BLOCKED,
  },
  {
    name: 'thinking is not looked at',
    says: { text: 'ok', reasoning: `so ${TOKEN} ok`, pieceLength: 5 },
    asked: MESSAGE,
    expected: BLOCKED,
  },
  {
    name: 'AISIX #153: the refusal repeats what it refuses',
    says: { text: `so ${TOKEN} ok` },
    asked: { body: chat() },
    expected: { status: 422, code: 'content.blocked', calls: 1, hasNot: new RegExp(TOKEN.slice(0, 8)) },
  },
  {
    name: 'agentgateway #3603: with a guard the body of a stream vanishes',
    says: { text: 'a good day', pieceLength: 1 },
    asked: CHAT_STREAM,
    expected: { status: 200, calls: 1, has: /"content":"day?"[^]*data: \[DONE\]\n\n/ },
  },
  {
    name: 'vercel/ai #17326: the tokens of the question are counted as none',
    says: { text: 'hi' },
    asked: MESSAGE,
    expected: { status: 200, calls: 1, has: /event: message_start\ndata: [^\n]*"input_tokens":11/ },
  },
  {
    name: 'usage that the caller did not ask for is in its stream',
    says: { text: 'hi' },
    asked: CHAT_STREAM,
    expected: { status: 200, calls: 1, has: /\[DONE\]/, hasNot: /"usage"|"choices":\[\]/ },
  },
]

interface Entry {
  readonly id: string
  readonly kind: string
  readonly shown: Readonly<Record<string, unknown>>
}

interface Scene {
  readonly story: Journey
  readonly upstream: StreamingUpstream
  readonly key: string
  /** The server that may not be called, and how often it was. */
  readonly canary: { readonly origin: string; readonly calls: () => number }
}

async function send({ story, key, canary }: Scene, asked: Asked): Promise<string> {
  const { hostname, port } = new URL(story.door().door)
  const { method = 'POST', target = CHAT, host = 'door', headers = {}, body = chat() } = asked
  const authorization = 'authorization' in asked ? asked.authorization : `Bearer ${key}`
  const place = (text: string): string => text.replaceAll('CANARY', canary.origin)
  const bytes = Buffer.from(place(typeof body === 'string' ? body : JSON.stringify(body)))
  const lines = [
    `${method} ${place(target)} HTTP/1.1`,
    `Host: ${host}`,
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    'Content-Type: application/json',
    `Content-Length: ${bytes.length}`,
    'Connection: close',
    'Cookie: session=of-the-caller',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${place(value)}`),
  ]
  const connection = await RawConnection.open({ host: hostname, port: Number(port) })
  return connection
    .write(`${lines.join('\r\n')}\r\n\r\n`)
    .write(bytes)
    .closed()
}

/** The content without the sizes of its chunks, which stand on lines of their own. */
function withoutChunks(received: string): string {
  return received.replaceAll(/\r\n[\da-f]+\r\n/g, '')
}

async function check(scene: Scene, { name, says, asked, expected }: Defect): Promise<string> {
  const { upstream, canary } = scene
  const before = upstream.received.length
  upstream.says = says ?? { text: 'hello' }
  const received = await send(scene, asked)
  const status = Number(received.split(' ')[1])
  assert.equal(status, expected.status, `${name}: ${received.slice(0, 1_000)}`)
  const text = withoutChunks(received)
  if (expected.code !== undefined)
    assert.match(text, new RegExp(`"code":"${expected.code.replace('.', '\\.')}"`), name)
  if (expected.has !== undefined) assert.match(text, expected.has, name)
  if (expected.hasNot !== undefined) assert.doesNotMatch(text, expected.hasNot, name)
  assert.equal(upstream.received.length, before + expected.calls, name)
  assert.equal(canary.calls(), 0, name)
  return text
}

test('what other gateways got wrong', async (t) => {
  const upstream = await startStreamingUpstream()
  let calls = 0
  const server = createServer((socket) => {
    calls += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const home = await temporaryHome()
  const openai = `provider: openai, base_url: "${upstream.origin}/v1", model: normal, key: { from_env: HOUSE_KEY }`
  const config = `models:
  good: { ${openai} }
  forbidden: { ${openai} }
  claude: { provider: anthropic, base_url: "${upstream.origin}", model: normal, key: { from_env: HOUSE_KEY } }
inspection: { credentials: { request: redact, response: block } }
`
  await writeFile(path.join(home, 'gatehouse.yaml'), config)
  const tell = async (story: Journey): Promise<void> => {
    const { key } = await story.key('demo', '--models', 'good,claude')
    const scene: Scene = { story, upstream, key, canary: { origin, calls: () => calls } }
    for (const defect of [...IDENTITY, ...SAME_OBJECT, ...ROUTING, ...STREAMS])
      await t.test(defect.name, async () => void (await check(scene, defect)))

    await t.test(
      'Portkey, LiteLLM #18731: strangers learn from a refusal why they are strangers',
      async () => {
        const { key: ended, kid } = await story.key('ended')
        await story.json('key', 'revoke', kid)
        const replies = await Promise.all(
          [undefined, 'Bearer nonsense', `Bearer ${OTHERS_KEY}`, `Bearer ${ended}`].map(
            async (authorization) => send(scene, { authorization }),
          ),
        )
        const id = /x-request-id: (\w+)/
        const same = new Set(
          replies.map((reply) => reply.replaceAll(id.exec(reply)?.[1] ?? '', 'ID').replace(/Date: .*/, '')),
        )
        assert.equal(same.size, 1, [...same].join('\n'))
      },
    )

    await t.test(
      'ContextForge #3891, Bifrost PR #2833: models that the caller may not use are listed',
      async () => {
        const text = await send(scene, { method: 'GET', target: '/v1/models', body: '' })
        assert.match(text, /"good"/)
        assert.doesNotMatch(text, /forbidden/)
      },
    )

    await t.test('Bifrost #3954, caipe #1929: keys and headers of one side reach the other', async () => {
      upstream.says = { text: 'hello' }
      for (const asked of [{}, CHAT_STREAM, MESSAGE, RESPONSE]) {
        const received = await send(scene, asked)
        assert.doesNotMatch(received, /x-upstream|set-cookie|provider-key/i)
        const sent = JSON.stringify(upstream.received.at(-1))
        assert.ok(sent.includes(PROVIDER_KEY))
        assert.ok(!sent.includes(key) && !sent.includes('of-the-caller'))
      }
    })

    await t.test('usage is asked for where the caller did not, and known', async () => {
      const received = await send(scene, CHAT_STREAM)
      assert.deepEqual(upstream.received.at(-1)?.body['stream_options'], { include_usage: true })
      const { entries } = (await story.json('ledger', 'tail', '--lines', '10')) as {
        entries: readonly Entry[]
      }
      const id = /x-request-id: (\w+)/.exec(received)?.[1]
      const outcome = entries.find((entry) => entry.id === id && entry.kind === 'outcome')
      assert.deepEqual([outcome?.shown['tokens_in'], outcome?.shown['tokens_out']], [TOKENS_IN, TOKENS_OUT])
    })

    await t.test('LiteLLM #35257: what was not let out is recorded as a success', async () => {
      upstream.says = { text: `so ${TOKEN} ok` }
      const received = await send(scene, MESSAGE)
      const told = JSON.stringify(await story.json('why', /x-request-id: (\w+)/.exec(received)?.[1] ?? ''))
      assert.match(told, /content\.blocked/)
      assert.match(told, /credential\.github/)
    })

    await t.test('LiteLLM #20240, #31620: keys in logs and in the record', async () => {
      const { stdout } = await story.cli('ledger', 'show', '--json')
      await story.door().stop()
      for (const text of [stdout, story.door().printed()])
        for (const secret of [key, OTHERS_KEY, PROVIDER_KEY, TOKEN, 'UNION SELECT'])
          assert.ok(!text.includes(secret), secret)
    })
  }
  try {
    await journey(tell, { home, env: { HOUSE_KEY: PROVIDER_KEY } })
  } finally {
    await upstream.close()
    server.close()
  }
})
