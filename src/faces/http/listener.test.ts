import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { describeRule, ruleFor, type ListenerAsk } from './listener.ts'

const NOW = Date.UTC(2026, 10, 22)
const EXCEPTION = { reason: 'TLS ends in the mesh', expiresAt: NOW + 86_400_000 }
const DOOR: ListenerAsk = {
  name: 'door',
  hasTls: false,
  hasCredential: true,
  hasProxies: false,
  exception: undefined,
}
const METRICS: ListenerAsk = { ...DOOR, name: 'metrics', hasCredential: false }
const EXCEPTED: ListenerAsk = { ...DOOR, hasProxies: true, exception: EXCEPTION }

const CASES: readonly (readonly [why: string, ask: ListenerAsk, host: string, expected: string])[] = [
  ['loopback', DOOR, '127.0.0.1', 'loopback'],
  ['all of 127.0.0.0/8', DOOR, '127.1.2.3', 'loopback'],
  ['IPv6 loopback', DOOR, '::1', 'loopback'],
  ['mapped loopback', DOOR, '::ffff:127.0.0.1', 'loopback'],
  ['loopback with TLS', { ...DOOR, hasTls: true }, '127.0.0.1', 'tls'],
  ['every address', DOOR, '0.0.0.0', 'listener.exposed'],
  ['every IPv6 address', DOOR, '::', 'listener.exposed'],
  ['a private address', DOOR, '10.0.0.1', 'listener.exposed'],
  ['a name is not an address', DOOR, 'localhost', 'listener.exposed'],
  ['TLS', { ...DOOR, hasTls: true }, '0.0.0.0', 'tls'],
  ['admin with TLS', { ...DOOR, name: 'admin', hasTls: true }, '::', 'tls'],
  ['metrics on loopback', METRICS, '127.0.0.1', 'loopback'],
  ['metrics with TLS alone', { ...METRICS, hasTls: true }, '0.0.0.0', 'listener.exposed'],
  ['metrics with a token alone', { ...METRICS, hasCredential: true }, '0.0.0.0', 'listener.exposed'],
  ['metrics with both', { ...METRICS, hasTls: true, hasCredential: true }, '0.0.0.0', 'tls'],
  ['the exception', EXCEPTED, '0.0.0.0', 'insecure'],
  ['the exception on loopback', EXCEPTED, '127.0.0.1', 'loopback'],
  ['the exception without proxies', { ...EXCEPTED, hasProxies: false }, '0.0.0.0', 'listener.exposed'],
  ['the exception for admin', { ...EXCEPTED, name: 'admin' }, '0.0.0.0', 'listener.exposed'],
  ['the exception for metrics', { ...EXCEPTED, name: 'metrics' }, '0.0.0.0', 'listener.exposed'],
  [
    'the exception at its end',
    { ...EXCEPTED, exception: { ...EXCEPTION, expiresAt: NOW } },
    '0.0.0.0',
    'listener.exposed',
  ],
]

test('ruleFor opens loopback, TLS with a credential, and the one declared exception: nothing else', () => {
  for (const [why, ask, host, expected] of CASES) {
    const bound = { host, port: 4400 }
    if (expected === 'listener.exposed')
      assert.throws(
        () => ruleFor(ask, bound, NOW),
        {
          code: expected,
          detail: { listener: ask.name, address: host.includes(':') ? `[${host}]:4400` : `${host}:4400` },
        },
        why,
      )
    else assert.equal(ruleFor(ask, bound, NOW).kind, expected, why)
  }
})

test('ruleFor says in one line how to put it right: one way for each cause', () => {
  const asks = [
    DOOR,
    METRICS,
    { ...METRICS, hasTls: true },
    { ...EXCEPTED, exception: { ...EXCEPTION, expiresAt: 0 } },
  ]
  const said = asks.map((ask) => {
    try {
      ruleFor(ask, { host: '10.0.0.1', port: 1 }, NOW)
    } catch (thrown) {
      if (thrown instanceof Fault) return thrown.say ?? ''
    }
    return ''
  })
  assert.equal(new Set(said).size, asks.length)
  for (const line of said) assert.doesNotMatch(line, /^$|\n/)
})

test('describeRule tells each rule apart: with the end and the reason of an exception', () => {
  assert.equal(
    describeRule({ kind: 'insecure', ...EXCEPTION }),
    'plain text, only from trusted proxies, until 2026-11-23: TLS ends in the mesh',
  )
  const words = (['socket', 'loopback', 'tls'] as const).map((kind) => describeRule({ kind }))
  assert.equal(new Set(words).size, 3)
})
