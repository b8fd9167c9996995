import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { loadConfig } from './config.ts'

/** Whether the configuration is taken. */
function isTaken(text: string): boolean {
  try {
    loadConfig(`models: { echo: { provider: echo } }\n${text}`, 'gatehouse.yaml')
    return true
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'config.invalid', String(thrown))
    return false
  }
}

const ISSUER = 'issuer: https://login.example, audiences: [gate]'

test('loadConfig takes an issuer, audiences and rules for certificates that can only be meant in one way', () => {
  const cases: readonly (readonly [why: string, text: string, isRight: boolean])[] = [
    ['an origin', 'identity: { issuer: "https://gate.example" }', true],
    ['an origin with a port', 'identity: { issuer: "https://gate.example:4400" }', true],
    ['this machine', 'identity: { issuer: "http://127.0.0.1:4400" }', true],
    ['a slash', 'identity: { issuer: "https://gate.example/" }', false],
    ['a path', 'identity: { issuer: "https://gate.example/a" }', false],
    ['capitals', 'identity: { issuer: "https://Gate.example" }', false],
    ['the usual port', 'identity: { issuer: "https://gate.example:443" }', false],
    ['plain text over a network', 'identity: { issuer: "http://gate.example" }', false],
    ['no URL', 'identity: { issuer: gate }', false],
    [
      'an audience',
      'identity: { audiences: { payments: { ttl_s: 900, binding: required, scopes: [a] } } }',
      true,
    ],
    ['a token for longer', 'identity: { audiences: { payments: { ttl_s: 901 } } }', false],
    ['a token for no time', 'identity: { audiences: { payments: { ttl_s: 29 } } }', false],
    ['an audience with a space', 'identity: { audiences: { "a b": {} } }', false],
    ['a scope with a space', 'identity: { audiences: { payments: { scopes: ["a b"] } } }', false],
    ['a rule', 'identity: { certificates: [{ dns: "*.example.org", caller: ci }] }', true],
    [
      'a rule of two names',
      'identity: { certificates: [{ dns: a.example, email: a@example, caller: ci }] }',
      false,
    ],
    ['a rule of no name', 'identity: { certificates: [{ caller: ci }] }', false],
    ['a rule for every host', 'identity: { certificates: [{ uri: "spiffe://*/ci", caller: ci }] }', false],
    ['a rule for no caller', 'identity: { certificates: [{ dns: a.example }] }', false],
    ['an issuer', `identity: { issuers: { login: { ${ISSUER} } } }`, true],
    ['an issuer of our name', `identity: { issuers: { gatehouse: { ${ISSUER} } } }`, false],
    [
      'an issuer that is us',
      `identity: { issuer: "https://login.example", issuers: { login: { ${ISSUER} } } }`,
      false,
    ],
    ['certificates', 'tls: { cert: a, key: b, client_certificates: request, client_ca: c }', true],
    ['certificates of nobody', 'tls: { cert: a, key: b, client_certificates: required }', false],
    ['authorities for nothing', 'tls: { cert: a, key: b, client_ca: c }', false],
  ]
  for (const [why, text, isRight] of cases) assert.equal(isTaken(text), isRight, why)
})
