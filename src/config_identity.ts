import * as z from 'zod'
import { isLoopback } from '#base/address.ts'
import { ALGORITHM_NAMES } from '#trust/access/tokens/algorithms.ts'
import { parseClaimPath, type ClaimPath } from '#trust/access/tokens/claim_path.ts'
import { FILE_PATH } from './config_secret.ts'

const PATH_FORM =
  'must be names of members joined by dots, as in realm_access.roles, or a list of names, as in ["https://example.com/groups"]'

const path = z
  .union([z.string(), z.array(z.string().min(1).max(256)).min(1).max(8)], { error: PATH_FORM })
  .transform((given, context): ClaimPath => {
    const read = typeof given === 'string' ? parseClaimPath(given) : given
    if (read !== undefined) return read
    context.issues.push({ code: 'custom', message: PATH_FORM, input: given })
    return z.NEVER
  })

const claimPath = (what: string): typeof path =>
  path.describe(
    `${what} Names joined by dots lead into objects; a name that holds dots, slashes or colons is written as a list.`,
  )

const isRequired = (what: string): z.ZodDefault<z.ZodBoolean> =>
  z.boolean().default(false).describe(`Whether a token without ${what} is refused.`)

const renamed = z
  .record(
    z.string().max(1_024),
    z.string().min(1).max(128).describe('Our name, by the one that the issuer has.'),
  )
  .optional()
  .describe('What the names of the issuer are called here. Where it is given, other names do not count.')

const place = (what: string) =>
  z
    .strictObject({
      path: claimPath(`Where the name of the ${what} stands.`),
      required: isRequired('it'),
    })
    .optional()
    .describe(`The ${what} of a user. Without it the directory alone says.`)

const names = (what: string) =>
  z
    .strictObject({
      path: claimPath(`Where the ${what} stand: a list of texts, or one text.`),
      required: isRequired('them'),
      split: z
        .enum(['none', 'space', 'comma'])
        .default('none')
        .describe('What separates several names in one text.'),
      names: renamed,
    })
    .optional()
    .describe(`The ${what} of a user, beside those that the directory has. At most 1,000.`)

const services = z
  .strictObject({
    claim: claimPath('Where the name of the service stands, as in client_id.'),
    prefix: z
      .string()
      .regex(/^([a-z0-9][a-z0-9-]{0,31})?$/, 'must be lower-case letters, digits and "-"')
      .default('')
      .describe(
        'What stands before that name here. With several issuers each needs one that none of the others begins with, unless "names" says which services are meant.',
      ),
    names: renamed,
    when: z
      .enum(['subject', 'always', 'claim'])
      .default('subject')
      .describe(
        'Which tokens are of services: those whose "sub" is that very name, as with client credentials; all of this issuer; or those with when_value at when_claim.',
      ),
    when_claim: claimPath('Where a token says that it is of a service.').optional(),
    when_value: z.string().min(1).max(256).optional().describe('What it says there.'),
  })
  .refine(
    (one) => (one.when === 'claim') === (one.when_claim !== undefined && one.when_value !== undefined),
    {
      message: 'when_claim and when_value belong to "when: claim", and both are needed there',
      path: ['when'],
    },
  )
  .optional()
  .describe(
    'Tokens of services, which must be in the directory. Groups and roles in such tokens do not count. Without it every token is of a user.',
  )

const SECURE =
  'must be an https URL without user, password, query or "#"; http only with an address of this machine'

const issuer = z
  .strictObject({
    issuer: z
      .string()
      .min(1)
      .max(1_024)
      .describe('Exactly what its tokens have as "iss". An https URL unless keys_url or keys_file is given.'),
    audiences: z
      .array(z.string().min(1).max(1_024))
      .min(1)
      .max(32)
      .describe('What this door is called by the issuer. A token must have one of them in "aud".'),
    algorithms: z
      .array(z.enum(ALGORITHM_NAMES))
      .min(1)
      .default([...ALGORITHM_NAMES])
      .describe(
        'Signatures that are accepted. "none" and those with a shared secret (HS256 …) can never be: whoever checks them can forge them.',
      ),
    types: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9.+-]{0,63}$/, 'must be a type such as at+jwt, in lower case'))
      .min(1)
      .max(16)
      .default(['at+jwt', 'jwt'])
      .describe(
        'Values of the header "typ" that are accepted, without "application/". "none" stands for tokens without one.',
      ),
    clients: z
      .array(z.string().min(1).max(256))
      .min(1)
      .max(1_000)
      .optional()
      .describe('The only clients whose tokens are taken, by "azp" or "client_id". Without it those of any.'),
    max_lifetime_s: z
      .int()
      .min(60)
      .max(86_400)
      .default(3_600)
      .describe('The longest time from "iat" to "exp". A token cannot be called back before it ends.'),
    keys_url: z
      .string()
      .refine(isSecureUrl, SECURE)
      .optional()
      .describe(
        'Where its key set (JWKS) is. Without it and keys_file, the issuer is asked: OpenID Connect Discovery.',
      ),
    keys_file: FILE_PATH.optional().describe('A file with its key set. Read again every ten minutes.'),
    network: z
      .enum(['public', 'private'])
      .default('public')
      .describe(
        'Where the names of the issuer may lead: to public addresses only, or to those of your own network too. An address or "localhost" that stands here needs nothing.',
      ),
    ca_file: FILE_PATH.optional().describe(
      'Certificates in PEM that its TLS is checked with, in place of the public ones.',
    ),
    user: claimPath('Where the name of a user stands.').prefault('sub'),
    user_prefix: z
      .string()
      .max(64)
      .regex(/^[\w.:@/-]*$/, 'must be letters, digits and _ . : @ / -')
      .default('')
      .describe(
        'What stands before the names of its users. With several issuers each needs one that none of the others begins with: they must not name the same user.',
      ),
    unknown_users: z
      .enum(['allow', 'refuse'])
      .default('refuse')
      .describe('Whether users are let in whom nobody has made here.'),
    subject_only: z
      .boolean()
      .default(false)
      .describe(
        'Whether its tokens open nothing themselves and only come to be exchanged, as those of CI systems and of Kubernetes.',
      ),
    tenant: place('tenant'),
    space: place('space'),
    groups: names('groups'),
    roles: names('roles'),
    services,
    acr: z
      .record(z.string().min(1).max(256), z.literal([1, 2, 3]).describe('The level, by "acr".'))
      .default({})
      .describe(
        'The assurance level (1 to 3) that each "acr" stands for. One that is not here is 1. Two factors of different kinds in "amr" are 2; a code by SMS is none.',
      ),
  })
  .refine((one) => one.keys_url === undefined || one.keys_file === undefined, {
    message: 'has keys_url and keys_file; one of the two',
    path: ['keys_file'],
  })
  .refine((one) => one.keys_url !== undefined || one.keys_file !== undefined || isSecureUrl(one.issuer), {
    message: `${SECURE}; or give keys_url or keys_file`,
    path: ['issuer'],
  })
  .describe('An identity provider whose tokens are taken.')

const ISSUER_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** Identity providers. */
export const ISSUERS = z
  .record(
    z
      .string()
      .regex(ISSUER_NAME, 'is not a name for an issuer: use lower-case letters, digits and "-" (at most 32)'),
    issuer,
  )
  .superRefine((issuers, context) => {
    for (const { path: at, message } of issuerProblems(issuers))
      context.addIssue({ code: 'custom', path: [...at], message })
  })
  .default({})
  .describe('Identity providers, by a short name of your own that the ledger shows.')

export type IssuerConfig = z.output<typeof issuer>

const MOST_ISSUERS = 64

interface IssuerProblem {
  readonly path: readonly string[]
  readonly message: string
}

/** What one issuer alone cannot say. */
function issuerProblems(issuers: Readonly<Record<string, IssuerConfig>>): readonly IssuerProblem[] {
  const all = Object.entries(issuers)
  if (all.length > MOST_ISSUERS) return [{ path: [], message: `has more than ${MOST_ISSUERS} issuers` }]
  return all.flatMap(([name, one], at) => {
    const earlier = all.slice(0, at)
    const problems: IssuerProblem[] = []
    if (earlier.some(([, other]) => other.issuer === one.issuer))
      problems.push({ path: [name, 'issuer'], message: 'is the same as that of another issuer' })
    // Else a user of one could be called as one of the other is: "corp:" and "" both give "corp:alice".
    if (earlier.some(([, other]) => isMixedUp(other.user_prefix, one.user_prefix)))
      problems.push({
        path: [name, 'user_prefix'],
        message:
          'begins as that of another issuer does, or the other way round; their users could have the same names',
      })
    // The same of services, where not each is named: whoever may register a client with one issuer would be that of the other.
    if (earlier.some(([, other]) => maySayTheSame(other.services, one.services)))
      problems.push({
        path: [name, 'services'],
        message:
          'could name the same services as another issuer; give both a prefix of their own, or say in "names" which they are',
      })
    return problems
  })
}

function isMixedUp(left: string, right: string): boolean {
  return left.startsWith(right) || right.startsWith(left)
}

function maySayTheSame(left: IssuerConfig['services'], right: IssuerConfig['services']): boolean {
  if (left === undefined || right === undefined) return false
  if (left.names === undefined && right.names === undefined) return isMixedUp(left.prefix, right.prefix)
  const [open, listed] = left.names === undefined ? [left, right] : [right, left]
  if (open.names !== undefined) return false
  return Object.values(listed.names ?? {}).some((one) => `${listed.prefix}${one}`.startsWith(open.prefix))
}

function isSecureUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || /[?#\s]/.test(text)) return false
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return url.protocol === 'https:' || (url.protocol === 'http:' && (host === 'localhost' || isLoopback(host)))
}
