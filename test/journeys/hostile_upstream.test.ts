import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { DISGUISES, KEY_ECHOES, startFakeUpstream, type FakeUpstream } from '../fakes/upstream.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, say, type Journey } from '../support/journey.ts'

const PROVIDER_KEY = ['sk', 'of/the', 'house', '4711'].join('-')

/** A story on a door whose models are all at one fake provider, by the names of its behaviours, with one key. */
async function upstreamJourney(
  models: readonly string[],
  tell: (story: Journey, upstream: FakeUpstream) => Promise<void>,
): Promise<void> {
  const upstream = await startFakeUpstream()
  const home = await temporaryHome()
  const lines = models.map(
    (name) =>
      `  ${name}: { provider: openai, base_url: "${upstream.origin}/v1", model: ${name}, key: { from_env: HOUSE_KEY } }\n`,
  )
  await writeFile(path.join(home, 'gatehouse.yaml'), `models:\n  echo: { provider: echo }\n${lines.join('')}`)
  try {
    await journey((story) => tell(story, upstream), { home, env: { HOUSE_KEY: PROVIDER_KEY } })
  } finally {
    await upstream.close()
  }
}

async function post(story: Journey, key: string, body: string): Promise<Response> {
  return fetch(`${story.door().door}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  })
}

const chat = (extra: string, message = '') =>
  `{"model":"allowed","messages":[{"role":"user","content":"hi"${message}}]${extra}}`

const SECOND_MEANINGS: readonly (readonly [why: string, body: string])[] = [
  ['the model in upper case', chat(',"MODEL":"forbidden"')],
  ['the model in upper case, first', `{"MODEL":"forbidden",${chat('').slice(1)}`],
  ['the model in full width', chat(',"\uff4dodel":"forbidden"')],
  ['the messages with a long s', chat(',"me\u017f\u017fages":[{"role":"user","content":"not inspected"}]')],
  ['the messages with an escaped long s', chat(',"me\\u017f\\u017fages":[]')],
  ['the stream in another case', chat(',"Stream":true')],
  ['the tokens with a Kelvin sign', chat(',"max_to\u212aens":1000000000')],
  ['the content of a message', chat('', ',"Content":"other"')],
  ['the role of a message', chat('', ',"ROLE":"system"')],
  ['twins that are not known', chat(',"top_k":1,"Top_K":2')],
  ['another list of models', chat(',"Models":["forbidden"]')],
  ['another address', chat(',"apiBase":"http://elsewhere.example"')],
  ['other data', chat(',"dataSources":[]')],
  ['a configuration of the router', chat(',"user_config":{"model_list":[]}')],
]

test('a provider that reads names in any case gets no request that means something else to it', async () => {
  await upstreamJourney(['allowed', 'forbidden'], async (story, upstream) => {
    const { key } = await story.key('demo', '--models', 'allowed')
    for (const [why, body] of SECOND_MEANINGS) {
      const response = await post(story, key, body)
      const { error } = (await response.json()) as { error: { code: string } }
      assert.deepEqual([response.status, error.code], [400, 'input.invalid'], why)
    }
    assert.deepEqual(upstream.received, [])
    await say(story.client(key), 'hi', 'allowed')
    assert.equal(upstream.received.length, 1)
    const parameters = { type: 'object', properties: { a: {}, A: {}, Model: {} } }
    const tools = JSON.stringify([{ type: 'function', function: { name: 'f', parameters } }])
    assert.equal((await post(story, key, chat(`,"tools":${tools},"top_k":5`))).status, 200)
  })
})

test('a provider that sends its key back in disguise reaches neither the caller nor the record', async () => {
  await upstreamJourney(KEY_ECHOES, async (story) => {
    const { key } = await story.key('demo', '--models', KEY_ECHOES.join(','))
    const forms = [PROVIDER_KEY, ...Object.values(DISGUISES).map((disguise) => disguise(PROVIDER_KEY))]
    const seen: string[] = []
    const rejected: string[] = []
    for (const model of KEY_ECHOES) {
      const response = await post(story, key, chat('').replace('allowed', model))
      const text = await response.text()
      const { error } = JSON.parse(text) as { error?: { code: string } }
      const isError = model.startsWith('disguised_error')
      assert.equal(error?.code, isError ? 'upstream.rejected' : 'upstream.invalid', model)
      if (isError) rejected.push(response.headers.get('x-request-id') ?? '')
      seen.push(text, JSON.stringify([...response.headers]))
    }
    // Each command is a process of its own; what is recorded of each answer is tested beside the route.
    for (const args of [
      ['ledger', 'show', '--json'],
      ...rejected.slice(0, 2).map((id) => ['why', id, '--json']),
    ]) {
      const { stdout } = await story.cli(...args)
      assert.match(stdout, /upstream\.rejected/)
      assert.doesNotMatch(stdout, /Wrong use of/)
      seen.push(stdout)
    }
    await story.door().stop()
    seen.push(story.door().printed())
    for (const form of forms) for (const text of seen) assert.ok(!text.includes(form), text.slice(0, 300))
  })
})

test('a small request makes no answer beyond the limit of the model', async () => {
  const home = await temporaryHome()
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    'models:\n  echo: { provider: echo, max_answer_bytes: 100000 }\n',
  )
  await journey(
    async (story) => {
      const { key } = await story.key('demo', '--models', 'echo')
      const body = (n: number) =>
        JSON.stringify({ model: 'echo', n, messages: [{ role: 'user', content: 'x'.repeat(20_000) }] })
      const refused = await post(story, key, body(16))
      assert.deepEqual(
        [refused.status, ((await refused.json()) as { error: { code: string } }).error.code],
        [502, 'upstream.oversized'],
      )
      assert.equal((await post(story, key, body(4))).status, 200)
      assert.equal((await post(story, key, body(17))).status, 400)
    },
    { home },
  )
})
