import { createHmac, sign, type KeyObject } from 'node:crypto'
import type { IssuerKey } from '../fakes/issuer.ts'

/** Tokens that no library would make: any text as a header and as claims, signed as well as can be. */

export function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url')
}

/** Signs both texts exactly as they stand. */
export async function signTexts(
  header: string | Uint8Array,
  claims: string | Uint8Array,
  key: Pick<IssuerKey, 'privateKey' | 'algorithm'>,
): Promise<string> {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = await crypto.subtle.sign(
    PARAMETERS[key.algorithm] ?? key.algorithm,
    key.privateKey,
    Buffer.from(input),
  )
  return `${input}.${encode(new Uint8Array(signature))}`
}

const PARAMETERS: Readonly<
  Record<string, { readonly name: string; readonly hash?: string; readonly saltLength?: number }>
> = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
}

/** As whoever takes a public key for a shared secret would check it. */
export function macTexts(header: object, claims: object, secret: string | Uint8Array): string {
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** With a signature of ECDSA in the form of X.509 instead of that of JWS. */
export function signAsCertificate(header: object, claims: object, key: KeyObject): string {
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`
  return `${input}.${encode(sign('sha256', Buffer.from(input), { key, dsaEncoding: 'der' }))}`
}
