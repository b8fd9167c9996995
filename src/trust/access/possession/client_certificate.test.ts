import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import {
  element,
  extension,
  makeCertificate,
  type CertificateOrder,
} from '../../../../test/support/certificates.ts'
import { readClientCertificate } from './client_certificate.ts'

const CA = makeCertificate({ name: 'ca', isAuthority: true, keyUsage: [5, 6] })
const SIGNS = 5

function read(order: Partial<CertificateOrder>): ReturnType<typeof readClientCertificate> {
  return readClientCertificate(new X509Certificate(makeCertificate({ name: 'ci', ...order }, CA).der))
}

test('readClientCertificate reads the names of all kinds, and the thumbprint of RFC 8705', () => {
  const notAfter = new Date('2030-01-02T03:04:05Z')
  const made = makeCertificate(
    {
      name: 'ci,1',
      uris: ['https://example.org/a'],
      dnsNames: ['CI.Example.org', 'b.example.org'],
      emails: ['ci@example.org'],
      keyUsage: [0],
      notAfter,
    },
    CA,
  )
  assert.deepEqual(readClientCertificate(new X509Certificate(made.der)), {
    thumbprint: createHash('sha256').update(made.der).digest('base64url'),
    subject: 'CN=ci\\,1',
    uris: ['https://example.org/a'],
    dnsNames: ['ci.example.org', 'b.example.org'],
    emails: ['ci@example.org'],
    notAfter: notAfter.getTime(),
  })
})

test('readClientCertificate takes a SPIFFE id as X.509-SVID demands, and nothing that signs certificates', () => {
  const id = 'spiffe://example.org/ns/build/sa/ci'
  const cases: readonly (readonly [why: string, order: Partial<CertificateOrder>, isTaken: boolean])[] = [
    ['nothing but a name', {}, true],
    ['one id', { uris: [id] }, true],
    ['two ids', { uris: [id, 'spiffe://example.org/other'] }, false],
    ['an id and another URI', { uris: [id, 'https://example.org'] }, false],
    ['two other URIs', { uris: ['https://a.example', 'https://b.example'] }, true],
    ['a query', { uris: [`${id}?x`] }, false],
    ['an empty segment', { uris: ['spiffe://example.org//ci'] }, false],
    ['a port', { uris: ['spiffe://example.org:1/ci'] }, false],
    ['the scheme in capitals', { uris: ['SPIFFE://example.org/ci'] }, false],
    ['an authority', { isAuthority: true }, false],
    ['a right to sign certificates', { keyUsage: [0, SIGNS] }, false],
    ['other rights', { keyUsage: [0, 1, 2, 3, 4, 6, 7] }, true],
    ['a name that ends at a NUL for others', { dnsNames: ['good.example\0.evil.example'] }, false],
    ['an empty name', { dnsNames: [''] }, false],
  ]
  for (const [why, order, isTaken] of cases) assert.equal(read(order) !== undefined, isTaken, why)
})

test('readClientCertificate gives nothing for what is no certificate', () => {
  const good = new X509Certificate(makeCertificate({ name: 'ci', dnsNames: ['ci.example'] }, CA).der)
  const facts = { subject: good.subject, ca: false, validToDate: good.validToDate }
  assert.notEqual(readClientCertificate({ ...facts, raw: good.raw }), undefined)
  for (const raw of [Buffer.alloc(0), Buffer.from('3003020101', 'hex'), good.raw.subarray(0, 80)])
    assert.equal(readClientCertificate({ ...facts, raw }), undefined)
  const twice = extension('551d11', element(0x30, element(0x82, Buffer.from('other.example'))))
  assert.equal(
    readClientCertificate({
      ...facts,
      raw: makeCertificate({ name: 'ci', dnsNames: ['a.example'], extensions: [twice] }, CA).der,
    }),
    undefined,
  )
})
