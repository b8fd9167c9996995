import * as z from 'zod'
import { parseListenAddress, type ListenAddress } from '#base/address.ts'
import { BYTES, LIMITS } from '#base/limits.ts'
import { parseAddressRanges } from '#trust/access/address_ranges.ts'
import { CLIENT_CERTIFICATE_MEMBERS, EXCHANGE_MEMBERS, ownNameProblems } from './config_exchange.ts'
import { ISSUERS } from './config_identity.ts'
import { BUDGETS, PRICES } from './config_limits.ts'
import { MODELS } from './config_models.ts'
import { FILE_ANCHORS, GIT_ANCHORS, OBJECT_ANCHORS, WITNESSES } from './config_outside.ts'
import { SCIM } from './config_scim.ts'
import { FILE_PATH, SECRET_REFERENCE } from './config_secret.ts'
import { TELEMETRY } from './config_telemetry.ts'

/** Every field carries its reason: `docs/reference/configuration.md` is made from them. */

const GIB = 1_024 * BYTES.mib

export const LISTEN_ADDRESS = z.string().transform((text, context): ListenAddress => {
  const address = parseListenAddress(text)
  if (address !== undefined) return address
  context.issues.push({
    code: 'custom',
    message: 'must be ADDRESS:PORT, as in 127.0.0.1:4400 or [::1]:4400',
    input: text,
  })
  return z.NEVER
})

/** A range of addresses. */
export const ADDRESS_RANGE = z
  .string()
  .refine((text) => parseAddressRanges([text]) !== undefined, 'must be a range such as 10.0.0.0/8')
  .refine((text) => !text.endsWith('/0'), 'must not be every address there is')

const action = z.enum(['pass', 'redact', 'block'])

const inspected = (
  what: string,
): z.ZodDefault<z.ZodEnum<{ pass: 'pass'; redact: 'redact'; block: 'block' }>> =>
  action.default('redact').describe(what)

const onRoute = (group: string) =>
  z
    .strictObject({
      request: action.optional().describe('Instead of what holds for requests.'),
      response: action.optional().describe('Instead of what holds for answers.'),
    })
    .optional()
    .describe(`What happens to ${group} on this route.`)

/** The routes to models, by the names that metrics and the ledger have for them. */
const INSPECTED_ROUTES = ['chat', 'responses', 'embeddings', 'messages', 'count_tokens'] as const

/** The whole file. */
export const CONFIG_SCHEMA = z.strictObject({
  listen: LISTEN_ADDRESS.prefault('127.0.0.1:4400').describe(
    'Where callers reach the door. Outside loopback it needs tls.',
  ),
  admin_listen: LISTEN_ADDRESS.prefault('127.0.0.1:4401').describe(
    'Where the admin routes are, besides the socket in the home. Outside loopback it needs tls.',
  ),
  metrics_listen: LISTEN_ADDRESS.prefault('127.0.0.1:4402').describe(
    'Where /metrics is. Outside loopback it needs tls and metrics_token.',
  ),
  metrics_token: SECRET_REFERENCE.optional().describe(
    'The bearer token that a scraper must send. On loopback it is asked for only when set.',
  ),
  tls: z
    .strictObject({
      cert: FILE_PATH.describe('Certificate chain in PEM, the own certificate first.'),
      key: FILE_PATH.describe('Private key in PEM. Both files are read again when they change.'),
      minimum: z
        .enum(['1.2', '1.3'])
        .default('1.3')
        .describe(
          'The oldest TLS version that is spoken, in quotes. 1.2 is for clients that cannot do better.',
        ),
      ...CLIENT_CERTIFICATE_MEMBERS,
    })
    .refine((tls) => (tls.client_certificates === 'none') === (tls.client_ca === undefined), {
      message: 'client_ca belongs to "client_certificates: request" or "required", and is needed there',
      path: ['client_ca'],
    })
    .optional()
    .describe('Turns TLS on for all three listeners. Paths are relative to this file.'),
  trusted_proxies: z
    .array(ADDRESS_RANGE)
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
  models: MODELS,
  prices: PRICES,
  identity: z
    .strictObject({ issuers: ISSUERS, scim: SCIM, ...EXCHANGE_MEMBERS })
    .superRefine((identity, context) => {
      for (const { path: at, message } of ownNameProblems(identity))
        context.addIssue({ code: 'custom', path: [...at], message })
    })
    .prefault({})
    .describe('Who proves callers, besides keys.'),
  inspection: z
    .strictObject({
      credentials: z
        .strictObject({
          request: inspected('Credentials in what callers send.'),
          response: inspected('Credentials in what models answer.'),
        })
        .prefault({})
        .describe('Keys, tokens and private keys: pass, redact or block. Who may content:raw sees them.'),
      hidden: z
        .strictObject({
          request: inspected('Hidden text in what callers send.'),
          response: inspected('Hidden text in what models answer.'),
        })
        .prefault({})
        .describe(
          'Text that nobody sees: Unicode tags, zero-width and bidirectional controls, terminal escapes. Who may content:raw sees it.',
        ),
      personal: z
        .strictObject({
          request: inspected('Personal data in what callers send.'),
          response: inspected('Personal data in what models answer.'),
        })
        .prefault({})
        .describe('E-mail addresses, card and account numbers. Who may pii:reveal sees them.'),
      long_encoded_runs: action
        .default('pass')
        .describe(
          'Runs of base 64 and the like in streamed answers beyond the 4 KiB that are held and looked at, as images are.',
        ),
      routes: z
        .partialRecord(
          z.enum(INSPECTED_ROUTES),
          z
            .strictObject({
              credentials: onRoute('credentials'),
              hidden: onRoute('hidden text'),
              personal: onRoute('personal data'),
            })
            .describe('What differs on this route.'),
        )
        .default({})
        .describe(
          'Routes that are treated otherwise: chat, responses, embeddings, messages or count_tokens, each with the groups that differ.',
        ),
    })
    .prefault({})
    .describe('What inspection does with what it finds.'),
  workers: z
    .int()
    .min(1)
    .max(LIMITS.workers)
    .default(1)
    .describe(
      'Processes that serve callers, beside the one that writes the ledger; 1 is one process for all. They share what limits allows one process. A core each is as many as help.',
    ),
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
      budgets: BUDGETS,
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
        .default(4 * BYTES.mib)
        .describe('A segment file is sealed and compressed at this size.'),
      anchors: FILE_ANCHORS,
      git_anchors: GIT_ANCHORS,
      object_anchors: OBJECT_ANCHORS,
      witnesses: WITNESSES,
    })
    .refine(({ max_bytes: most, reserve_bytes: kept }) => kept <= most / 2, {
      message: 'must be at most half of max_bytes',
      path: ['reserve_bytes'],
    })
    .prefault({})
    .describe('The record of everything.'),
  telemetry: TELEMETRY,
  policies: z
    .strictObject({
      directory: FILE_PATH.optional().describe(
        'Folder of the Cedar files. Without it: policies/ in the home.',
      ),
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

// Date.parse takes 2027-02-30 for the second of March.
function isDate(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}
