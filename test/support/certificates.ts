import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** What a certificate of a test is to say. */
export interface CertificateOrder {
  readonly name: string
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly emails?: readonly string[]
  readonly isAuthority?: boolean
  /** Bits of KeyUsage from the left; none where it is left out. */
  readonly keyUsage?: readonly number[]
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Extensions as they stand, in DER. */
  readonly extensions?: readonly Buffer[]
}

export interface Certificate {
  readonly name: string
  /** PEM. */
  readonly cert: string
  /** PKCS #8 PEM. */
  readonly key: string
  readonly der: Buffer
  readonly privateKey: KeyObject
}

const DAY_MS = 86_400_000
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))

/** Makes a certificate (RFC 5280) of the authority, or one that is its own. */
export function makeCertificate(order: CertificateOrder, authority?: Certificate): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const now = Date.now()
  const signed = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(authority?.name ?? order.name),
    sequence(time(order.notBefore ?? new Date(now - DAY_MS)), time(order.notAfter ?? new Date(now + DAY_MS))),
    nameOf(order.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensionsOf(order))),
  )
  const signature = sign('sha256', signed, authority?.privateKey ?? privateKey)
  const der = sequence(signed, ECDSA_WITH_SHA256, element(0x03, Buffer.concat([Buffer.from([0]), signature])))
  return {
    name: order.name,
    cert: `-----BEGIN CERTIFICATE-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    der,
    privateKey,
  }
}

/** An extension of a certificate, in DER. */
export function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [element(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, element(0x04, value))
}

export function element(tag: number, content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content])
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 + length.length]), length, content])
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts))
}

function oid(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, 'hex'))
}

function nameOf(text: string): Buffer {
  return sequence(element(0x31, sequence(oid('550403'), element(0x0c, Buffer.from(text)))))
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return element(0x17, Buffer.from(digits.slice(2)))
}

function extensionsOf(order: CertificateOrder): readonly Buffer[] {
  const { uris = [], dnsNames = [], emails = [], isAuthority = false, keyUsage, extensions = [] } = order
  const text = (tag: number) => (one: string) => element(tag, Buffer.from(one, 'latin1'))
  const names = [...emails.map(text(0x81)), ...dnsNames.map(text(0x82)), ...uris.map(text(0x86))]
  return [
    extension('551d13', isAuthority ? sequence(element(0x01, Buffer.from([0xff]))) : sequence(), true),
    ...(keyUsage === undefined ? [] : [extension('551d0f', bits(keyUsage), true)]),
    ...(names.length === 0 ? [] : [extension('551d11', sequence(...names))]),
    ...extensions,
  ]
}

function bits(set: readonly number[]): Buffer {
  const byte = set.reduce((all, bit) => all | (0x80 >> bit), 0)
  return element(0x03, Buffer.from([0, byte]))
}
