import * as z from 'zod'
import { isLoopback } from '#base/address.ts'
import { LIMITS } from '#base/limits.ts'
import { OWN_ISSUER } from '#trust/access/issued/own_issuer.ts'
import { isRuleName, type CertificateRule } from '#trust/access/possession/certificate_rules.ts'
import { FILE_PATH } from './config_secret.ts'

const MOST_AUDIENCES = 256
const MOST_RULES = 1_000
const LEAST_SECONDS = 30

/** Scheme, host and port and nothing else, in the one form that it is compared in. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.origin !== text) return false
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return url.protocol === 'https:' || (url.protocol === 'http:' && (host === 'localhost' || isLoopback(host)))
}

const audience = z
  .strictObject({
    ttl_s: z
      .int()
      .min(LEAST_SECONDS)
      .max(LIMITS.issuedTokenSeconds)
      .default(300)
      .describe(
        `How long a token for it holds, in seconds; never longer than its subject token. At most ${LIMITS.issuedTokenSeconds}.`,
      ),
    binding: z
      .enum(['required', 'workloads', 'optional'])
      .default('workloads')
      .describe(
        'Which tokens for it must be bound to a DPoP key or a client certificate: all, those of services and of issuers with subject_only, or none.',
      ),
    scopes: z
      .array(z.string().regex(/^[!#-[\]-~]{1,128}$/, 'must be a name without spaces and quotes'))
      .max(100)
      .default([])
      .describe(
        'The scopes that a token for it may have. For this door itself they are names of actions, as in model:infer, and narrow.',
      ),
  })
  .describe('An audience that tokens can be made for.')

const name = z.string().min(1).max(1_024).optional()

const certificateRule = z
  .strictObject({
    uri: name.describe(
      'A URI among its alternative names, as in spiffe://example.org/ns/*/sa/ci: one * for one segment.',
    ),
    dns: name.describe('A DNS name among them, as in ci.example.org or *.ci.example.org.'),
    email: name.describe('An e-mail address among them.'),
    subject: name.describe('The whole subject, as in CN=ci,O=Example (RFC 4514).'),
    caller: z.string().min(1).max(128).describe('The caller of the directory that it proves.'),
  })
  .transform(({ caller, ...names }, context): CertificateRule => {
    const given = Object.entries(names).filter(
      (pair): pair is [CertificateRule['by'], string] => pair[1] !== undefined,
    )
    const [one, ...more] = given
    if (one !== undefined && more.length === 0 && isRuleName(...one))
      return { by: one[0], name: one[1], caller }
    context.issues.push({
      code: 'custom',
      message:
        'needs exactly one of uri, dns, email and subject, with at most one * for a whole segment after the host',
      input: names,
    })
    return z.NEVER
  })

/** Members of `identity` about tokens that are made here, and what proves possession. */
export const EXCHANGE_MEMBERS = {
  issuer: z
    .string()
    .refine(isOrigin, 'must be scheme, host and port alone, as in https://gate.example.com')
    .optional()
    .describe(
      'The URL under which callers reach this door, as in https://gate.example.com: the "iss" of its tokens, and what proofs of possession (DPoP) must be about. Without it no tokens are exchanged and no proofs hold.',
    ),
  audiences: z
    .record(z.string().regex(/^[!-~]{1,256}$/, 'must be a name or URL without spaces'), audience)
    .refine((all) => Object.keys(all).length <= MOST_AUDIENCES, `takes at most ${MOST_AUDIENCES} audiences`)
    .default({})
    .describe(
      'Who tokens can be made for, by what stands as "aud". The audience that has the name of identity.issuer is this door itself.',
    ),
  certificates: z
    .array(certificateRule)
    .max(MOST_RULES)
    .default([])
    .describe(
      'Which callers client certificates prove. A certificate that fits rules for two callers proves none.',
    ),
}

/** What issuers may not be called, for it is what the door itself is called as one. */
export function ownNameProblems(identity: {
  readonly issuer?: string | undefined
  readonly issuers: Readonly<Record<string, { readonly issuer: string }>>
}): readonly { readonly path: readonly string[]; readonly message: string }[] {
  return Object.entries(identity.issuers).flatMap(([short, { issuer }]) => {
    if (short === OWN_ISSUER)
      return [{ path: ['issuers', short], message: 'is what the door itself is called as an issuer' }]
    return issuer === identity.issuer
      ? [
          {
            path: ['issuers', short, 'issuer'],
            message: 'is the same as identity.issuer, which is the door itself',
          },
        ]
      : []
  })
}

/** Members of `tls` about client certificates. */
export const CLIENT_CERTIFICATE_MEMBERS = {
  client_certificates: z
    .enum(['none', 'request', 'required'])
    .default('none')
    .describe(
      'Whether the door asks callers for certificates: not at all, without insisting, or of every one. The other listeners never ask.',
    ),
  client_ca: FILE_PATH.optional().describe(
    'Certificates in PEM of the authorities that client certificates must come from. Read again when it changes.',
  ),
}
