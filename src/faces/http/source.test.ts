import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sources } from './source.ts'

const PROXIES = ['10.0.0.0/8', 'fd00::/8']
const CASES: readonly (readonly [why: string, peer: string, forwarded: string, expected: string])[] = [
  ['no proxy', '203.0.113.9', '1.2.3.4', '203.0.113.9'],
  ['a proxy without the header', '10.0.0.1', '', '10.0.0.1'],
  ['a proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['two proxies', '10.0.0.1', '203.0.113.9, 10.0.0.2', '203.0.113.9'],
  ['what a stranger wrote to the left', '10.0.0.1', '127.0.0.1, ::ffff:203.0.113.9', '203.0.113.9'],
  ['proxies only', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['with a port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
  ['IPv6 with a port', 'fd00::1', '[2001:db8::9]:4711', '2001:db8::9'],
  ['IPv6', 'fd00::1', '2001:db8::9', '2001:db8::9'],
  ['garbage', '10.0.0.1', 'unknown', '10.0.0.1'],
  ['garbage behind a proxy', '10.0.0.1', '203.0.113.9, _hidden, 10.0.0.2', '10.0.0.2'],
  ['an empty hop', '10.0.0.1', '203.0.113.9,', '10.0.0.1'],
  ['more hops than are looked at', '10.0.0.1', `203.0.113.9${',10.0.0.2'.repeat(40)}`, '10.0.0.2'],
]

test('sourceOf takes the right-most address that is not ours: and the header of a stranger never', () => {
  const sources = new Sources(PROXIES)
  for (const [why, peer, forwarded, expected] of CASES)
    assert.equal(sources.sourceOf(peer, forwarded), expected, why)
  assert.equal(new Sources([]).sourceOf('10.0.0.1', '203.0.113.9'), '10.0.0.1', 'nobody is trusted')
})

test('isTrustedProxy is false without proxies: an empty list trusts nobody', () => {
  assert.equal(new Sources([]).isTrustedProxy('127.0.0.1'), false)
  assert.equal(new Sources(PROXIES).isTrustedProxy('10.1.1.1'), true)
  assert.equal(new Sources(PROXIES).isTrustedProxy('11.1.1.1'), false)
  assert.equal(new Sources(PROXIES).isTrustedProxy(''), false)
  assert.throws(() => new Sources(['x']), TypeError)
})
