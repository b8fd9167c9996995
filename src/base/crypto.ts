import * as node from 'node:crypto'
import { utf8 } from './bytes.ts'

/** The one door to cryptography; `node:crypto` is imported nowhere else under `src`, except for random ids. */

export const SHA256_BYTES = 32
/** An option of TLS: no second handshake on a connection, which costs us more than whoever asks for it. */
export const NO_RENEGOTIATION: number = node.constants.SSL_OP_NO_RENEGOTIATION
/** An option of TLS: every connection with a handshake of its own, in which a client shows its certificate anew. */
export const NO_TICKETS: number = node.constants.SSL_OP_NO_TICKET
const AEAD = 'aes-256-gcm'
const AEAD_NONCE_BYTES = 12
const AEAD_TAG_BYTES = 16

export function sha256(bytes: Uint8Array | string): Uint8Array {
  return Buffer.from(sha256Latin1(bytes), 'latin1')
}

/** The hash as a text of one character per byte: it crosses from the engine in a third of the time of a Buffer. */
export function sha256Latin1(bytes: Uint8Array | string): string {
  return node.hash('sha256', bytes, 'latin1')
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return node.hash('sha256', bytes, 'hex')
}

/** For protocols that want it as a checksum (RFC 1864). It protects nothing. */
export function md5Base64(bytes: Uint8Array | string): string {
  return node.hash('md5', bytes, 'base64')
}

export function sha256Base64Url(bytes: Uint8Array | string): string {
  return node.hash('sha256', bytes, 'base64url')
}

/** HMAC (RFC 2104) of two one-shot hashes: a third of the time of an `Hmac` object, which is made for streams. */
export function hmacSha256(key: Uint8Array, message: Uint8Array | string): Uint8Array {
  return Buffer.from(hmacSha256Latin1(key, message), 'latin1')
}

/** The same as a text of one character per byte. */
export function hmacSha256Latin1(key: Uint8Array, message: Uint8Array | string): string {
  const text = typeof message === 'string' ? message : Buffer.from(message).toString('latin1')
  const coding = typeof message === 'string' ? 'utf8' : 'latin1'
  const most = HMAC_BLOCK_BYTES + 3 * text.length
  const inner = most <= HMAC_INNER.length ? HMAC_INNER : Buffer.allocUnsafe(most)
  padInto(inner, key.length > HMAC_BLOCK_BYTES ? sha256(key) : key)
  const end = HMAC_BLOCK_BYTES + inner.write(text, HMAC_BLOCK_BYTES, coding)
  const hash = sha256Latin1(inner.subarray(0, end))
  for (let at = 0; at < HMAC_BLOCK_BYTES; at++) HMAC_OUTER[at] = (inner[at] ?? 0) ^ INNER_PAD ^ OUTER_PAD
  HMAC_OUTER.write(hash, HMAC_BLOCK_BYTES, 'latin1')
  return sha256Latin1(HMAC_OUTER)
}

const HMAC_BLOCK_BYTES = 64
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c
// Used again by every call, none of which runs inside another: to make them anew costs as much as the hashes.
const HMAC_INNER = Buffer.alloc(1_024)
const HMAC_OUTER = Buffer.alloc(HMAC_BLOCK_BYTES + SHA256_BYTES)

function padInto(block: Uint8Array, key: Uint8Array): void {
  for (let at = 0; at < key.length; at++) block[at] = (key[at] ?? 0) ^ INNER_PAD
  for (let at = key.length; at < HMAC_BLOCK_BYTES; at++) block[at] = INNER_PAD
}

export function randomBytes(count: number): Uint8Array {
  return node.randomBytes(count)
}

/** Compares secrets in constant time; different lengths are unequal. */
export function equalSecrets(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && node.timingSafeEqual(left, right)
}

/** HKDF-SHA-256 (RFC 5869) without salt: `length` bytes bound to `info`. */
export function deriveKey(secret: Uint8Array, info: string, length = SHA256_BYTES): Uint8Array {
  return new Uint8Array(node.hkdfSync('sha256', secret, new Uint8Array(0), utf8(info), length))
}

/** AES-256-GCM: random 12-byte nonce, ciphertext, 16-byte tag, in this order. `key` is 32 bytes. */
export function seal(key: Uint8Array, plain: Uint8Array, bound: Uint8Array): Uint8Array {
  return beginSeal(key)(plain, bound)
}

/** Does what of `seal` needs no content, a third of its time; what it gives seals once. */
export function beginSeal(key: Uint8Array): (plain: Uint8Array, bound: Uint8Array) => Uint8Array {
  const nonce = newNonce()
  const cipher = node.createCipheriv(AEAD, key, nonce)
  return (plain, bound) => {
    cipher.setAAD(bound)
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }
}

/** Nonces that are drawn from the system at once, which costs a tenth for each. */
const POOL_NONCES = 128
let nonces = Buffer.alloc(0)
let noncesUsed = 0

function newNonce(): Uint8Array {
  if (noncesUsed === nonces.length) {
    nonces = node.randomBytes(AEAD_NONCE_BYTES * POOL_NONCES)
    noncesUsed = 0
  }
  noncesUsed += AEAD_NONCE_BYTES
  return nonces.subarray(noncesUsed - AEAD_NONCE_BYTES, noncesUsed)
}

/** Opens what `seal` made with the same key and bound data; undefined when either differs or a bit was changed. */
export function unseal(key: Uint8Array, sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
  if (sealed.length < AEAD_NONCE_BYTES + AEAD_TAG_BYTES) return undefined
  const decipher = node.createDecipheriv(AEAD, key, sealed.subarray(0, AEAD_NONCE_BYTES), {
    authTagLength: AEAD_TAG_BYTES,
  })
  decipher.setAAD(bound)
  decipher.setAuthTag(sealed.subarray(sealed.length - AEAD_TAG_BYTES))
  const plain = decipher.update(sealed.subarray(AEAD_NONCE_BYTES, sealed.length - AEAD_TAG_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return undefined
  }
}

/** Bytes that `sealPiece` adds. */
export const PIECE_TAG_BYTES = AEAD_TAG_BYTES

/** AES-256-GCM under a nonce of 12 bytes that the caller never uses twice with this key: ciphertext, then the tag. */
export function sealPiece(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = node.createCipheriv(AEAD, key, nonce)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Opens what `sealPiece` made with the same key and nonce; undefined when either differs or a bit was changed. */
export function openPiece(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const end = sealed.length - AEAD_TAG_BYTES
  if (end < 0) return undefined
  const decipher = node.createDecipheriv(AEAD, key, nonce, { authTagLength: AEAD_TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(0, end))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return undefined
  }
}

/** What scrypt (RFC 7914) costs: it takes `2 ** log2 * blocks * 128` bytes of memory. */
export interface ScryptCost {
  readonly log2: number
  readonly blocks: number
  readonly lanes: number
}

/** A key of 32 bytes from a passphrase, in a thread of its own. */
export async function scryptKey(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { log2, blocks, lanes }: ScryptCost,
): Promise<Uint8Array> {
  const cost = 2 ** log2
  // Twice what it needs: Node refuses what comes near.
  const options = { N: cost, r: blocks, p: lanes, maxmem: 2 * 128 * cost * blocks }
  return await new Promise((resolve, reject) => {
    node.scrypt(passphrase, salt, SHA256_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

/** A new Ed25519 key (RFC 8032) as PKCS #8 PEM. */
export function newEd25519Pem(): string {
  return node.generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** The 32 raw public bytes of an Ed25519 private key in PEM. */
export function ed25519PublicBytes(pem: string): Uint8Array {
  const spki = node.createPublicKey(pem).export({ type: 'spki', format: 'der' })
  // RFC 8410: a 12-byte header stands before the 32 bytes of the key.
  return spki.subarray(spki.length - SHA256_BYTES)
}

export function ed25519Signer(pem: string): (message: Uint8Array) => Uint8Array {
  const key = node.createPrivateKey(pem)
  return (message) => node.sign(null, message, key)
}

const ED25519_SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

export function ed25519Verify(publicBytes: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicBytes.length !== SHA256_BYTES) return false
  const der = Buffer.concat([ED25519_SPKI_HEADER, publicBytes])
  return node.verify(
    null,
    message,
    node.createPublicKey({ key: der, type: 'spki', format: 'der' }),
    signature,
  )
}

/** A new ML-DSA-44 key (FIPS 204) as PKCS #8 PEM, which holds its seed. */
export function newMlDsa44Pem(): string {
  return node.generateKeyPairSync('ml-dsa-44').privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** The raw public bytes of an ML-DSA-44 private key in PEM. Throws TypeError for another kind of key. */
export function mlDsa44PublicBytes(pem: string): Uint8Array {
  const key = node.createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ml-dsa-44') throw new TypeError('not an ML-DSA-44 key')
  return key.export({ type: 'spki', format: 'der' }).subarray(ML_DSA_44_SPKI_HEADER.length)
}

/** A signature takes half a millisecond: it is made in a thread of its own. */
export function mlDsa44Signer(pem: string): (message: Uint8Array) => Promise<Uint8Array> {
  const key = node.createPrivateKey(pem)
  return async (message) =>
    await new Promise((resolve, reject) => {
      node.sign(null, message, key, (error, signature) =>
        error === null ? resolve(signature) : reject(error),
      )
    })
}

export const ML_DSA_44_PUBLIC_BYTES = 1_312
/** SubjectPublicKeyInfo of RFC 9881 up to the bytes of the key. */
const ML_DSA_44_SPKI_HEADER = Buffer.from('30820532300b06096086480165030403110382052100', 'hex')

export function mlDsa44Verify(publicBytes: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicBytes.length !== ML_DSA_44_PUBLIC_BYTES) return false
  const der = Buffer.concat([ML_DSA_44_SPKI_HEADER, publicBytes])
  const key = node.createPublicKey({ key: der, type: 'spki', format: 'der' })
  return node.verify(null, message, key, signature)
}

/** A new P-256 key, for ES256 (RFC 7518 section 3.4), as PKCS #8 PEM. */
export function newEs256Pem(): string {
  const { privateKey } = node.generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** The public half of a P-256 private key in PEM as members of a JWK. Throws TypeError for another kind of key. */
export function es256PublicJwk(pem: string): {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
} {
  const { crv, x, y } = node.createPublicKey(pem).export({ format: 'jwk' })
  if (crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string')
    throw new TypeError('not a P-256 key')
  return { kty: 'EC', crv, x, y }
}

/** SHA-256 of what comes piece by piece. */
export class RunningSha256 {
  readonly #hash = node.createHash('sha256')

  add(bytes: Uint8Array | string): void {
    this.#hash.update(bytes)
  }

  /** Ends it; nothing can be added any more. */
  hex(): string {
    return this.#hash.digest('hex')
  }
}
