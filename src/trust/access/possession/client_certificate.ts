import { sha256Base64Url } from '#base/crypto.ts'
import { readDer, type DerElement } from '#base/der.ts'
import type { ClientCertificate } from '../caller.ts'

/** What Node gives of the certificate of a peer (`X509Certificate`), as far as it is read here. */
export interface PeerCertificate {
  /** DER. */
  readonly raw: Uint8Array
  /** Attributes of the subject, one a line, escaped as RFC 4514 does. */
  readonly subject: string
  /** Whether basic constraints make it the certificate of an authority. */
  readonly ca: boolean
  readonly validToDate: Date
}

const SEQUENCE = 0x30
const OBJECT_ID = 0x06
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
/** `[3] EXPLICIT` of a TBSCertificate (RFC 5280 section 4.1). */
const EXTENSIONS = 0xa3
/** The choices of a GeneralName (RFC 5280 section 4.2.1.6) that name callers. */
const EMAIL = 0x81
const DNS_NAME = 0x82
const URI = 0x86
const KEY_USAGE = '551d0f'
const ALTERNATIVE_NAMES = '551d11'
/** Bit 5 of KeyUsage (RFC 5280 section 4.2.1.3), counted from the left of the first byte. */
const KEY_CERT_SIGN = 0x04
const SPIFFE = /^spiffe:/i
/** SPIFFE-ID section 2: a trust domain and a path without query, fragment, port or empty segments. */
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)*$/

/**
 * The facts of a client certificate whose chain TLS has verified. Undefined for one that cannot be read, that is an
 * authority's own, or that has a SPIFFE id and is not what X.509-SVID demands: exactly one URI, and no right to sign
 * certificates.
 */
export function readClientCertificate(peer: PeerCertificate): ClientCertificate | undefined {
  try {
    const extensions = extensionsOf(peer.raw)
    const names = namesIn(extensions.get(ALTERNATIVE_NAMES))
    const uris = textsOf(names, URI)
    const maySign = signsCertificates(extensions.get(KEY_USAGE))
    if (peer.ca || maySign || !isSpiffeRight(uris)) return undefined
    return Object.freeze({
      thumbprint: sha256Base64Url(peer.raw),
      subject: peer.subject.split('\n').toReversed().join(','),
      uris: Object.freeze(uris),
      dnsNames: Object.freeze(textsOf(names, DNS_NAME).map((name) => name.toLowerCase())),
      emails: Object.freeze(textsOf(names, EMAIL)),
      notAfter: peer.validToDate.getTime(),
    })
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

function isSpiffeRight(uris: readonly string[]): boolean {
  if (!uris.some((uri) => SPIFFE.test(uri))) return true
  return uris.length === 1 && SPIFFE_ID.test(uris[0] ?? '')
}

function extensionsOf(certificate: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const [signed] = readDer(only(readDer(certificate), SEQUENCE))
  const listed = readDer(signed?.content ?? new Uint8Array(0)).find(({ tag }) => tag === EXTENSIONS)
  const found = new Map<string, Uint8Array>()
  if (listed === undefined) return found
  for (const { content } of readDer(only(readDer(listed.content), SEQUENCE))) {
    const parts = readDer(content)
    const id = Buffer.from(parts.find(({ tag }) => tag === OBJECT_ID)?.content ?? []).toString('hex')
    const value = parts.find(({ tag }) => tag === OCTET_STRING)
    // RFC 5280 section 4.2: none twice, for readers differ in which one they take.
    if (value === undefined || found.has(id)) throw new RangeError('an extension that is none')
    found.set(id, value.content)
  }
  return found
}

function only(elements: readonly DerElement[], tag: number): Uint8Array {
  const [element, more] = elements
  if (element?.tag !== tag || more !== undefined) throw new RangeError('not one element of this kind')
  return element.content
}

function namesIn(extension: Uint8Array | undefined): readonly DerElement[] {
  return extension === undefined ? [] : readDer(only(readDer(extension), SEQUENCE))
}

/** IA5String: one with a control character or beyond ASCII is refused, as are names that end at a NUL for others. */
function textsOf(names: readonly DerElement[], tag: number): readonly string[] {
  return names
    .filter((name) => name.tag === tag)
    .map(({ content }) => {
      const text = Buffer.from(content).toString('latin1')
      if (!/^[!-~]+$/.test(text)) throw new RangeError('a name with other characters than printable ones')
      return text
    })
}

function signsCertificates(extension: Uint8Array | undefined): boolean {
  if (extension === undefined) return false
  // The first byte says how many bits at the end stand for nothing.
  const [, bits = 0] = only(readDer(extension), BIT_STRING)
  return (bits & KEY_CERT_SIGN) !== 0
}
