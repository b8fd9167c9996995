import path from 'node:path'
import * as z from 'zod'
import { toHex } from '#base/bytes.ts'
import { cosignatureCharacters, parseCosignerKey } from '#trust/ledger/cosignature.ts'
import { FILE_PATH, SECRET_REFERENCE } from './config_secret.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const baseUrl = z
  .string()
  .refine(isBaseUrl, 'must be an http(s) URL without user, query or "#", as in https://witness.example')

const network = z
  .enum(['public', 'private'])
  .default('public')
  .describe(
    'Where its host name may lead when it is looked up, as with models. An address or "localhost" needs nothing.',
  )

const roots = FILE_PATH.optional().describe(
  'Certificates in PEM that its certificate must come from, instead of those that Node trusts.',
)

const everyMs = z
  .int()
  .min(60_000)
  .max(30 * DAY_MS)
  .default(HOUR_MS)
  .describe('The time between two checkpoints that it gets, while there are new ones.')

const witness = z.strictObject({
  url: baseUrl.describe('Where it takes checkpoints; /add-checkpoint is appended.'),
  keys: z
    .array(
      z
        .string()
        .refine(
          (text) => parseCosignerKey(text) !== undefined,
          'must be a key as "gatehouse witness" prints it, for cosignatures of Ed25519 or ML-DSA-44',
        ),
    )
    .min(1)
    .max(4)
    .describe('Its verifier keys. A cosignature of any of them counts, once for each witness.'),
  network,
  roots,
})

/** Who cosigns checkpoints, and how many of them it takes. */
export const WITNESSES = z
  .strictObject({
    quorum: z
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe('How many of them must have cosigned a checkpoint for it to count as witnessed.'),
    every_ms: z
      .int()
      .min(1_000)
      .max(HOUR_MS)
      .default(10_000)
      .describe('The time between two rounds, in which each is asked for the newest checkpoint.'),
    timeout_ms: z
      .int()
      .min(100)
      .max(60_000)
      .default(10_000)
      .describe('Time for one question, its answer included.'),
    list: z
      .array(witness)
      .min(1)
      .max(16)
      .refine(isOneEach, {
        message: 'must not name a witness twice, by its URL, the name in its keys or a key: each counts once',
      })
      .refine((list) => lineCharacters(list) <= LINE_CHARACTERS, {
        message: 'must not have so many keys that a checkpoint with all their signatures cannot be read',
      })
      .describe('The witnesses (c2sp.org/tlog-witness), best run by others on machines of theirs.'),
  })
  .refine(({ quorum, list }) => quorum <= list.length, {
    message: 'must not be more than there are witnesses',
    path: ['quorum'],
  })
  .optional()
  .describe(
    'Others who remember how far the ledger is, and put their signatures on its checkpoints. What they have cosigned nobody can rewrite unnoticed, whoever owns this machine.',
  )

/** Repositories that get checkpoints as commits. */
export const GIT_ANCHORS = z
  .array(
    z.strictObject({
      repository: z
        .string()
        .min(1)
        .max(1_024)
        .refine(
          isRepository,
          'must be https://… without a user, ssh://…, user@host:path or an absolute path, without a password',
        )
        .describe('What "git push" is to push to. Let the account there append only: no force, no deletion.'),
      branch: z
        .string()
        .max(200)
        .regex(
          /^(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)|\/$|\.$))[A-Za-z0-9_][A-Za-z0-9_./-]*$/,
          'must be the name of a branch',
        )
        .default('main')
        .describe('The branch that gets a commit for each checkpoint.'),
      path: z
        .string()
        .max(1_024)
        .regex(
          /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?!.*(?:^|\/)\.git(?:\/|$))[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/i,
          'must be the path of a file in the repository',
        )
        .default('checkpoint')
        .describe('The file in it that holds the newest checkpoint.'),
      every_ms: everyMs,
      timeout_ms: z.int().min(1_000).max(600_000).default(60_000).describe('Time for each call of git.'),
    }),
  )
  .max(8)
  .default([])
  .describe('Git repositories elsewhere that checkpoints are pushed to. Needs the program git.')

/** Storage that gets checkpoints as objects that nobody can delete. */
export const OBJECT_ANCHORS = z
  .array(
    z.strictObject({
      endpoint: baseUrl.describe(
        'The S3-compatible storage, as https://s3.eu-central-1.amazonaws.com; the bucket comes into the path.',
      ),
      bucket: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
        .describe('A bucket with object lock.'),
      region: z
        .string()
        .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region')
        .default('us-east-1')
        .describe('The region that requests are signed for.'),
      prefix: z
        .string()
        .max(512)
        .regex(/^[A-Za-z0-9_./-]*$/, 'must be letters, digits, "_", ".", "/" and "-"')
        .default('')
        .describe('What the names of the objects begin with.'),
      access_key_id: SECRET_REFERENCE.describe('May put objects with retention, and needs nothing else.'),
      secret_access_key: SECRET_REFERENCE.describe('The secret of that key.'),
      session_token: SECRET_REFERENCE.optional().describe('Of keys that are lent for a while.'),
      mode: z
        .enum(['compliance', 'governance'])
        .default('compliance')
        .describe(
          'Objects in "compliance" nobody can delete before their time, not even the owner of the bucket.',
        ),
      retention_days: z.int().min(1).max(36_500).default(400).describe('How long each object is kept.'),
      every_ms: everyMs,
      timeout_ms: z.int().min(100).max(60_000).default(10_000).describe('Time for one object.'),
      network,
      roots,
    }),
  )
  .max(8)
  .default([])
  .describe('Storage with object lock that gets checkpoints as objects of their own.')

/** Files that get every checkpoint. */
export const FILE_ANCHORS = z
  .array(FILE_PATH.refine((file) => path.isAbsolute(file), 'must be an absolute path'))
  .max(8)
  .default([])
  .describe(
    'Files outside this machine (a mounted share, for example) that are replaced by each new checkpoint. Without any anchor or witness, a rollback of the whole disk cannot be seen.',
  )

interface WitnessEntry {
  readonly url: string
  readonly keys: readonly string[]
}

/** Whether no two of them can be one and the same: it would fill a quorum alone. */
function isOneEach(list: readonly WitnessEntry[]): boolean {
  const facets = list.flatMap(({ url, keys }) => {
    const known = keys.map(parseCosignerKey).filter((key) => key !== undefined)
    // With whatever name it is the same key.
    const bytes = known.map(({ publicKey }) => toHex(publicKey))
    const names = new Set(known.map(({ name }) => name))
    const place = URL.parse(url)?.href.replace(/\/+$/, '') ?? url
    return [place, ...bytes, ...names]
  })
  return new Set(facets).size === facets.length
}

/** A checkpoint is read up to 100,000 characters; what the log signs has some 20,000 of them while keys rotate. */
const LINE_CHARACTERS = 80_000

/** What the signature lines of all take at most: key id, time and signature in base64 behind the name. */
function lineCharacters(list: readonly WitnessEntry[]): number {
  const known = list.flatMap(({ keys }) => keys.map(parseCosignerKey)).filter((key) => key !== undefined)
  return known.reduce((sum, key) => sum + key.name.length + cosignatureCharacters(key), 0)
}

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[?#\s]/.test(text)
}

/** Forms that lead to no program of this machine but git and ssh, and that no option is hidden in. */
function isRepository(text: string): boolean {
  if (/[\p{Cc}\s]/u.test(text)) return false
  const url = URL.parse(text)
  if (url !== null && /^(https|ssh):$/.test(url.protocol)) {
    // Of https the user is often the token itself.
    const isUser = url.protocol === 'ssh:' ? !url.username.startsWith('-') : url.username === ''
    return url.password === '' && /^[A-Za-z0-9[]/.test(url.hostname) && isUser
  }
  return (
    path.isAbsolute(text) ||
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9_~/][^:]*$/.test(text)
  )
}
