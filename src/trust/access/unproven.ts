import { Fault, type FaultDetail } from '#base/fault.ts'

/**
 * Why authentication refused, and what each reason means. Only the ledger learns it: a caller that is not proven always
 * reads the same answer. `docs/reference/refusal-reasons.md` is made from this table.
 */
export const UNPROVEN = {
  'credential.missing': 'The request brought no credential.',
  'credential.malformed': 'A header for credentials is not one well-formed credential.',
  'credential.conflicting': 'The credentials of the request prove different callers.',
  'key.unknown': 'There is no such key.',
  'key.wrong': 'The key exists, and its secret is another one.',
  'key.expired': 'The key has ended.',
  'key.not_yet_valid': 'The key begins later.',
  'key.idle': 'Nobody has used the key for 30 days.',
  'key.revoked': 'The key was revoked.',
  'key.address_outside': 'The key may not be used from this address.',
  'caller.disabled': 'The caller is disabled.',
  'token.form':
    'The token is not three parts of canonical base64url, or is longer than 8 KiB, or its header or claims are no JSON objects.',
  'token.duplicate': 'The header or the claims have a member twice.',
  'token.nested': 'The header or the claims are nested deeper than 8 levels.',
  'token.critical':
    'The header has "crit" or "b64": the signer demands something that is not understood here.',
  'token.algorithm':
    'The algorithm is not one that is accepted from this issuer; "none" and those with a shared secret never are.',
  'token.type': 'The "typ" of the header is not one that is accepted from this issuer.',
  'token.issuer': 'No issuer of the configuration has this "iss".',
  'token.audience': 'The token is meant for others: "aud" holds none of the audiences of this issuer.',
  'token.client': 'The client that the token was issued to is not in the list of this issuer.',
  'token.expired': 'The token has ended, or says no end.',
  'token.not_yet_valid': 'The token begins later.',
  'token.future': 'The token says that it was issued in the future.',
  'token.lifetime': 'The token lives longer than this issuer may give.',
  'token.subject': 'The token has no "sub".',
  'token.key_missing': 'The token names no key ("kid"), and its issuer has several.',
  'token.key_unknown': 'The issuer has no key with this "kid" for this algorithm.',
  'token.key_removed': 'The issuer has taken back the key that signed the token.',
  'token.signature': 'The signature is not one of the named key over these bytes.',
  'token.claim':
    'A claim that the configuration maps is missing, has another form than it should, or names more than 1,000 groups or roles.',
  'token.binding':
    'The token is bound to a key or certificate that the request did not show, or the request shows one that cannot be checked.',
  'token.owner': 'The name beside the token, as in HTTP Basic, is not that of the caller that it proves.',
  'token.actors': 'The chain of actors in the token has a form that does not fit, or more than three levels.',
  'actor.unknown': 'Somebody who acts for the subject of the token is not in the directory any more.',
  'proof.form':
    'The proof of possession is no JWT with an id, or is longer than 4 KiB, or there are several.',
  'proof.type': 'The "typ" of the proof is not dpop+jwt.',
  'proof.algorithm': 'The algorithm of the proof is not one of ES256, EdDSA, Ed25519, PS256 and RS256.',
  'proof.key': 'The proof holds no public key that fits its algorithm, or holds a private one.',
  'proof.signature': 'The signature of the proof is not one of the key that it holds.',
  'proof.method': 'The proof is about another method ("htm").',
  'proof.url': 'The proof is about another URL ("htu"), or the door was not told its own.',
  'proof.time': 'The proof was made more than a minute ago, or ahead ("iat").',
  'proof.token': 'The proof is about another token ("ath").',
  'proof.replayed': 'The proof was used before.',
  'proof.unbound':
    'A proof came with a token or key that is not bound to any, or a bound one as plain Bearer.',
  'certificate.form': 'The client certificate cannot be read, is not trusted, or is not what SPIFFE demands.',
  'certificate.expired': 'The client certificate has ended or begins later.',
  'certificate.unmapped': 'No rule of the configuration maps the client certificate to a caller.',
  'issuer.unreachable': 'The keys of the issuer were never read, or not for 24 hours.',
  'user.unknown': 'There is no such user, and the issuer may not bring users that nobody made.',
  'service.unknown': 'There is no such service.',
  'caller.service': 'The name of the user is that of a service.',
  'caller.alike': 'A caller has the name in other letters, upper case for lower case.',
  'caller.malformed': 'The name of the user has not the form of a name.',
  'group.malformed': 'A group in the token has not the form of a name.',
  'role.malformed': 'A role in the token has not the form of a name.',
  'space.unknown': 'There is no such space.',
  'space.other': 'The token names another space than the one that the user is in.',
  'tenant.other': 'The token names another tenant than the one of the space.',
} as const satisfies Record<string, string>

export type Unproven = keyof typeof UNPROVEN

/** The refusal of whoever is not proven. Besides the reason, `detail` is for the ledger and sensitive unless it is classed. */
export function unproven(reason: Unproven, detail: FaultDetail = {}): Fault {
  return new Fault('caller.unknown', { ...detail, reason })
}
