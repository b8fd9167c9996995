import * as z from 'zod'
import { Fault } from '#base/fault.ts'
import { parseLogKey } from '#trust/ledger/cosignature.ts'
import type { NoteVerifier } from '#trust/ledger/note.ts'
import { ADDRESS_RANGE, LISTEN_ADDRESS } from './config_schema.ts'
import { FILE_PATH } from './config_secret.ts'
import { readYaml } from './config_yaml.ts'

/** A verifier key of a log (c2sp.org/signed-note). */
export const LOG_KEY = z.string().transform((text, context): NoteVerifier => {
  const key = parseLogKey(text)
  if (key !== undefined) return key
  context.issues.push({
    code: 'custom',
    message: 'must be a key as "gatehouse ledger key" prints it, of Ed25519 or ML-DSA-44',
    input: text,
  })
  return z.NEVER
})

/** Names and origins in what ML-DSA-44 signs have one byte for their length (c2sp.org/tlog-cosignature). */
const NAME_BYTES = 255
const TOO_LONG = `must not have more than ${NAME_BYTES} bytes`

/** A name of a key (c2sp.org/signed-note). */
const KEY_NAME = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s+\p{Cc}]+$/u, 'must be without spaces and "+", as in witness.example.org/w1')
  .refine(isShort, TOO_LONG)

/** The whole of witness.yaml. */
export const WITNESS_SCHEMA = z.strictObject({
  name: KEY_NAME.describe(
    'The name of the witness in its keys. It cannot be changed without changing the keys.',
  ),
  listen: LISTEN_ADDRESS.prefault('127.0.0.1:4410').describe('Outside loopback it needs tls.'),
  tls: z
    .strictObject({ cert: FILE_PATH, key: FILE_PATH })
    .optional()
    .describe(
      'Certificate chain and private key in PEM, relative to this file; read again when they change.',
    ),
  trusted_proxies: z
    .array(ADDRESS_RANGE)
    .max(64)
    .default([])
    .describe('Ranges of your own proxies. From them alone X-Forwarded-For is believed.'),
  logs: z
    .array(
      z
        .strictObject({
          origin: z.string().min(1).max(255).optional().describe('Without it the name in the first key.'),
          keys: z.array(LOG_KEY).min(1).max(16),
        })
        .refine(({ origin, keys }) => isShort(origin ?? keys[0]?.name ?? ''), TOO_LONG),
    )
    .max(1_000)
    .default([])
    .describe('The logs that it cosigns for.'),
})

export interface WitnessConfig extends Omit<z.output<typeof WITNESS_SCHEMA>, 'logs'> {
  /** By origin. */
  readonly logs: ReadonlyMap<string, readonly NoteVerifier[]>
}

/** Reads witness.yaml. Throws `config.invalid` with all problems, each with its place and never with a value. */
export function loadWitnessConfig(text: string, origin: string): WitnessConfig {
  const read = readYaml(text)
  const shaped = WITNESS_SCHEMA.safeParse(read.value ?? {})
  const problems = [...read.problems]
  if (read.isReadable)
    problems.push(
      ...(shaped.error?.issues ?? []).map(({ path, message }) =>
        read.problemAt(
          path.filter((part) => typeof part !== 'symbol'),
          `is not right: ${message}`,
        ),
      ),
    )
  if (problems.length > 0 || !shaped.success)
    throw new Fault('config.invalid', {
      origin,
      count: problems.length,
      problems: problems.map((each) => ({ ...each })),
    })
  const logs = new Map<string, readonly NoteVerifier[]>()
  for (const { origin: named, keys } of shaped.data.logs) {
    const name = named ?? keys[0]?.name ?? ''
    logs.set(name, [...(logs.get(name) ?? []), ...keys])
  }
  return { ...shaped.data, logs }
}

function isShort(name: string): boolean {
  return Buffer.byteLength(name) <= NAME_BYTES
}

/** What is written as witness.yaml on the first start. It must load as it stands. */
export function defaultWitnessConfig(name: string): string {
  return `# A witness of Gatehouse ledgers and other logs: docs/how-to/run-a-witness.md

# Part of the keys, so it stays as it is.
name: ${name}

# Outside loopback it needs tls: { cert: cert.pem, key: key.pem }.
listen: 127.0.0.1:4410

# The logs that it cosigns for, each with the keys that "gatehouse ledger key" prints there:
# logs:
#   - keys:
#       - gatehouse.local/…+…+…
#       - gatehouse.local/…+…+…
logs: []
`
}
