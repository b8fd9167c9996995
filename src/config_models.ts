import * as z from 'zod'
import { BYTES } from '#base/limits.ts'
import { poolProblems } from './config_pools.ts'
import { SECRET_REFERENCE } from './config_secret.ts'

const region = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be a short name such as eu or us-east-1')
  .describe('Where the model runs. Recorded with each call, and an attribute for policies.')

const tokens = z.int().min(1).max(100_000_000)

const sizes = {
  max_output_tokens: tokens
    .max(1_000_000)
    .optional()
    .describe(
      'How long an answer may be, in tokens, whose request does not say so; sent to the provider in the field of the API. Limits of tokens and money need one of the two.',
    ),
  max_input_tokens: tokens
    .optional()
    .describe(
      'Tokens that the model reads at most. With it requests with documents can be limited too, and what others reserve is never more.',
    ),
}

const answers = {
  ...sizes,
  region: region.optional(),
  extensions: z
    .enum(['pass', 'refuse'])
    .default('pass')
    .describe(
      'What happens to request fields that Gatehouse does not know: kept and inspected, or refused with 400.',
    ),
  timeout_ms: z
    .int()
    .min(100)
    .max(600_000)
    .default(120_000)
    .describe(
      'Time for a whole answer. Long reasoning takes minutes; a stalled provider must not hold a place forever.',
    ),
  max_answer_bytes: z
    .int()
    .min(BYTES.kib)
    .max(256 * BYTES.mib)
    .default(10 * BYTES.mib)
    .describe('A longer answer is refused: it is held in memory while it is inspected.'),
}

const phase = z.int().min(50).max(600_000)

/** What models behind a network have besides. */
const remote = {
  network: z
    .enum(['public', 'private'])
    .default('public')
    .describe(
      'Where the host name of base_url may lead when it is looked up: to public addresses only, or to those of your own network too. An address or "localhost" in base_url needs nothing. Addresses that no model server has (link-local, metadata of clouds, multicast) are refused in either case.',
    ),
  connect_ms: phase
    .default(10_000)
    .describe(
      'Time for a connection, TLS included. A host that does not answer is known to be down after this.',
    ),
  first_byte_ms: phase
    .optional()
    .describe(
      'Time from the sent request to the headers of the answer. Those of an answer that is not streamed come when the model has thought it to its end. Without it timeout_ms alone counts.',
    ),
  idle_ms: phase
    .optional()
    .describe('Time between two pieces of an answer. Without it timeout_ms alone counts.'),
}

const baseUrl = z
  .string()
  .refine(
    isPlainUrl,
    'must be an http(s) URL without user, password or "#", as in https://api.example.com/v1',
  )

const openai = z
  .strictObject({
    provider: z.literal('openai'),
    base_url: baseUrl.describe(
      'The URL that /chat/completions is appended to; a query such as ?api-version=… is kept. The only place this model is sent to.',
    ),
    model: z.string().min(1).max(256).describe('The name of the model at the provider.'),
    auth: z
      .enum(['bearer', 'api-key'])
      .default('bearer')
      .describe(
        'How the key is sent: as "Authorization: Bearer", or in the header "api-key" as Azure wants it.',
      ),
    key: SECRET_REFERENCE.optional().describe(
      'Where the key of the provider is. While it gives nothing, calls are refused with upstream.unconfigured. Leave it out for a provider without keys.',
    ),
    ...answers,
    ...remote,
  })
  .describe('Any OpenAI-compatible server: hosted, vLLM, Ollama, Azure-style.')

const anthropic = z
  .strictObject({
    provider: z.literal('anthropic'),
    base_url: baseUrl
      .default('https://api.anthropic.com')
      .describe('The URL that /v1/messages is appended to. The only place this model is sent to.'),
    model: z.string().min(1).max(256).describe('The name of the model at the provider.'),
    key: SECRET_REFERENCE.optional().describe(
      'Where the key of the provider is. While it gives nothing, calls are refused with upstream.unconfigured.',
    ),
    ...answers,
    ...remote,
  })
  .describe('Anthropic, or a server that speaks its Messages.')

const echo = z
  .strictObject({
    provider: z.literal('echo'),
    says: z
      .enum(['plain', 'base64'])
      .default('plain')
      .describe('How the text is said back; base64 is for trying out what inspection sees.'),
    piece_characters: z
      .int()
      .min(1)
      .max(10_000)
      .default(16)
      .describe('Characters of each piece of a streamed answer.'),
    piece_ms: z
      .int()
      .min(0)
      .max(10_000)
      .default(0)
      .describe('The pause before each piece of a streamed answer.'),
    ...answers,
  })
  .describe('Built in, deterministic, clearly labelled: says back what it was told. For trying things out.')

const percent = z.int().min(1).max(100)

const pool = z
  .strictObject({
    provider: z.literal('pool'),
    members: z
      .array(
        z.strictObject({
          model: z
            .string()
            .max(128)
            .describe('The name of another model of this configuration that is no pool itself.'),
          weight: z
            .int()
            .min(1)
            .max(1_000)
            .default(1)
            .describe('How often it is chosen, beside the others. Only for "choose: weight".'),
          probe: z
            .strictObject({
              every_ms: z.int().min(1_000).max(3_600_000).describe('The time between two probes.'),
              path: z
                .string()
                .max(1_024)
                .regex(/^\/[!-"$-[\]-~]*$/, 'must be a path such as /health')
                .describe(
                  'What is asked for with GET at the host of the member, without its key. Any status 2xx is good.',
                ),
            })
            .optional()
            .describe(
              'Asks from time to time whether the member is up. Probes that fail open its breaker as calls do; a good one lets the next trial come at once.',
            ),
        }),
      )
      .min(1)
      .max(32)
      .describe('The models that answer, in order.'),
    choose: z
      .enum(['order', 'weight', 'latency'])
      .default('order')
      .describe(
        'Who is asked first: the first in the list that works, by chance as the weights say, or of two drawn by chance the one that begins to answer sooner.',
      ),
    tries: z
      .int()
      .min(1)
      .max(10)
      .default(3)
      .describe(
        'Calls for one request at most, the first included. Retries are also limited to a tenth of all requests, and ten more.',
      ),
    max_output_tokens: sizes.max_output_tokens.describe(
      'How long an answer may be, in tokens, whose request does not say so. Without it the least that a member has.',
    ),
    region: answers.region.describe(
      'Where all members run; a member elsewhere is refused at the start. An attribute for policies, as the region of each member is.',
    ),
    timeout_ms: answers.timeout_ms.describe(
      'Time for a whole answer, over all tries. The times of each member count for each try.',
    ),
    breaker: z
      .strictObject({
        failures: z
          .int()
          .min(1)
          .max(1_000)
          .default(5)
          .describe('Failures in a row after which a member is left alone.'),
        failure_percent: percent
          .default(50)
          .describe('Percent of failures among the calls of the window, of ten at least, that do the same.'),
        window_ms: z.int().min(1_000).max(600_000).default(30_000).describe('The length of that window.'),
        open_ms: z
          .int()
          .min(100)
          .max(600_000)
          .default(10_000)
          .describe(
            'How long it is left alone before one call tries it. Twice as long after each trial that fails, up to 16 times.',
          ),
      })
      .prefault({})
      .describe('When a member that fails is left alone, and for how long.'),
  })
  .describe(
    'Other models of this configuration under one name. Where one fails before it has answered, another is asked, if policy lets the caller use that one too.',
  )

const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/

/** The models behind the door. */
export const MODELS = z
  .record(
    z
      .string()
      .regex(MODEL_NAME, 'is not a name for a model: use letters, digits and . _ : @ - (at most 128)'),
    z.discriminatedUnion('provider', [openai, anthropic, echo, pool]),
  )
  .superRefine((models, context) => {
    for (const { path, message } of poolProblems(models))
      context.addIssue({ code: 'custom', path: [...path], message })
  })
  .default({})
  .describe('The models behind the door, by the name that callers use.')

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[#\s]/.test(text)
}
