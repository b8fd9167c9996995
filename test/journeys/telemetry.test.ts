import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { startFakeUpstream, type FakeUpstream } from '../fakes/upstream.ts'
import { startOtlpReceiver } from '../fakes/otlp_receiver.ts'
import { plain, pointsOf, type ReceivedSpan } from '../fakes/otlp_shape.ts'
import { gatehouse, removeHome, startDoor, temporaryHome } from '../support/gatehouse_process.ts'
import { journey, type Journey } from '../support/journey.ts'
import { scrape, sumOf } from '../support/metrics_page.ts'
import { startOtlpProcess, type OtlpProcess } from '../support/otlp_process.ts'
import { fillerOf, plantedSecrets } from '../support/planted_secrets.ts'
import { makePairs, NO_CERTIFICATES } from '../support/tls_pair.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const PARENT = `00-${TRACE}-${SPAN}-01`
const fill = fillerOf(20_270_420)
const PROVIDER_KEY = ['provider', 'key', '9173', 'of', 'the', 'house'].join('-')
const RECEIVER_KEY = ['Bearer', ['receiver', 'token', '5521'].join('-')].join(' ')

interface Story extends Journey {
  readonly upstream: FakeUpstream
  readonly receiver: OtlpProcess
}

/** A door with models of a fake provider that exports to a receiver; `telemetry` has `RECEIVER` where its origin belongs. */
async function telemetryJourney(telemetry: string, tell: (story: Story) => Promise<void>): Promise<void> {
  const upstream = await startFakeUpstream()
  const receiver = await startOtlpProcess()
  const home = await temporaryHome()
  const model = (name: string): string =>
    `{ provider: openai, base_url: "${upstream.origin}/v1", model: ${name}, key: { from_env: CANARY_KEY } }`
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models:
  echo: { provider: echo }
  house: ${model('gpt-of-the-house')}
  failing: ${model('failing')}
  parrot: ${model('parrot')}
  rejecting: ${model('rejecting')}
  main: { provider: pool, members: [{ model: failing }, { model: house }] }
telemetry: ${telemetry.replace('RECEIVER', receiver.origin)}
`,
  )
  const env = { CANARY_KEY: PROVIDER_KEY, OTLP_AUTHORIZATION: RECEIVER_KEY }
  try {
    await journey((story) => tell({ ...story, upstream, receiver }), { home, env })
  } finally {
    await receiver.stop()
    await upstream.close()
  }
}

const EXPORTING =
  '{ otlp: { endpoint: "RECEIVER", headers: { authorization: { from_env: OTLP_AUTHORIZATION } }, interval_ms: 1000 } }'

interface Sent {
  readonly status: number
  readonly id: string
  readonly text: string
}

async function chat(
  { door }: Journey,
  key: string,
  model: string,
  more: { readonly headers?: Record<string, string>; readonly content?: string; readonly body?: object } = {},
): Promise<Sent> {
  const response = await fetch(`${door().door}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more.headers },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: more.content ?? 'hello' }],
      ...more.body,
    }),
  })
  return {
    status: response.status,
    id: response.headers.get('x-request-id') ?? '',
    text: await response.text(),
  }
}

const attributes = (span: ReceivedSpan | undefined): Readonly<Record<string, unknown>> =>
  plain(span?.attributes ?? [])

function headerOf({ upstream }: Story, name: string): string | undefined {
  const value = upstream.received.at(-1)?.headers[name]
  return typeof value === 'string' ? value : undefined
}

test('a trace goes through the door: from the caller to the provider, the ledger, why and the receiver', async () => {
  await telemetryJourney(EXPORTING, async (story) => {
    const { key, cli, json, receiver } = story
    const demo = (await key('demo')).key
    const headers = { traceparent: PARENT, tracestate: 'vendor=opaque, other@system=1' }
    const sent = await chat(story, demo, 'house', { headers })
    assert.equal(sent.status, 200)
    const parent = headerOf(story, 'traceparent') ?? ''
    assert.match(parent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
    assert.notEqual(parent, PARENT)
    assert.equal(headerOf(story, 'tracestate'), 'vendor=opaque,other@system=1')
    const drawn = (await cli('why', sent.id)).stdout
    assert.match(drawn, new RegExp(`trace +${TRACE}`))
    const told = JSON.stringify(await json('why', sent.id))
    assert.ok(told.includes(`"trace":"${TRACE}"`))
    await story.door().stop()
    const spans = (await receiver.spans()).filter(({ traceId }) => traceId === TRACE)
    const server = spans.find(({ kind }) => kind === 2)
    const client = spans.find(({ kind }) => kind === 3)
    assert.equal(spans.length, 2)
    assert.deepEqual(
      [server?.parentSpanId, client?.parentSpanId, client?.spanId, server?.name, client?.name],
      [SPAN, server?.spanId, parent.split('-')[2], 'POST /v1/chat/completions', 'chat gpt-of-the-house'],
    )
    assert.deepEqual(
      [attributes(server)['gatehouse.entry'], attributes(server)['http.response.status_code']],
      [sent.id, '200'],
    )
    assert.deepEqual(
      [attributes(client)['gen_ai.usage.input_tokens'], attributes(client)['gen_ai.usage.output_tokens']],
      ['9', '4'],
    )
    assert.ok(
      (server?.events ?? [])
        .map(({ name }) => name)
        .join(' ')
        .startsWith('authenticate parse authorize'),
    )
    for (const { wrong, headers: sentHeaders } of await receiver.received()) {
      assert.deepEqual(wrong, [])
      assert.equal(sentHeaders.authorization, RECEIVER_KEY)
    }
  })
})

const HOSTILE: readonly (readonly [why: string, traceparent: string])[] = [
  ['upper case', PARENT.toUpperCase()],
  ['zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['more behind it', `${PARENT}-more`],
  ['a secret', fill('ghp_{base62:30}{checksum:30}')],
]

test('a trace that is not well-formed begins anew: nobody is refused, and what was sent goes nowhere', async () => {
  await telemetryJourney(EXPORTING, async (story) => {
    const demo = (await story.key('demo')).key
    for (const [why, traceparent] of HOSTILE) {
      const sent = await chat(story, demo, 'house', { headers: { traceparent, tracestate: 'vendor=opaque' } })
      assert.equal(sent.status, 200, why)
      const parent = headerOf(story, 'traceparent') ?? ''
      assert.match(parent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, why)
      assert.ok(!parent.includes(TRACE), why)
      assert.equal(headerOf(story, 'tracestate'), undefined, why)
    }
    // A secret in a tracestate that is well-formed is found, as it would be in a prompt.
    const secret = fill('ghp_{base62:30}{checksum:30}')
    await chat(story, demo, 'house', { headers: { traceparent: PARENT, tracestate: `vendor=${secret}` } })
    assert.match(headerOf(story, 'traceparent') ?? '', new RegExp(TRACE))
    assert.equal(headerOf(story, 'tracestate'), undefined)
  })
})

test('without an export a trace still goes through, and says that nobody sampled it; ignored, it goes nowhere', async () => {
  await telemetryJourney('{}', async (story) => {
    const demo = (await story.key('demo')).key
    await chat(story, demo, 'house', { headers: { traceparent: PARENT } })
    assert.match(headerOf(story, 'traceparent') ?? '', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
    await chat(story, demo, 'house')
    assert.equal(headerOf(story, 'traceparent'), undefined)
    assert.deepEqual(await story.receiver.received(), [])
  })
  await telemetryJourney('{ trace_callers: ignore }', async (story) => {
    const demo = (await story.key('demo')).key
    const sent = await chat(story, demo, 'house', { headers: { traceparent: PARENT } })
    assert.equal(headerOf(story, 'traceparent'), undefined)
    assert.ok(!(await story.cli('why', sent.id)).stdout.includes(TRACE))
  })
})

test('spans and metrics of all kinds of requests are as OTLP has them, and the numbers those of /metrics', async () => {
  await telemetryJourney(EXPORTING, async (story) => {
    const { key, receiver } = story
    const demo = (await key('demo')).key
    await chat(story, demo, 'main')
    await chat(story, demo, 'failing')
    await chat(story, demo, 'echo', { body: { stream: true } })
    await chat(story, 'nobody', 'echo')
    await chat(story, demo, 'no-such-model')
    const page = await scrape(story.door().metrics)
    await story.door().stop()
    const spans = await receiver.spans()
    const calls = spans.filter(({ kind }) => kind === 3)
    assert.deepEqual(
      calls.map((span) => [span.name, attributes(span)['error.type']]),
      [
        ['chat failing', 'upstream.failed'],
        ['chat gpt-of-the-house', undefined],
        ['chat failing', 'upstream.failed'],
      ],
    )
    const codes = spans.filter(({ kind }) => kind === 2).map((span) => attributes(span)['gatehouse.code'])
    for (const code of ['ok', 'upstream.failed', 'caller.unknown']) assert.ok(codes.includes(code), code)
    const pooled = spans.find((span) => attributes(span)['gen_ai.request.model'] === 'main')
    assert.equal(attributes(pooled)['gen_ai.response.model'], 'house')
    const metrics = await receiver.metrics()
    for (const name of [
      'gen_ai.client.token.usage',
      'gen_ai.client.operation.duration',
      'gen_ai.server.time_to_first_token',
    ]) {
      const [point] = pointsOf(metrics.get(name) ?? { name })
      assert.equal(plain(point?.attributes ?? [])['gen_ai.operation.name'], 'chat', name)
    }
    const exported = (name: string): number =>
      pointsOf(metrics.get(name) ?? { name }).reduce((sum, { asDouble = 0 }) => sum + asDouble, 0)
    for (const name of ['gatehouse_outcomes_total', 'gatehouse_refusals_total', 'gatehouse_tokens_total'])
      assert.equal(exported(name), sumOf(page, name), name)
    for (const { wrong } of await receiver.received()) assert.deepEqual(wrong, [])
  })
})

test('40 planted secrets in prompts, keys, answers, headers and names are nowhere in what is exported', async () => {
  await telemetryJourney(EXPORTING, async (story) => {
    const { key, receiver } = story
    const demo = (await key('canary-caller-name')).key
    const planted = plantedSecrets(20_270_421)
    assert.ok(planted.length >= 40)
    for (const [at, { text, secret }] of planted.entries()) {
      const oneLine = secret.replaceAll('\n', '')
      const model = ['parrot', 'rejecting', 'echo', 'house'][at % 4] ?? 'echo'
      await chat(story, demo, model, { content: text, body: { user: secret, metadata: { [oneLine]: text } } })
      await chat(story, demo, secret, { content: text })
      await chat(story, oneLine, 'echo', { content: text })
      await chat(story, demo, model, {
        headers: {
          traceparent: PARENT,
          tracestate: `v=${oneLine.slice(0, 200)}`,
          'user-agent': oneLine,
          cookie: oneLine,
        },
      })
      await fetch(
        `${story.door().door}/v1/why/${encodeURIComponent(oneLine)}?x=${encodeURIComponent(oneLine)}`,
        {
          headers: { authorization: `Bearer ${demo}` },
        },
      )
    }
    await story.door().stop()
    const exports = await receiver.received()
    const everything = exports.map(({ path: at, body }) => at + body).join('\n')
    assert.ok((await receiver.spans()).length >= 200)
    for (const { wrong } of exports) assert.deepEqual(wrong, [])
    const own = [demo, PROVIDER_KEY, RECEIVER_KEY, 'canary-caller-name', '127.0.0.1/8']
    for (const { secret } of planted) {
      const core = secret.split('\n').sort((left, right) => right.length - left.length)[0] ?? secret
      for (const form of [core, JSON.stringify(core).slice(1, -1), encodeURIComponent(core)])
        assert.ok(!everything.includes(form), `a planted secret was exported: ${form.slice(0, 8)}…`)
    }
    for (const secret of own) assert.ok(!everything.includes(secret), secret)
  })
})

for (const behaviour of ['silent', 'unavailable', 'lies_endlessly', 'hangs_up'] as const)
  test(`a receiver that is no good harms nobody: ${behaviour}`, async () => {
    await telemetryJourney(EXPORTING, async (story) => {
      const { key, receiver, door } = story
      const demo = (await key('demo')).key
      await receiver.does(behaviour)
      const statuses = await Promise.all(
        Array.from({ length: 200 }, async () => (await chat(story, demo, 'echo')).status),
      )
      assert.ok(statuses.every((status) => status === 200))
      const started = performance.now()
      assert.equal(await door().stop(), 0)
      const took = performance.now() - started
      assert.ok(took < 8_000, `stopping took ${took} ms`)
    })
  })

test(
  'an export over TLS goes to the receiver whose certificate comes from the roots, and to no other',
  { skip: NO_CERTIFICATES },
  async (t) => {
    const file = makePairs(t, ['localhost', 'other'])
    const receiver = await startOtlpReceiver(0, { cert: file('localhost.cert'), key: file('localhost.key') })
    const home = await temporaryHome()
    const sendOne = async (roots: string): Promise<void> => {
      await writeFile(path.join(home, 'roots.pem'), file(roots))
      await writeFile(
        path.join(home, 'gatehouse.yaml'),
        `models: { echo: { provider: echo } }
telemetry: { otlp: { endpoint: "${receiver.origin}", roots: roots.pem } }
`,
      )
      const door = await startDoor(home)
      await door.stop()
    }
    try {
      await sendOne('other.cert')
      assert.equal(receiver.received.length, 0)
      await sendOne('localhost.cert')
      assert.deepEqual(
        receiver.received.map(({ path: at, wrong }) => [at, wrong]),
        [['/v1/metrics', []]],
      )
    } finally {
      await receiver.close()
      await removeHome(home)
    }
  },
)

test('a door does not start with a header of the export that is not there: a receiver without its key is no receiver', async () => {
  const home = await temporaryHome()
  const config = path.join(home, 'gatehouse.yaml')
  await writeFile(config, `telemetry: ${EXPORTING.replace('RECEIVER', 'https://otel.example')}\n`)
  const { status, stdout, stderr } = await gatehouse(['up', '--home', home, '--json'])
  assert.equal(status, 78)
  assert.match(stdout + stderr, /telemetry\.otlp\.headers\.authorization refers to/)
  await removeHome(home)
})
