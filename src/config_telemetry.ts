import * as z from 'zod'
import { FILE_PATH, SECRET_REFERENCE } from './config_secret.ts'

/** Those that the exporter or HTTP itself sets. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
])

const headerName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a header in lower case, as in authorization')
  .refine((name) => !OWN_HEADERS.has(name), 'is a header that the export sets itself')

const otlp = z
  .strictObject({
    endpoint: z
      .string()
      .refine(
        isEndpoint,
        'must be an http(s) URL without user, query or "#", as in https://otel.example:4318',
      )
      .describe(
        'The receiver, which speaks OTLP over HTTP with JSON. /v1/traces and /v1/metrics are appended. The only place that telemetry is sent to; no redirect is followed.',
      ),
    headers: z
      .record(headerName, SECRET_REFERENCE.describe('The value of one header, as "Bearer …" is one.'))
      .refine((headers) => Object.keys(headers).length <= 16, 'must be at most 16 entries')
      .default({})
      .describe('Headers of each export, as the receiver wants them. Their values are secrets.'),
    network: z
      .enum(['public', 'private'])
      .default('public')
      .describe(
        'Where the host name of endpoint may lead when it is looked up, as with models: to public addresses only, or to those of your own network too. An address or "localhost" needs nothing.',
      ),
    roots: FILE_PATH.optional().describe(
      'Certificates in PEM that the certificate of the receiver must come from, instead of those that Node trusts.',
    ),
    sample_ratio: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'The part of all requests whose spans are exported, chosen by chance. Metrics count every request.',
      ),
    interval_ms: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(60_000)
      .describe('The time between two exports of all metrics.'),
    timeout_ms: z
      .int()
      .min(100)
      .max(60_000)
      .default(10_000)
      .describe('Time for one export, its answer included.'),
  })
  .describe(
    'Exports spans and metrics to a receiver of OpenTelemetry. No content is in them: no prompt, no answer, no name of a caller.',
  )

/** What is told about requests, and to whom. */
export const TELEMETRY = z
  .strictObject({
    trace_callers: z
      .enum(['accept', 'ignore'])
      .default('accept')
      .describe(
        'Whether a request stays in the trace that its traceparent header names (W3C Trace Context). Its id is then recorded and sent on with calls of models; nothing else depends on it.',
      ),
    otlp: otlp.optional(),
  })
  .prefault({})
  .describe('Traces and metrics for OpenTelemetry. /metrics is there without it.')

function isEndpoint(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[?#\s]/.test(text)
}
