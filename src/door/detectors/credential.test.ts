import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillerOf, plantedSecrets } from '../../../test/support/planted_secrets.ts'
import { isQuick } from '../../../test/support/is_quick.ts'
import { credential } from './credential.ts'

const SEED = 20_261_122
const fill = fillerOf(SEED)
const RULES = ['url', 'bearer', 'basic', 'jwt', 'aws_secret'].map((name) => `credential.${name}`)
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

for (const { kind, rule, text, secret } of plantedSecrets(SEED)) {
  if (!RULES.includes(rule)) continue
  test(`credential finds the whole secret and little else: ${kind}`, () => {
    const start = text.indexOf(secret)
    const [finding, ...others] = credential.find(text)
    assert.deepEqual(others, [])
    assert.equal(finding?.rule, rule)
    assert.deepEqual([finding.start, finding.end], [start, start + secret.length])
  })
}

test('credential finds a JWT right behind other letters of its alphabet', () => {
  const jwt = [encoded({ alg: 'none' }), encoded({ a: 1 }), fill('{base64url:43}')].join('.')
  assert.deepEqual(credential.find(`xxx${jwt}`), [{ rule: 'credential.jwt', start: 3, end: 3 + jwt.length }])
})

test('credential joins findings that overlap', () => {
  const jwt = [encoded({ alg: 'ES256' }), encoded({ sub: 'a' }), fill('{base64url:86}')].join('.')
  const found = credential.find(`Authorization: Bearer ${jwt}`)
  assert.equal(found.length, 1)
  assert.equal(found[0]?.end, 'Authorization: Bearer '.length + jwt.length)
})

const ALSO: readonly (readonly [why: string, before: string, secret: string, after: string])[] = [
  ['a bearer token behind two spaces', 'Authorization: Bearer  ', fill('{base62:40}'), '\n'],
  ['a bearer token behind a tab', 'authorization: bearer\t', fill('{base62:40}'), '"'],
  ['a bearer token of great length', 'Bearer ', fill('{base64url:9000}'), ' '],
  ['basic credentials behind a tab', 'Basic\t', Buffer.from(fill('bot:{base62:12}')).toString('base64'), ''],
  ['a URL password with a slash', 'postgres://app:', fill('{base62:6}/{base62:6}'), '@db.internal/main'],
  ['a URL password with a hash', 'postgres://app:', fill('{base62:6}#{base62:6}'), '@db.internal'],
  ['a URL password with a question mark', 'amqp://app:', fill('{base62:6}?{base62:6}'), '@[::1]:5672'],
  ['a URL password with a sign of its own', 'redis://:', fill('{base62:6}@{base62:6}'), '@cache/0'],
  [
    'a URL password that begins like nothing, with a sign and a slash',
    'ftp://a:',
    fill('p@{base62:6}/{base62:6}'),
    '@files',
  ],
]

for (const [why, before, secret, after] of ALSO) {
  test(`credential finds exactly the secret: ${why}`, () => {
    const [finding, ...others] = credential.find(before + secret + after)
    assert.deepEqual(others, [])
    assert.deepEqual([finding?.start, finding?.end], [before.length, before.length + secret.length])
  })
}

const HARMLESS: readonly (readonly [why: string, text: string])[] = [
  ['base 64 of JSON without alg', `${encoded({ typ: 'x' })}.${encoded({ a: 1 })}.${fill('{base64url:43}')}`],
  ['base 64 of an array', `eyJ${fill('{base64url:30}')}.${encoded([])}.${fill('{base64url:43}')}`],
  ['two parts of a JWT', `${encoded({ alg: 'HS256' })}.${encoded({ sub: 'a' })}`],
  ['a JWT with its signature left out', `${encoded({ alg: 'HS256' })}.${encoded({ sub: 'a' })}.signature`],
  ['a URL', 'https://example.org:8443/a:b@c?x=http://y'],
  ['a URL with a user', 'ssh://git@example.org/repo.git'],
  ['a URL with an empty password', 'ftp://anonymous:@example.org/'],
  ['a URL with the word password', 'postgres://user:password@localhost/db'],
  ['a URL with a variable', 'postgres://app:${DB_PASSWORD}@db/main'],
  ['a URL with brackets', 'mysql://<user>:<password>@<host>/'],
  ['a URL with stars', 'redis://:****@cache'],
  ['a URL with the user as password', 'amqp://guest:guest@localhost'],
  ['a URL without a host', 'http://a:secret-value@'],
  ['a URL with a port and a scope', 'http://localhost:3000/@vite/client and https://example.org:443/a/@b'],
  ['a URL with a port in words and a scope', 'http://localhost:PORT/@types/node'],
  ['a URL with a port and an address', 'https://example.org:8443/?mail=a@example.org'],
  ['a URL with a port and a fragment', 'https://example.org:8443/x#a@example.org'],
  ['a path of Windows in a URL', 'file://C:/Users/me@home/notes.txt'],
  ['a URL and an address behind it', 'https://example.org/a:b c@example.org'],
  ['two slashes in prose', '://nothing:here@all'],
  ['a bearer in a manual', 'Authorization: Bearer YOUR_TOKEN'],
  ['a bearer of words', 'The Bearer of-this-letter-is-known-to-me and may pass'],
  ['a bearer variable', 'Authorization: Bearer ${TOKEN}'],
  ['the word basic', 'Basic authentication is not what we use, and Basic dXNlcg== is a user alone'],
  ['basic with a placeholder', `Authorization: Basic ${Buffer.from('user:password').toString('base64')}`],
  ['basic of bytes', `Basic ${Buffer.from([0x80, 0x3a, 0x81, 0x82, 0x83, 0x84, 0x85]).toString('base64')}`],
  ['a git hash beside an AWS id', fill('AKIA{base32:16} {hex:40}')],
  ['forty letters far from any AWS id', fill('{base64:40}')],
  ['an AWS label with a placeholder', `aws_secret_access_key = ${'x'.repeat(40)}`],
  [
    'an AWS label with the manual key',
    `secretAccessKey: "${['wJalrXUtnFEMI', 'K7MDENG', 'bPxRfiCYEXAMPLEKEY'].join('/')}"`,
  ],
  ['a longer run near an AWS label', fill('aws_secret_access_key {base64:41}')],
]

for (const [why, text] of HARMLESS) {
  test(`credential passes: ${why}`, () => {
    assert.deepEqual(
      credential.find(text).filter(({ rule }) => rule !== 'credential.aws_key'),
      [],
    )
  })
}

const HOSTILE: readonly string[] = [
  'J',
  'eyJ',
  'eyJ.',
  'eyJhbGciOiJI.a.aaaaaaaaaaaaaaaaaa.',
  '://',
  'a://b:',
  'a://b:cdef@h/',
  'a://b:c@',
  'a://b:c@/',
  `a://b:${'@'.repeat(500)}`,
  'https://user:pass@host/',
  'Bearer ',
  'Basic ',
  'Basic YTpiY2RlZmc= ',
  'AKIA',
  `AKIA${'2'.repeat(16)}`,
  'ecretAccessKey',
  'aws_secret_access_key=',
]

for (const part of HOSTILE) {
  test(`credential is linear over 1 MB of ${JSON.stringify(part.slice(0, 16))} and of one run behind it`, () => {
    const run = part + 'aB3'.repeat(333_333)
    for (const text of [part.repeat(Math.ceil(1_000_000 / part.length)), run]) {
      assert.ok(isQuick(100, () => credential.find(text)))
    }
  })
}
