import path from 'node:path'
import * as z from 'zod'
import { parseListenAddress, type ListenAddress } from '#base/address.ts'
import { BYTES } from '#base/limits.ts'
import { parseAddressRanges } from '#trust/access/address_ranges.ts'

/** Every field carries its reason: `docs/reference/configuration.md` is made from this file. */

const GIB = 1_024 * BYTES.mib

const listenAddress = z.string().transform((text, context): ListenAddress => {
  const address = parseListenAddress(text)
  if (address !== undefined) return address
  context.issues.push({
    code: 'custom',
    message: 'must be ADDRESS:PORT, as in 127.0.0.1:4400 or [::1]:4400',
    input: text,
  })
  return z.NEVER
})

const range = z
  .string()
  .refine((text) => parseAddressRanges([text]) !== undefined, 'must be a range such as 10.0.0.0/8')
  .refine((text) => !text.endsWith('/0'), 'must not be every address there is')

const filePath = z.string().min(1).max(4_096)

/** Where a secret is to be found. The secret itself never stands in the file. */
export const SECRET_REFERENCE = z.union([
  z.strictObject({
    from_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of an environment variable')
      .describe('Name of the environment variable that holds the secret.'),
  }),
  z.strictObject({
    from_file: filePath.describe('Path of the file that holds the secret and nothing else.'),
  }),
])

const region = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be a short name such as eu or us-east-1')
  .describe('Where the model runs. Recorded with each call, and an attribute for policies.')

const answers = {
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
  })
  .describe('Any OpenAI-compatible server: hosted, vLLM, Ollama, Azure-style.')

const echo = z
  .strictObject({ provider: z.literal('echo'), ...answers })
  .describe('Built in, deterministic, clearly labelled: says back what it was told. For trying things out.')

const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/

const inspected = (
  what: string,
): z.ZodDefault<z.ZodEnum<{ pass: 'pass'; redact: 'redact'; block: 'block' }>> =>
  z.enum(['pass', 'redact', 'block']).default('redact').describe(what)

/** The whole file. */
export const CONFIG_SCHEMA = z.strictObject({
  listen: listenAddress
    .prefault('127.0.0.1:4400')
    .describe('Where callers reach the door. Outside loopback it needs tls.'),
  admin_listen: listenAddress
    .prefault('127.0.0.1:4401')
    .describe('Where the admin routes are, besides the socket in the home. Outside loopback it needs tls.'),
  metrics_listen: listenAddress
    .prefault('127.0.0.1:4402')
    .describe('Where /metrics is. Outside loopback it needs tls and metrics_token.'),
  metrics_token: SECRET_REFERENCE.optional().describe(
    'The bearer token that a scraper must send. On loopback it is asked for only when set.',
  ),
  tls: z
    .strictObject({
      cert: filePath.describe('Certificate chain in PEM, the own certificate first.'),
      key: filePath.describe('Private key in PEM. Both files are read again when they change.'),
      minimum: z
        .enum(['1.2', '1.3'])
        .default('1.3')
        .describe(
          'The oldest TLS version that is spoken, in quotes. 1.2 is for clients that cannot do better.',
        ),
    })
    .optional()
    .describe('Turns TLS on for all three listeners. Paths are relative to this file.'),
  trusted_proxies: z
    .array(range)
    .max(64)
    .default([])
    .describe('Ranges of your own proxies. From them alone X-Forwarded-For is believed.'),
  insecure_plaintext_listener: z
    .strictObject({
      reason: z
        .string()
        .min(10)
        .max(200)
        .describe('Why this is needed. Shown by doctor and kept in the ledger.'),
      expires: z
        .string()
        .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2027-01-31')
        .refine((text) => isDate(text), 'must be a date that exists')
        .describe('The day (00:00 UTC) on which the listener closes by itself.'),
    })
    .optional()
    .describe(
      'The one exception to TLS outside loopback, for the door only: a proxy in front ends TLS. Only connections from trusted_proxies are accepted.',
    ),
  models: z
    .record(
      z
        .string()
        .regex(MODEL_NAME, 'is not a name for a model: use letters, digits and . _ : @ - (at most 128)'),
      z.discriminatedUnion('provider', [openai, echo]),
    )
    .default({})
    .describe('The models behind the door, by the name that callers use.'),
  inspection: z
    .strictObject({
      credentials: z
        .strictObject({
          request: inspected('Credentials in what callers send.'),
          response: inspected('Credentials in what models answer.'),
        })
        .prefault({})
        .describe('Keys, tokens and private keys: pass, redact or block.'),
    })
    .prefault({})
    .describe('What inspection does with what it finds.'),
  limits: z
    .strictObject({
      body_bytes: z
        .int()
        .min(BYTES.kib)
        .max(256 * BYTES.mib)
        .default(10 * BYTES.mib)
        .describe('The largest request body. It is held in memory while it is inspected.'),
      in_flight: z
        .int()
        .min(1)
        .max(100_000)
        .default(512)
        .describe(
          'Requests inside the door at once; more are refused with Retry-After. Admin acts have places of their own.',
        ),
      held_bytes: z
        .int()
        .min(2 * BYTES.mib)
        .max(64 * GIB)
        .default(256 * BYTES.mib)
        .describe(
          'Bytes of request bodies and answers in memory at once, from the first byte of a request to the last of its reply. A caller may hold as much as is left for the others. At least twice body_bytes. Reading a body takes some times its size on top.',
        ),
    })
    .refine(({ body_bytes: largest, held_bytes: all }) => all >= 2 * largest, {
      message: 'must be at least twice body_bytes',
      path: ['held_bytes'],
    })
    .prefault({})
    .describe('What one process takes on.'),
  ledger: z
    .strictObject({
      max_bytes: z
        .int()
        .min(64 * BYTES.kib)
        .default(10 * GIB)
        .describe(
          'The room the ledger may take. When it is full, the door refuses everything: no receipt, no act.',
        ),
      reserve_bytes: z
        .int()
        .min(4 * BYTES.kib)
        .default(16 * BYTES.mib)
        .describe(
          'The part of max_bytes that only admin and key acts may use, so that a full ledger can still be put right.',
        ),
      segment_bytes: z
        .int()
        .min(4 * BYTES.kib)
        .max(256 * BYTES.mib)
        .default(8 * BYTES.mib)
        .describe('A segment file is sealed and compressed at this size.'),
      anchors: z
        .array(filePath.refine((file) => path.isAbsolute(file), 'must be an absolute path'))
        .max(8)
        .default([])
        .describe(
          'Files outside this machine (a mounted share, for example) that are replaced by each new checkpoint. Without one, a rollback of the whole disk cannot be seen.',
        ),
    })
    .refine(({ max_bytes: most, reserve_bytes: kept }) => kept <= most / 2, {
      message: 'must be at most half of max_bytes',
      path: ['reserve_bytes'],
    })
    .prefault({})
    .describe('The record of everything.'),
  policies: z
    .strictObject({
      directory: filePath
        .optional()
        .describe('Folder of the Cedar files. Without it: policies/ in the home.'),
      watch: z
        .boolean()
        .default(false)
        .describe(
          'Apply the files when they change. For development; elsewhere run "gatehouse policy apply".',
        ),
    })
    .prefault({})
    .describe('Where policy comes from.'),
})

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[#\s]/.test(text)
}

// Date.parse takes 2027-02-30 for the second of March.
function isDate(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}
