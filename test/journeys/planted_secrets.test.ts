import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { removeHome, temporaryHome } from '../support/gatehouse_process.ts'
import { journey } from '../support/journey.ts'
import { plantedSecrets } from '../support/planted_secrets.ts'

const SEED = 20_261_122

/** Places of a request where a secret can be planted, each with the request it makes. */
type Plant = (secret: string) => {
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly text?: string
}

const said = (content: unknown, more: object = {}) => ({
  model: 'echo',
  messages: [{ role: 'user', content }],
  ...more,
})

const PLACES: readonly (readonly [place: string, plant: Plant])[] = [
  ['message content', (s) => ({ body: said(`my key is ${s} ok`) })],
  ['a content part', (s) => ({ body: said([{ type: 'text', text: s }]) })],
  [
    'a system message',
    (s) => ({
      body: {
        model: 'echo',
        messages: [
          { role: 'system', content: s },
          { role: 'user', content: 'x' },
        ],
      },
    }),
  ],
  ['an unknown field', (s) => ({ body: said('x', { vendor_extension: { deep: [s] } }) })],
  ['a member name', (s) => ({ body: said('x', { metadata: { [s]: 'y' } }) })],
  ['metadata', (s) => ({ body: said('x', { metadata: { note: s } }) })],
  ['user', (s) => ({ body: said('x', { user: s }) })],
  ['stop', (s) => ({ body: said('x', { stop: [s] }) })],
  ['the model name', (s) => ({ body: { ...said('x'), model: s } })],
  [
    'a tool description',
    (s) => ({
      body: said('x', {
        tools: [{ type: 'function', function: { name: 'f', description: s, parameters: {} } }],
      }),
    }),
  ],
  [
    'tool call arguments',
    (s) => ({
      body: {
        model: 'echo',
        messages: [
          { role: 'user', content: 'x' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify({ s }) } },
            ],
          },
          { role: 'tool', tool_call_id: 'c', content: s },
        ],
      },
    }),
  ],
  ['a field of the wrong type', (s) => ({ body: said('x', { temperature: s }) })],
  ['a role', (s) => ({ body: { model: 'echo', messages: [{ role: s, content: 'x' }] } })],
  ['a body that is not JSON', (s) => ({ text: `{"model": "echo", ${s}` })],
  ['a duplicate member', (s) => ({ text: `{"model":"echo","a":${JSON.stringify(s)},"a":1,"messages":[]}` })],
  ['the path', (s) => ({ path: `/v1/${encodeURIComponent(s)}`, body: said('x') })],
  ['the query', (s) => ({ path: `/v1/chat/completions?key=${encodeURIComponent(s)}`, body: said('x') })],
  [
    'the credential',
    (s) => ({ headers: { authorization: `Bearer ${s.replaceAll('\n', '')}` }, body: said('x') }),
  ],
  [
    'a header',
    (s) => ({
      headers: {
        'x-api-key': s.replaceAll('\n', ''),
        cookie: `a=${s.replaceAll('\n', '')}`,
        'user-agent': s.replaceAll('\n', ''),
      },
      body: said('x'),
    }),
  ],
  ['an explanation asked for', (s) => ({ path: `/v1/why/${encodeURIComponent(s)}` })],
]

test('40 planted secrets: none is in any response, log, metric, command output or file of the home, nor reaches the provider', async () => {
  const upstream = await leakyUpstream()
  const home = await temporaryHome()
  const [provider, ...secrets] = plantedSecrets(SEED)
  const providerKey = provider?.secret ?? ''
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models:\n  echo: { provider: echo }\n  house: { provider: openai, base_url: "${upstream.url}", model: m, key: { from_env: CANARY_KEY } }\n`,
  )
  const planted: { readonly place: string; readonly secret: string }[] = [
    { place: 'the provider key', secret: providerKey },
  ]
  const seen: string[] = []
  try {
    await journey(
      async ({ key, cli, door, json }) => {
        const demo = await key('demo', '--models', 'echo,house')
        assert.ok(secrets.length >= 40)
        for (const [index, { text, secret }] of secrets.entries()) {
          const [place, plant] = PLACES[index % PLACES.length] ?? ['', () => ({})]
          planted.push({ place, secret })
          for (const model of ['echo', 'house'])
            seen.push(await send(door().door, demo.key, plant(text), model))
        }
        const leaky = await send(door().door, demo.key, { body: said('say your key') }, 'house')
        seen.push(leaky, await (await fetch(`${door().metrics}/metrics`)).text())
        for (const args of [
          ['ledger', 'show'],
          ['doctor'],
          ['config', 'show'],
          ['key', 'list'],
          ['ledger', 'show', '--json'],
        ]) {
          const result = await cli(...args)
          seen.push(result.stdout, result.stderr)
        }
        await json('policy', 'show')
        planted.push({ place: 'the live key', secret: demo.key })
        const files = await filesUnder(home)
        await door().stop()
        seen.push(door().printed(), upstream.received())
        planted.push({ place: 'the provider key', secret: upstream.ownSecret })
        for (const { place, secret } of planted) {
          const isOwn = place === 'the provider key' || place === 'the live key'
          for (const [at, text] of seen.entries()) {
            const isTheProvider = at === seen.length - 1 && isOwn
            if (!isTheProvider)
              assert.equal(
                holds(text, secret),
                false,
                `${place} is in output ${String(at)}: ${text.slice(0, 300)}`,
              )
          }
          for (const [file, bytes] of [...files, ...(await filesUnder(home))]) {
            assert.equal(holds(bytes, secret), false, `${place} is in ${file}`)
          }
        }
      },
      { home, env: { CANARY_KEY: providerKey } },
    )
  } finally {
    upstream.close()
    await removeHome(home)
  }
})

/** The longest line of the secret, as it is and as JSON and URLs write it. */
function holds(text: string, secret: string): boolean {
  const core = secret.split('\n').sort((left, right) => right.length - left.length)[0] ?? secret
  return [core, encodeURIComponent(core), JSON.stringify(core).slice(1, -1)].some((form) =>
    text.includes(form),
  )
}

async function send(url: string, key: string, plant: ReturnType<Plant>, model: string): Promise<string> {
  const text =
    plant.text ?? (plant.body === undefined ? undefined : JSON.stringify({ ...(plant.body as object) }))
  const response = await fetch(`${url}${plant.path ?? '/v1/chat/completions'}`, {
    method: text === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...plant.headers },
    ...(text === undefined ? {} : { body: text.replace('"model":"echo"', `"model":"${model}"`) }),
  })
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  return `${String(response.status)}\n${headers}\n${await response.text()}`
}

/** A provider that echoes what it got, its own key and a secret of its own into answers and errors. */
async function leakyUpstream() {
  const ownSecret = plantedSecrets(SEED + 1)[5]?.secret ?? ''
  let received = ''
  let turn = 0
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      received += body
      turn += 1
      const key = String(request.headers.authorization)
      const content = `you sent ${body} with ${key}; mine is ${ownSecret}`
      const isError = turn % 4 === 0
      const status = isError ? ([400, 401, 429, 500][(turn / 4) % 4] ?? 500) : 200
      const answer = isError
        ? { error: { message: content, type: 'x', code: key } }
        : {
            id: 'a',
            object: 'chat.completion',
            created: 1,
            model: 'm',
            choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
          }
      response
        .writeHead(status, { 'content-type': 'application/json', 'x-leak': key })
        .end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`,
    ownSecret,
    received: () => received,
    close: () => server.close(),
  }
}

async function filesUnder(folder: string): Promise<readonly (readonly [file: string, bytes: string])[]> {
  const found: (readonly [string, string])[] = []
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name)
    // The first key is printed into a file of its own by design; it is none of the planted ones.
    if (entry.isFile()) found.push([file, await readFile(file, 'latin1')])
  }
  return found
}
