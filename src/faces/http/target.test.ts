import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import { decodePart, isHost, parseTarget } from './target.ts'

const HOST = 'door.example:4400'

const GOOD: readonly (readonly [
  why: string,
  target: string,
  path: string,
  query: readonly (readonly string[])[],
])[] = [
  ['a path', '/v1/models', '/v1/models', []],
  ['the root', '/', '/', []],
  ['an encoded space', '/v1/models/my%20model', '/v1/models/my%20model', []],
  ['UTF-8', '/v1/models/%C3%A9', '/v1/models/%C3%A9', []],
  ['a colon and an at', '/v1/models/llama:8b@1', '/v1/models/llama:8b@1', []],
  ['an empty query', '/a?', '/a', []],
  [
    'pairs in order',
    '/a?b=1&b=2&a=',
    '/a',
    [
      ['b', '1'],
      ['b', '2'],
      ['a', ''],
    ],
  ],
  ['a name alone', '/a?b', '/a', [['b', '']]],
  ['a plus is a space', '/a?b=c+d', '/a', [['b', 'c d']]],
  ['anything encoded in a query', '/a?b=%2F%2e%25%5C', '/a', [['b', '/.%\\']]],
  ['two slashes in a query', '/a?u=http://x/', '/a', [['u', 'http://x/']]],
  ['three dots', '/a/...', '/a/...', []],
  ['absolute form, own host', 'http://door.example:4400/a?b=1', '/a', [['b', '1']]],
  ['absolute form, other case', 'HTTPS://DOOR.example:4400/a', '/a', []],
]

const BAD: readonly (readonly [why: string, target: string])[] = [
  ['empty', ''],
  ['a fragment', '/a#b'],
  ['a fragment in the query', '/a?b#c'],
  ['a backslash', '/a\\b'],
  ['an encoded backslash', '/a%5cb'],
  ['dots', '/a/../b'],
  ['dots at the end', '/a/..'],
  ['one dot', '/a/./b'],
  ['an encoded dot', '/a/%2e%2e/b'],
  ['half-encoded dots', '/a/.%2E/b'],
  ['two slashes', '/a//b'],
  ['two slashes first', '//evil.example/a'],
  ['an encoded slash', '/v1/models/a%2Fb'],
  ['an encoded percent', '/a%252e'],
  ['an encoded NUL', '/a%00'],
  ['an encoded line feed', '/a%0a'],
  ['an encoded control in a query', '/a?b=%0d'],
  ['a broken escape', '/a%2'],
  ['a broken escape in the query', '/a?b=%zz'],
  ['bytes that are not UTF-8', '/a?b=%ff'],
  ['overlong UTF-8', '/a?b=%c0%af'],
  ['a surrogate in UTF-8', '/a?b=%ed%a0%80'],
  ['a space', '/a b'],
  ['a tab', '/a\tb'],
  ['a control byte', '/a\u{1}'],
  ['not ASCII', '/\u{e9}'],
  ['a quote', '/a"b'],
  ['a brace', '/a{b}'],
  ['a square bracket', '/a?b[]=c'],
  ['a circumflex', '/a^b'],
  ['asterisk form', '*'],
  ['authority form', 'door.example:4400'],
  ['absolute form, other host', 'http://evil.example/a'],
  ['absolute form, other port', 'http://door.example:4401/a'],
  ['absolute form with a user', 'http://x@door.example:4400/a'],
  ['absolute form without a path', 'http://door.example:4400'],
  ['absolute form, dots', 'http://door.example:4400/../a'],
  ['another scheme', 'ftp://door.example:4400/a'],
  ['too long', `/${'a'.repeat(2_048)}`],
  ['too many pairs', `/a?${'b&'.repeat(64)}`],
]

test('parseTarget reads what has one meaning: path and ordered pairs', () => {
  for (const [why, target, path, query] of GOOD) {
    const parsed = parseTarget(target, HOST)
    assert.equal(parsed.path, path, why)
    assert.deepEqual(parsed.query, query, why)
    assert.equal(`/${parsed.segments.join('/')}`, path, why)
  }
})

test('parseTarget refuses what two programs could read differently: target.invalid', () => {
  for (const [why, target] of BAD)
    assert.throws(() => parseTarget(target, HOST), { code: 'target.invalid' }, why)
})

test('parseTarget gives plain segments or a fault: for any text', () => {
  const part = fc.constantFrom(
    '/',
    '.',
    '%',
    '%2',
    '%2e',
    '%2F',
    '\\',
    '#',
    '?',
    '&',
    '=',
    'a',
    '//',
    'http://',
    HOST,
    '\u{0}',
    'é',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 12 }), (parts) => {
      try {
        const { path, segments } = parseTarget(parts.join(''), HOST)
        assert.match(path, /^\/[\w\-.~!$&'()*+,;=:@/%]*$/)
        assert.equal(new URL(path, 'http://x').pathname, path, 'no other parser changes it')
        for (const segment of segments) assert.doesNotMatch(decodePart(segment), /[/\\]|^\.{1,2}$/)
      } catch (thrown) {
        assert.ok(thrown instanceof Fault, String(thrown))
        assert.equal(thrown.code, 'target.invalid')
      }
    }),
    { numRuns: 3_000, seed: 20_261_122 },
  )
})

test('isHost accepts a host and a port: nothing that a URL would be cut at', () => {
  for (const host of ['a', 'a.b:1', '127.0.0.1:4400', '[::1]:4400', '[::1]'])
    assert.equal(isHost(host), true, host)
  for (const host of [
    '',
    'x/#@y',
    'a b',
    'a:',
    'a:b',
    'u@h',
    'a,b',
    '[::1',
    'a?b',
    'a\\b',
    'a'.repeat(254),
    'é',
  ])
    assert.equal(isHost(host), false, host)
})
