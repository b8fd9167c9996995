import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { embed, generateText } from 'ai'
import { createOpenAI } from '@ai-sdk/openai'
import { NODE_FILES } from '#base/files.ts'
import type { JsonObject } from '#base/json.ts'
import { TOKENS_IN, TOKENS_OUT, type Script, type SpokenApi } from '../fakes/streamed_answers.ts'
import {
  startStreamingUpstream,
  WAYS,
  type StreamingUpstream,
  type WayName,
} from '../fakes/streaming_upstream.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, type Journey } from '../support/journey.ts'
import { readAll } from '../support/ledger_fixture.ts'
import { fillerOf } from '../support/planted_secrets.ts'
import { RawConnection } from '../support/raw_http.ts'
import {
  AI_TOOLS,
  aiModels,
  anthropicClient,
  openaiClient,
  STREAM_CLIENTS,
  type Gathered,
  type StreamClient,
} from '../support/stream_clients.ts'
import { tapped, type Tapped } from '../support/tapped.ts'

const fill = fillerOf(20_270_302)
const TOKEN = fill('ghp_{base62:30}{checksum:30}')
const RULE = 'credential.github'
const MARK = `[redacted:${RULE}]`
/** For answers that stop coming. */
const MODEL_TIMEOUT_MS = 300

interface Story extends Journey {
  readonly upstream: StreamingUpstream
  readonly tap: Tapped
  readonly secret: string
  readonly modelOf: (api: SpokenApi, way: WayName) => string
}

/** A door with a model for each way of the fake upstream on each provider, reached through a tap. */
async function streamJourney(settings: string, tell: (story: Story) => Promise<void>): Promise<void> {
  const upstream = await startStreamingUpstream()
  const home = await temporaryHome()
  const models = (Object.keys(WAYS) as WayName[]).flatMap((way) => {
    const timeout = ['silent', 'headless'].includes(way) ? MODEL_TIMEOUT_MS : 60_000
    const more = `model: ${way}, timeout_ms: ${timeout}, max_answer_bytes: 100000000`
    return [
      `  o-${way}: { provider: openai, base_url: "${upstream.origin}/v1", ${more} }`,
      `  a-${way}: { provider: anthropic, base_url: "${upstream.origin}", ${more} }`,
    ]
  })
  const config = ['models:', '  echo: { provider: echo }', ...models, settings, '']
  await writeFile(path.join(home, 'gatehouse.yaml'), config.join('\n'))
  try {
    await journey(
      async (story) => {
        const tap = await tapped(story.door().door)
        const { key: secret } = await story.key('demo')
        const modelOf = (api: SpokenApi, way: WayName): string => `${api === 'messages' ? 'a' : 'o'}-${way}`
        try {
          await tell({ ...story, upstream, tap, secret, modelOf })
        } finally {
          await tap.close()
        }
      },
      { home },
    )
  } finally {
    await upstream.close()
  }
}

async function forEach<T>(values: readonly T[], run: (value: T) => Promise<void>): Promise<void> {
  await Promise.all(values.map(run))
}

function expected({ lacks }: StreamClient, script: Script): Gathered {
  const { text = '', reasoning = '', refusal = '', toolArguments = '' } = script
  const all: Gathered = {
    text,
    reasoning,
    refusal,
    toolArguments,
    tokensIn: TOKENS_IN,
    tokensOut: TOKENS_OUT,
  }
  for (const lacking of lacks) Object.assign(all, { [lacking]: '' })
  return all
}

/** One for each API. */
const PLAIN_CLIENTS = STREAM_CLIENTS.filter(({ name }) => name.endsWith('.create'))

const GOOD: readonly WayName[] = ['normal', 'bytes', 'escaped', 'odd', 'slow']
const PLAIN: Script = {
  text: 'Grüße: the \u{1f600} says "x=\\n"; sk-not-a-key, ghp_short & AKIA.',
  reasoning: 'Think — twice.',
  toolArguments: '{"command":"ls \\"a b\\" | wc -l \\u00fc"}',
}

/** Clients that parse the arguments print them again here. */
function normal(gathered: Gathered): Gathered {
  const { toolArguments } = gathered
  return { ...gathered, toolArguments: toolArguments === '' ? '' : JSON.stringify(JSON.parse(toolArguments)) }
}

test('streams through real clients', async (t) => {
  await streamJourney('', async (story) => {
    const { upstream, tap, secret: key, modelOf } = story
    const to = (api: SpokenApi, way: WayName) => ({ origin: tap.origin, key, model: modelOf(api, way) })

    await t.test('what every client gathers is what the upstream said, however it was sent', async () => {
      upstream.says = PLAIN
      for (const way of GOOD)
        await forEach(way === 'normal' ? STREAM_CLIENTS : PLAIN_CLIENTS, async (client) => {
          const gathered = await client.gather(to(client.api, way))
          assert.deepEqual(normal(gathered), normal(expected(client, PLAIN)), `${client.name}, ${way}`)
        })
    })

    await t.test('refusals and answers without a text', async () => {
      const scripts: readonly Script[] = [
        { refusal: 'I may not.' },
        { toolArguments: '{}' },
        { text: '' },
        { text: 'x' },
      ]
      for (const script of scripts) {
        upstream.says = script
        await forEach(clientsFor(script), async (client) => {
          const gathered = await client.gather(to(client.api, 'normal'))
          assert.deepEqual(normal(gathered), normal(expected(client, script)), client.name)
        })
      }
    })

    await t.test(
      'no character of a credential is on the wire, whatever channel and pieces it comes in',
      async () => {
        tap.take()
        for (const { what, script, clean } of planted())
          for (const client of STREAM_CLIENTS) {
            if (script.refusal !== undefined && client.lacks.includes('refusal')) continue
            upstream.says = script
            const gathered = await client.gather(to(client.api, 'normal'))
            assert.deepEqual(normal(gathered), normal(expected(client, clean)), `${client.name}: ${what}`)
            assertNothingOf(tap.take(), `${client.name}: ${what}`)
          }
      },
    )

    await t.test('what is not streamed goes through the same clients', async () => {
      upstream.says = PLAIN
      const address = { origin: tap.origin, key }
      for (const api of ['chat', 'responses', 'messages'] as const) {
        const model = aiModels(address)[api](modelOf(api, 'normal'))
        const answer = await generateText({ model, prompt: 'hi', tools: AI_TOOLS, maxRetries: 0 })
        assert.equal(answer.text, PLAIN.text, api)
        assert.deepEqual(answer.toolCalls[0]?.input, JSON.parse(PLAIN.toolArguments ?? ''))
      }
      const openai = openaiClient(address)
      const vectors = await openai.embeddings.create({
        model: 'o-normal',
        input: 'x',
        encoding_format: 'float',
      })
      assert.deepEqual(vectors.data[0]?.embedding, [0.25, -0.5])
      const embedding = createOpenAI({ apiKey: key, baseURL: `${tap.origin}/v1` }).embeddingModel('o-normal')
      assert.deepEqual((await embed({ model: embedding, value: 'x', maxRetries: 0 })).embedding, [0.25, -0.5])
      const messages = [{ role: 'user' as const, content: 'hi' }]
      const counted = await anthropicClient(address).messages.countTokens({ model: 'a-normal', messages })
      assert.equal(counted.input_tokens, TOKENS_IN)
    })

    await t.test('every client streams from the echo', async () => {
      for (const client of STREAM_CLIENTS) {
        const { text, tokensOut } = await client.gather({
          ...to(client.api, 'normal'),
          model: 'echo',
          prompt: `my ${TOKEN} and ünder`,
        })
        assert.equal(text, `echo: my ${MARK} and ünder`, client.name)
        assert.ok(tokensOut > 0, client.name)
      }
    })

    await t.test('each client learns that a stream is cut, and why says it', async () => {
      upstream.says = { text: `half of it and more ${'.'.repeat(200)}` }
      for (const [way, code] of CUTS) {
        const since = upstream.received.length
        const clients = way === 'huge' ? PLAIN_CLIENTS : STREAM_CLIENTS
        await forEach(clients, async (client) => {
          const failed = await client.gather(to(client.api, way)).then(
            (all) => `an answer: ${JSON.stringify(all).slice(0, 200)}`,
            () => 'failed',
          )
          assert.equal(failed, 'failed', `${client.name}, ${way}`)
        })
        assert.equal(upstream.received.length, since + clients.length, 'no silent retry')
        const told = tap.take().match(/"code":"[a-z]+\.[a-z_]+"/g) ?? []
        assert.ok(told.length >= clients.length, way)
        assert.deepEqual(new Set(told), new Set([`"code":"${code}"`]), way)
      }
      const raw = await post(story, { api: 'chat', model: 'o-cut' })
      const id = raw.headers.get('x-request-id') ?? ''
      assert.match(await raw.text(), new RegExp(`"entry":"${id}"`))
      const why = JSON.stringify(await story.json('why', id))
      assert.match(why, /upstream\.failed/)
      assert.match(why, /inspect_response/)
      assert.ok(!why.includes('half of it'))
    })

    await t.test('a caller that leaves ends the call upstream at once', async () => {
      for (const client of STREAM_CLIENTS) {
        const abort = new AbortController()
        let leftAt = 0
        const hangUp = upstream.nextHangUp().then(() => performance.now())
        const onFirst = (): void => {
          if (leftAt > 0) return
          leftAt = performance.now()
          abort.abort()
        }
        const address = { ...to(client.api, 'endless'), signal: abort.signal, onFirst }
        await client.gather(address).catch(() => undefined)
        const took = (await hangUp) - leftAt
        assert.ok(leftAt > 0 && took < 2_000, `${client.name}: ${took} ms`)
      }
    })

    await t.test('a reader that does not read slows the upstream, and fills nothing', async () => {
      for (const api of ['chat', 'responses', 'messages'] as const) {
        const since = upstream.sent()
        const { hostname, port } = new URL(story.door().door)
        const connection = await RawConnection.open({ host: hostname, port: Number(port) })
        connection.socket.pause()
        connection.write(headOf(story, { api, model: modelOf(api, 'endless') }))
        let before = since
        do {
          before = upstream.sent()
          await new Promise((resolve) => setTimeout(resolve, 150))
        } while (upstream.sent() !== before || before === since)
        assert.ok(upstream.sent() - since < 40_000_000, `${api}: ${upstream.sent() - since} bytes`)
        const hangUp = upstream.nextHangUp()
        connection.destroy()
        await hangUp
      }
    })

    await t.test('callers that leave at any moment', async () => {
      const ways = ['slow', 'endless', 'headless', 'normal', 'bytes'] as const
      const leave = async (at: number): Promise<void> => {
        const api = (['chat', 'responses', 'messages'] as const)[at % 3] ?? 'chat'
        const way = ways[at % ways.length] ?? 'normal'
        const response = await post(story, { api, model: modelOf(api, way) }, AbortSignal.timeout(1 + at))
        for await (const _ of response.body ?? []);
      }
      await Promise.allSettled(Array.from({ length: 60 }, async (_, at) => leave(at)))
      while (upstream.open() > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    })

    await t.test('each intent has its outcome, with the usage and what was found', async () => {
      await story.door().stop()
      const leaves = (await readAll(NODE_FILES, {}, path.join(story.home, 'ledger'))).map(({ leaf }) => leaf)
      const of = (kind: string): readonly JsonObject[] => leaves.filter((leaf) => leaf['kind'] === kind)
      const intents = of('intent').filter(({ action }) => action === 'model:infer')
      const outcomes = new Map(of('outcome').map((leaf) => [leaf['id'], leaf]))
      assert.equal(new Set(of('outcome').map(({ id }) => id)).size, of('outcome').length, 'one for each')
      assert.ok(intents.length > 150, `${intents.length} intents`)
      const counts = new Map<unknown, number>()
      for (const { id } of intents) {
        const outcome = outcomes.get(id)
        assert.ok(outcome !== undefined, `no outcome of ${JSON.stringify(id)}`)
        const code = outcome['code'] ?? outcome['status']
        counts.set(code, (counts.get(code) ?? 0) + 1)
      }
      const said = of('outcome').filter(
        (leaf) => leaf['tokens_in'] === TOKENS_IN && leaf['tokens_out'] === TOKENS_OUT,
      )
      assert.ok(said.length >= 100, `${said.length} with usage`)
      assert.ok(
        of('outcome').filter((leaf) => JSON.stringify(leaf['findings'] ?? '').includes(RULE)).length >= 40,
      )
      t.diagnostic(JSON.stringify(Object.fromEntries(counts)))
      assert.ok((counts.get('input.aborted') ?? 0) >= STREAM_CLIENTS.length + 3)
      assert.ok(!JSON.stringify(leaves).includes(TOKEN.slice(0, 12)))
    })
  })
})

test('a stream in which something is to block ends in the way of its format', async () => {
  await streamJourney('inspection: { credentials: { request: pass, response: block } }', async (story) => {
    const { upstream, tap, secret: key, modelOf } = story
    let last = ''
    for (const { what, script } of planted().filter(({ script }) => script.pieceLength !== 1_000)) {
      upstream.says = script
      const clients = clientsFor(script)
      await forEach(clients, async (client) => {
        const model = modelOf(client.api, 'normal')
        await assert.rejects(client.gather({ origin: tap.origin, key, model }), `${client.name}: ${what}`)
      })
      const wire = tap.take()
      assertNothingOf(wire, what)
      assert.ok((wire.match(/"code":"content\.blocked"/g) ?? []).length >= clients.length, what)
      assert.doesNotMatch(wire, /\[DONE\]|message_stop|response\.completed/)
      last = /"entry":"([\w-]+)"/.exec(wire)?.[1] ?? ''
    }
    const why = JSON.stringify(await story.json('why', last))
    assert.match(why, /content\.blocked/)
    assert.match(why, /credential\.github/)
  })
})

function clientsFor({ refusal }: Script): readonly StreamClient[] {
  return STREAM_CLIENTS.filter(({ lacks }) => refusal === undefined || !lacks.includes('refusal'))
}

const CUTS: readonly (readonly [way: WayName, code: string])[] = [
  ['cut', 'upstream.failed'],
  ['early', 'upstream.failed'],
  ['error', 'upstream.failed'],
  ['malformed', 'upstream.invalid'],
  ['silent', 'upstream.slow'],
  ['headless', 'upstream.slow'],
  ['huge', 'upstream.oversized'],
  ['rejecting', 'upstream.rejected'],
  ['whole', 'upstream.invalid'],
]

/** A secret in each channel, in pieces of several lengths, and what is to be left of the answer. */
function planted(): readonly { readonly what: string; readonly script: Script; readonly clean: Script }[] {
  const escaped = Array.from(TOKEN, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join('')
  const inJson = (text: string): string => JSON.stringify({ command: `export T=${text} done` })
  const twice = JSON.stringify({ command: `run '${inJson(TOKEN)}' now` })
  const cases: readonly (readonly [what: string, make: (text: string) => Script, text: string])[] = [
    ['text', (text) => ({ text: `use ${text}, ok?` }), TOKEN],
    ['reasoning', (reasoning) => ({ text: 'fine', reasoning: `use ${reasoning}, ok?` }), TOKEN],
    ['refusal', (refusal) => ({ refusal: `not ${refusal}, sorry` }), TOKEN],
    ['tool arguments', (text) => ({ toolArguments: inJson(text) }), TOKEN],
    ['tool arguments, escaped', (text) => ({ toolArguments: inJson('#').replace('#', () => text) }), escaped],
  ]
  return [
    ...[2, 1_000].flatMap((pieceLength) =>
      cases.map(([what, make, text]) => ({
        what: `${what} in pieces of ${pieceLength}`,
        script: { ...make(text), pieceLength },
        clean: make(MARK),
      })),
    ),
    {
      what: 'JSON in the JSON of tool arguments',
      script: { toolArguments: twice, pieceLength: 2 },
      clean: { toolArguments: twice.replace(TOKEN, MARK) },
    },
  ]
}

/** Not even in parts: no six characters of the random part are there. */
function assertNothingOf(wire: string, what: string): void {
  for (let at = 4; at + 6 <= TOKEN.length; at += 1)
    assert.ok(!wire.includes(TOKEN.slice(at, at + 6)), `${what}: ${wire.slice(-2_000)}`)
}

interface Asked {
  readonly api: SpokenApi
  readonly model: string
}

const PATHS: Readonly<Record<SpokenApi, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
}

function bodyOf({ api, model }: Asked): string {
  const messages = [{ role: 'user', content: 'hi' }]
  const asked =
    api === 'responses' ? { input: 'hi' } : api === 'chat' ? { messages } : { messages, max_tokens: 9 }
  return JSON.stringify({ model, stream: true, ...asked })
}

async function post({ door, secret }: Story, asked: Asked, signal?: AbortSignal): Promise<Response> {
  return fetch(`${door().door}${PATHS[asked.api]}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: bodyOf(asked),
    ...(signal === undefined ? {} : { signal }),
  })
}

function headOf({ secret }: Story, asked: Asked): string {
  const body = bodyOf(asked)
  return `POST ${PATHS[asked.api]} HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
