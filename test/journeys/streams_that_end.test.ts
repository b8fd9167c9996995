import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { SpokenApi } from '../fakes/streamed_answers.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, type Journey } from '../support/journey.ts'

/** So long a stream may go on after what allowed it has ended. */
const MOST_MS = 5_000
const CONFIG = 'models:\n  echo: { provider: echo, piece_ms: 40, piece_characters: 1 }\n'
/** Said back in 40 seconds. */
const PROMPT = 'a word and '.repeat(90)

const BODIES: Readonly<Record<SpokenApi, readonly [at: string, body: object]>> = {
  chat: ['/v1/chat/completions', { messages: [{ role: 'user', content: PROMPT }] }],
  messages: ['/v1/messages', { messages: [{ role: 'user', content: PROMPT }], max_tokens: 9 }],
  responses: ['/v1/responses', { input: PROMPT }],
}

/** How each format says that the stream was cut; nothing may follow. */
const LAST: Readonly<Record<SpokenApi, RegExp>> = {
  chat: /\n\ndata: \{"error":\{"message":"[^"]+","type":"\w+","param":null,"code":"CODE","gatehouse":\{[^\n]+\}\}\}\n\n$/,
  messages:
    /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"\w+","message":"[^"]+","code":"CODE",[^\n]+\n\n$/,
  responses:
    /\n\nevent: response\.failed\ndata: \{"type":"response\.failed",[^\n]+"status":"failed","error":\{"code":"CODE",[^\n]+\n\n$/,
}

interface Running {
  readonly api: SpokenApi
  readonly id: string
  /** All that came, when it has ended. */
  readonly whole: Promise<string>
  readonly leave: () => void
}

/** A stream whose first text has come. */
async function begin({ door }: Journey, key: string, api: SpokenApi): Promise<Running> {
  const [at, body] = BODIES[api]
  const abort = new AbortController()
  const response = await fetch(`${door().door}${at}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'echo', stream: true, ...body }),
    signal: abort.signal,
  })
  assert.equal(response.status, 200)
  const begun = Promise.withResolvers<void>()
  const read = async (): Promise<string> => {
    let text = ''
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true })
      if (text.includes('delta')) begun.resolve()
    }
    return text
  }
  const whole = read()
  await begun.promise
  return { api, id: response.headers.get('x-request-id') ?? '', whole, leave: () => abort.abort() }
}

interface End {
  readonly name: string
  readonly code: string
  readonly reason: RegExp
  readonly end: (story: Journey, kid: string) => Promise<unknown>
}

const ENDS: readonly End[] = [
  {
    name: 'revoked',
    code: 'caller.unknown',
    reason: /key\.revoked/,
    end: async ({ json }, kid) => json('key', 'revoke', kid),
  },
  {
    name: 'disabled',
    code: 'caller.unknown',
    reason: /caller\.disabled/,
    end: async ({ json }) => json('caller', 'disable', 'disabled'),
  },
  {
    name: 'forbidden',
    code: 'action.denied',
    reason: /test\.no-models/,
    end: async ({ json, home }) => {
      const forbid =
        '@id("test.no-models") forbid (principal == Service::"forbidden", action, resource is Model);\n'
      await writeFile(path.join(home, 'policies/forbidden.cedar'), forbid)
      return json('policy', 'apply')
    },
  },
]

test('what allowed a stream ends: so does the stream, soon and in the way of its format, and nobody else', async () => {
  const home = await temporaryHome()
  await writeFile(path.join(home, 'gatehouse.yaml'), CONFIG)
  await journey(
    async (story) => {
      const { key: others } = await story.key('others')
      const untouched = await begin(story, others, 'chat')
      let isOver = false
      void untouched.whole.then(() => (isOver = true)).catch(() => undefined)
      const cut = async ({ name, code, reason, end }: End): Promise<void> => {
        const { key, kid } = await story.key(name)
        const running = await Promise.all(
          (Object.keys(BODIES) as SpokenApi[]).map(async (api) => begin(story, key, api)),
        )
        await end(story, kid)
        const began = performance.now()
        for (const { api, whole } of running) {
          const text = await whole
          assert.match(
            text,
            new RegExp(LAST[api].source.replace('CODE', code.replace('.', '\\.'))),
            `${name}, ${api}`,
          )
          assert.doesNotMatch(text, /\[DONE\]|message_stop|response\.completed/)
        }
        const took = performance.now() - began
        assert.ok(took < MOST_MS, `${name}: ${took} ms`)
        const told = JSON.stringify(await story.json('why', running[0]?.id ?? ''))
        assert.match(told, new RegExp(`"code":"${code}"`))
        assert.match(told, reason)
      }
      await Promise.all(ENDS.map(cut))
      assert.equal(isOver, false, 'that of another caller goes on')
      untouched.leave()
    },
    { home },
  )
})
