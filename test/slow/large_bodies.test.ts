import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { journey, type Journey } from '../support/journey.ts'
import { fillerOf } from '../support/planted_secrets.ts'

/** A little under the greatest body that the door takes. */
const BODY_BYTES = 10_000_000
/** Time for one whole request, generous: it takes a tenth to a half of that on two quiet cores. */
const MOST_MS = 5_000
/** Longest wait of a small request meanwhile, generous likewise: reading and hashing of such a body come to 100 ms each. */
const MOST_WAIT_MS = 1_500

/** A little under what one body may hold of members and elements. */
const MANY = LIMITS.jsonNodes - 100

const fill = fillerOf(20_261_122)
const json = (text: string): string => JSON.stringify(text).slice(1, -1)
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What one part of the content is, repeated to the full size. */
const CONTENTS: readonly (readonly [why: string, part: string])[] = [
  ['prose', 'Nothing hides here, and there is much of it. '],
  ['beginnings of keys', `${'sk-'.repeat(340)} `],
  [
    'beginnings of keys that look random',
    `${Array.from({ length: 150 }, (_, at) => fill(at % 8 === 0 ? 'ghs_dummy' : 'ghs_{base62:2}')).join('')} `,
  ],
  ['escapes', json('\\n')],
  ['escapes of letters', json(String.raw`\u0041`)],
  ['letters and what shows nothing', 'a\u200b'],
  ['one letter', 'A'],
  ['base 64 of bytes', fill('{base64:40000}')],
  ['base 64 of text', base64('it says sk- and ghp_ and so on. ')],
  ['beginnings of PEM', json(`-----BEGIN PRIVATE KEY-----\n${'AAAA\n'.repeat(800)}`)],
  ['Basic without a password', 'Basic YTpwYXNzd29yZA== '],
  ['URLs with passwords', 'a://b:c@'],
  ['URLs with the word for a password', 'https://user:pass@host/'],
  ['URLs with passwords, and an escape in each slice', `${'a://b:c@'.repeat(60_000)}%41 `],
  [
    'URLs with the word for a password, and an escape in each slice',
    `${'https://user:pass@host/'.repeat(20_800)}%41 `,
  ],
  ['secrets', `${Array.from({ length: 500 }, () => fill('sk-{base62:24}')).join(' ')} `],
]

test(`a body of ${String(BODY_BYTES)} bytes does not hold up others, whatever is in it`, async (context) => {
  await journey(async (story) => {
    const { key } = await story.key('demo', '--models', 'echo')
    await post(story, key, bodyOf('warm up', 1_000))
    const bodies = [
      ...CONTENTS.map(([why, part]) => [why, bodyOf(part, BODY_BYTES)] as const),
      ['many short strings', manyStrings((at) => `twenty letters-_${String(at)}`)] as const,
      ['one string many times', manyStrings(() => 'sk-'.repeat(7))] as const,
      ['as many members as may be', manyMembers()] as const,
    ]
    for (const [why, body] of bodies) {
      const { ms, status, waits } = await among(story, key, body)
      const longest = Math.max(...waits)
      context.diagnostic(
        `${why}: ${String(status)} in ${ms.toFixed(0)} ms; ${String(waits.length)} others, the longest wait ${longest.toFixed(0)} ms`,
      )
      assert.ok([200, 403, 422].includes(status), `${why}: ${String(status)}`)
      assert.ok(ms <= MOST_MS, `${why}: ${String(ms)} ms`)
      assert.ok(longest <= MOST_WAIT_MS, `${why}: another waited ${String(longest)} ms`)
    }
  })
})

function bodyOf(part: string, bytes: number): string {
  const repeated = part.repeat(Math.floor((bytes - 200) / Buffer.byteLength(part)))
  return `{"model":"echo","messages":[{"role":"user","content":"${repeated}"}]}`
}

function manyStrings(make: (at: number) => string): string {
  const strings = Array.from({ length: MANY }, (_, at) => make(at))
  return JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'x' }], metadata: { strings } })
}

function manyMembers(): string {
  const schema = Object.fromEntries(Array.from({ length: MANY }, (_, at) => [`member${String(at)}`, 1]))
  const format = { type: 'json_schema', json_schema: { name: 'x', schema } }
  return JSON.stringify({
    model: 'echo',
    messages: [{ role: 'user', content: 'x' }],
    response_format: format,
  })
}

/** Sends a body, and small requests one after the other until its answer is there. */
async function among(
  story: Journey,
  key: string,
  body: string,
): Promise<{ readonly ms: number; readonly status: number; readonly waits: readonly number[] }> {
  const waits: number[] = []
  const over = new AbortController()
  const others = (async () => {
    while (!over.signal.aborted) {
      const before = performance.now()
      const { status } = await post(story, key, bodyOf('hello', 300))
      assert.equal(status, 200)
      waits.push(performance.now() - before)
    }
  })()
  const started = performance.now()
  const { status } = await post(story, key, body).finally(() => over.abort())
  const ms = performance.now() - started
  await others
  return { ms, status, waits }
}

async function post(story: Journey, key: string, body: string): Promise<{ readonly status: number }> {
  const response = await fetch(`${story.door().door}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  })
  await response.arrayBuffer()
  return { status: response.status }
}
