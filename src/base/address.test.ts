import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, parseListenAddress, plainAddress, printListenAddress, sourceBlock } from './address.ts'

const LISTEN: readonly (readonly [why: string, input: string, expected: string | undefined])[] = [
  ['IPv4', '127.0.0.1:4400', '127.0.0.1|4400'],
  ['IPv6 in brackets', '[::1]:4400', '::1|4400'],
  ['a name', 'localhost:0', 'localhost|0'],
  ['a name with dots', 'door.example.org:443', 'door.example.org|443'],
  ['the last port', '0.0.0.0:65535', '0.0.0.0|65535'],
  ['a port too high', '0.0.0.0:65536', undefined],
  ['no port', '127.0.0.1', undefined],
  ['no host', ':4400', undefined],
  ['IPv6 without brackets', '::1:4400', undefined],
  ['IPv4 in brackets', '[127.0.0.1]:4400', undefined],
  ['a short address that resolvers complete', '127.1:4400', undefined],
  ['a hexadecimal address', '0x7f000001:4400', undefined],
  ['an address out of range', '256.0.0.1:4400', undefined],
  ['a scheme', 'http://127.0.0.1:4400', undefined],
  ['a star', '*:4400', undefined],
]

test('parseListenAddress reads host and port: nothing is guessed', () => {
  for (const [why, input, expected] of LISTEN) {
    const address = parseListenAddress(input)
    assert.equal(address === undefined ? undefined : `${address.host}|${address.port}`, expected, why)
    if (address !== undefined) assert.equal(printListenAddress(address), input, why)
  }
})

test('isLoopback tells loopback: by the address, in every writing', () => {
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::1%lo',
  ])
    assert.equal(isLoopback(address), true, address)
  for (const address of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '::2',
    '1::1',
    '::ffff:10.0.0.1',
    'localhost',
    '',
  ])
    assert.equal(isLoopback(address), false, address)
})

test('plainAddress unmaps and drops the zone: one party has one address', () => {
  assert.equal(plainAddress('::ffff:10.1.2.3'), '10.1.2.3')
  assert.equal(plainAddress('::FFFF:0a01:0203'), '10.1.2.3')
  assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
  assert.equal(plainAddress('::10.1.2.3'), '::10.1.2.3')
  assert.equal(plainAddress('a:b'), 'a:b')
})

test('sourceBlock groups by what one party holds: /24, /56, loopback', () => {
  const cases: readonly (readonly [input: string, expected: string])[] = [
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2ff:1:2:3:4', '2001:db8:1:200::/56'],
    ['2001:db8:1:200::', '2001:db8:1:200::/56'],
    ['2001:db8:1:300::', '2001:db8:1:300::/56'],
    ['2001:db8::1', '2001:db8:0:0::/56'],
    ['127.3.3.3', 'loopback'],
    ['::1', 'loopback'],
    ['no address', 'unknown'],
  ]
  for (const [input, expected] of cases) assert.equal(sourceBlock(input), expected)
})
