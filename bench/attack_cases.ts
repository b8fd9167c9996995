import { askedForForbidden, called, contentIn, saidKey, saidToken, stillOpen, TOKEN } from './attack_harms.ts'
import { endless, json, script, type AttackProvider, type Says } from './attack_provider.ts'
import { chat, type Asked, type Seen } from './attack_stage.ts'
import { UPSTREAM_KEY } from './contestants.ts'

/** One known defect as a request. What is a harm is told from what came over the wire, the same for every gateway. */
export interface Attack {
  readonly name: string
  readonly asked: Asked
  readonly says: Says
  /** What went wrong; undefined for nothing. */
  readonly harm: (seen: Seen) => string | undefined
  /** Waits for seconds. */
  readonly isSlow?: true
}

const MIB = 1 << 20
/** What an answer may be that a gateway holds in memory. */
const ANSWER_MIB = 64
/** Time that both gateways give a provider. */
export const PROVIDER_MS = 2_000

const HELLO = script({ text: 'hello' })
const SAID = `so ${TOKEN} ok ${'and more '.repeat(20)}`
const TOOL_ARGUMENTS = JSON.stringify({ command: `T=${TOKEN} x` })
const STREAM: Asked = { body: chat({ stream: true }), isGuarded: true }
const MESSAGE: Asked = {
  target: '/v1/messages',
  api: 'anthropic',
  body: { model: 'house_claude', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }], stream: true },
  isGuarded: true,
}
const RESPONSE: Asked = {
  target: '/v1/responses',
  body: { model: 'house', input: 'hi', stream: true },
  isGuarded: true,
}

/** Where requests are sent, and who sends them. */
const ROUTING: readonly Attack[] = [
  {
    name: 'Portkey #1718: a host of the caller in a header',
    asked: { headers: { 'x-portkey-custom-host': 'http://CANARY/v1' } },
    says: HELLO,
    harm: called,
  },
  {
    name: 'Portkey #1718: the same, on the deprecated proxy route',
    asked: { target: '/v1/proxy/chat/completions', headers: { 'x-portkey-custom-host': 'http://CANARY/v1' } },
    says: HELLO,
    harm: called,
  },
  {
    name: 'the same, in a configuration that the caller brings',
    asked: {
      headers: {
        'x-portkey-config': JSON.stringify({
          provider: 'openai',
          api_key: UPSTREAM_KEY,
          custom_host: 'http://CANARY/v1',
        }),
      },
    },
    says: HELLO,
    harm: called,
  },
  {
    name: 'Portkey #1596: the name of a resource becomes the host',
    asked: {
      headers: {
        'x-portkey-provider': 'azure-openai',
        'x-portkey-custom-host': undefined,
        'x-portkey-azure-resource-name': 'CANARY#',
        'x-portkey-azure-deployment-id': 'house',
        'x-portkey-azure-api-version': '2024-06-01',
      },
    },
    says: HELLO,
    harm: called,
  },
  {
    name: 'LiteLLM: api_base and base_url in the body',
    asked: { body: chat({ api_base: 'http://CANARY/v1', base_url: 'http://CANARY/v1' }) },
    says: HELLO,
    harm: called,
  },
  {
    name: 'a full address as the target',
    asked: { target: 'http://CANARY/v1/chat/completions' },
    says: HELLO,
    harm: called,
  },
  {
    name: 'LiteLLM CVE-2026-49468: a Host header with a path',
    asked: { host: 'x/#@127.0.0.1' },
    says: HELLO,
    harm: ({ received }) =>
      received.length > 0 ? 'a request with a broken Host reached the provider' : undefined,
  },
  {
    name: 'a provider that redirects to an inner host',
    asked: {},
    says: ({ response, canary }) =>
      void response.writeHead(307, { location: `http://${canary}/v1/chat/completions` }).end(),
    harm: called,
  },
  {
    name: 'LiteLLM #41810: the query names another model',
    asked: { target: '/v1/chat/completions?model=forbidden', isGuarded: true },
    says: HELLO,
    harm: askedForForbidden,
  },
  {
    name: 'a second model in the body',
    asked: {
      body: '{"model":"house","messages":[{"role":"user","content":"hi"}],"model":"forbidden"}',
      isGuarded: true,
    },
    says: HELLO,
    harm: askedForForbidden,
  },
  {
    name: 'Bifrost #2873: a path that no rule knows goes through to the provider',
    asked: { target: '/v1/anything/else', body: chat(), isGuarded: true },
    says: json({ text: SAID }),
    harm: (seen) => saidToken(seen) ?? (seen.received.length > 0 ? 'the provider was called' : undefined),
  },
  {
    name: 'a caller without any credential',
    asked: { headers: { authorization: undefined } },
    says: HELLO,
    harm: ({ received }) => (received.length > 0 ? 'a stranger reached the provider' : undefined),
  },
]

/** What one side gets to see of the other. */
const LEAKS: readonly Attack[] = [
  {
    name: 'a provider that repeats its key in an error',
    asked: {},
    says: ({ headers, response }) =>
      void response.writeHead(401, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          error: { message: `Incorrect API key: ${headers.authorization}`, type: 'invalid' },
        }),
      ),
    harm: saidKey,
  },
  {
    name: 'Bifrost #3954: headers of the provider, with its key',
    asked: {},
    says: ({ response }) =>
      void response
        .writeHead(200, {
          'content-type': 'application/json',
          'x-goog-api-key': UPSTREAM_KEY,
          'set-cookie': 'provider=1',
        })
        .end(JSON.stringify({ object: 'chat.completion', choices: [] })),
    harm: (seen) =>
      saidKey(seen) ?? (/set-cookie: provider/i.test(seen.head) ? 'its cookie is in the answer' : undefined),
  },
  {
    name: 'LiteLLM #18731: a refusal repeats the key it refuses',
    asked: { headers: { authorization: `Bearer not-${UPSTREAM_KEY}`, 'x-portkey-provider': 'nobody' } },
    says: HELLO,
    harm: ({ head, body }) =>
      (head + body).includes(`not-${UPSTREAM_KEY}`) ? 'the key of the caller is in the answer' : undefined,
  },
  {
    name: 'caipe #1929: cookies of the caller reach the provider',
    asked: { headers: { cookie: 'session=of-the-caller' } },
    says: HELLO,
    harm: ({ received }) =>
      received.some(({ headers }) => headers.cookie !== undefined)
        ? 'the provider got the cookie'
        : undefined,
  },
]

/** A rule says that the token is not to get out. */
const GUARDED: readonly Attack[] = [
  {
    name: 'AISIX #153: a denied answer, whole',
    asked: { body: chat(), isGuarded: true },
    says: script({ text: SAID }),
    harm: saidToken,
  },
  {
    name: 'Portkey, Cloudflare: a denied answer, streamed',
    asked: STREAM,
    says: script({ text: SAID, pieceLength: 400 }),
    harm: saidToken,
  },
  {
    name: 'LiteLLM #41611: a token in two chunks',
    asked: STREAM,
    says: script({ text: SAID, pieceLength: 22 }),
    harm: saidToken,
  },
  {
    name: 'Mastra #23783: a token in chunks of one character',
    asked: STREAM,
    says: script({ text: SAID, pieceLength: 1 }),
    harm: saidToken,
  },
  {
    name: 'a token in the arguments of a tool call, streamed',
    asked: STREAM,
    says: script({ toolArguments: TOOL_ARGUMENTS, pieceLength: 20 }),
    harm: saidToken,
  },
  {
    name: 'a token in reasoning, streamed',
    asked: STREAM,
    says: script({ text: 'ok', reasoning: SAID, pieceLength: 22 }),
    harm: saidToken,
  },
  {
    name: 'LiteLLM #35257: a token in messages, streamed',
    asked: MESSAGE,
    says: script({ text: SAID, pieceLength: 22 }),
    harm: saidToken,
  },
  {
    name: 'LiteLLM #15718: a token in responses, streamed',
    asked: RESPONSE,
    says: script({ text: SAID, pieceLength: 22 }),
    harm: saidToken,
  },
  {
    name: 'agentgateway #3603: a good stream with a guard comes whole',
    asked: STREAM,
    says: script({ text: 'a good day to you', pieceLength: 5 }),
    harm: ({ body }) =>
      contentIn(body) === 'a good day to you' && body.includes('[DONE]')
        ? undefined
        : 'the stream is not whole',
  },
]

/** Providers and callers that do not do their part. */
function stubborn(provider: AttackProvider): readonly Attack[] {
  return [
    {
      name: 'the caller hangs up in mid-stream: the call to the provider ends',
      asked: { ...STREAM, isGuarded: false, afterwards: 'hang up' },
      says: endless(provider, 20),
      harm: ({ leftMs }) => (leftMs === undefined ? 'the call to the provider went on' : undefined),
    },
    {
      name: `a provider that answers with ${ANSWER_MIB} MiB`,
      asked: {},
      says: json({ object: 'chat.completion', choices: [], more: 'x'.repeat(ANSWER_MIB * MIB) }),
      harm: ({ bytes, grownMb }) =>
        bytes > (ANSWER_MIB / 2) * MIB || grownMb > ANSWER_MIB * 2
          ? `${Math.round(bytes / MIB)} MiB were passed on, memory grew by ${grownMb} MB`
          : undefined,
    },
    {
      name: `a provider that says nothing, with a limit of ${PROVIDER_MS / 1_000} s`,
      asked: {},
      says: () => undefined,
      harm: stillOpen,
      isSlow: true,
    },
    {
      name: 'the same, after the first event of a stream',
      asked: { ...STREAM, isGuarded: false },
      says: ({ response }) =>
        void response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write(
            'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"so "}}]}\n\n',
          ),
      harm: stillOpen,
      isSlow: true,
    },
    {
      name: 'a caller that reads no more, of a stream without an end',
      asked: { ...STREAM, isGuarded: false, afterwards: { waitMs: 1_500 } },
      says: endless(provider),
      harm: ({ written, grownMb }) =>
        written > ANSWER_MIB * MIB || grownMb > ANSWER_MIB * 2
          ? `${Math.round(written / MIB)} MiB were taken from the provider, memory grew by ${grownMb} MB`
          : undefined,
      isSlow: true,
    },
  ]
}

export function attacksOn(provider: AttackProvider): readonly Attack[] {
  return [...ROUTING, ...LEAKS, ...GUARDED, ...stubborn(provider)]
}
