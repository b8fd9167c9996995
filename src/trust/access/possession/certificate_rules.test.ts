import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callersOf, isRuleName, type CertificateRule } from './certificate_rules.ts'

const CERTIFICATE = {
  thumbprint: 't',
  subject: 'CN=ci,O=Example',
  uris: ['spiffe://example.org/ns/build/sa/ci'],
  dnsNames: ['ci.example.org'],
  emails: ['ci@example.org'],
  notAfter: 0,
}

test('callersOf compares whole names, with one segment free where a rule says so', () => {
  const cases: readonly (readonly [by: CertificateRule['by'], name: string, fits: boolean])[] = [
    ['uri', 'spiffe://example.org/ns/build/sa/ci', true],
    ['uri', 'spiffe://example.org/ns/*/sa/ci', true],
    ['uri', 'spiffe://example.org/ns/build/sa/*', true],
    ['uri', 'spiffe://example.org/ns/*', false],
    ['uri', 'spiffe://example.org/ns/build/sa/c', false],
    ['uri', 'spiffe://example.org/ns/*/build/sa/ci', false],
    ['dns', 'ci.example.org', true],
    ['dns', '*.example.org', true],
    ['dns', '*.org', false],
    ['dns', 'example.org', false],
    ['email', 'ci@example.org', true],
    ['email', 'CI@example.org', false],
    ['subject', 'CN=ci,O=Example', true],
    ['subject', 'CN=ci', false],
  ]
  for (const [by, name, fits] of cases)
    assert.equal(callersOf([{ by, name, caller: 'ci' }], CERTIFICATE).size, fits ? 1 : 0, `${by} ${name}`)
})

test('callersOf gives every caller that a rule names, each once: who has two has none', () => {
  const rule = { by: 'dns', name: 'ci.example.org', caller: 'ci' } as const
  assert.deepEqual(
    [...callersOf([rule, { ...rule, by: 'uri', name: 'spiffe://example.org/ns/*/sa/ci' }], CERTIFICATE)],
    ['ci'],
  )
  assert.equal(callersOf([rule, { ...rule, caller: 'other' }], CERTIFICATE).size, 2)
})

test('isRuleName takes one free segment, and none where it would name strangers', () => {
  const cases: readonly (readonly [by: CertificateRule['by'], name: string, isRight: boolean])[] = [
    ['uri', 'spiffe://example.org/ci', true],
    ['uri', 'spiffe://example.org/*/ci', true],
    ['uri', 'spiffe://*/ci', false],
    ['uri', 'spiffe://example.org/c*', false],
    ['uri', 'spiffe://example.org/*/*', false],
    ['uri', '*', false],
    ['dns', '*.example.org', true],
    ['dns', 'ci.*.org', false],
    ['dns', '*.', false],
    ['dns', 'c*.example.org', false],
    ['email', '*', false],
    ['subject', 'CN=*', false],
    ['subject', '', false],
  ]
  for (const [by, name, isRight] of cases) assert.equal(isRuleName(by, name), isRight, `${by} ${name}`)
})
