import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientCertificate, Credential, Possession } from '#trust/access/caller.ts'
import { credentialOf, formCredentialOf } from './credential.ts'
import { readHeaders } from './headers.ts'

const CERTIFICATE: ClientCertificate = {
  thumbprint: 'cert',
  subject: '',
  uris: [],
  dnsNames: [],
  emails: [],
  notAfter: 0,
}

/** What is there, in one line: kind, tokens with their schemes and owners, proof, certificate. */
function print(credential: Credential): string {
  const { kind } = credential
  if (kind === 'bearer') return `bearer ${credential.token.open((text) => text)}`
  if (kind !== 'presented') return kind
  const tokens = credential.tokens.map(
    ({ scheme, token, owner = '' }) =>
      `${scheme} ${owner}${owner === '' ? '' : ':'}${token.open((text) => text)}`,
  )
  return [...tokens, ...printPossession(credential)].join(', ')
}

function printPossession({ proof, certificate }: Possession): readonly string[] {
  const shown =
    proof === undefined ? [] : [`proof ${proof.jwt.open((text) => text)} ${proof.method} ${proof.url}`]
  return certificate === undefined ? shown : [...shown, certificate.thumbprint]
}

const ABOUT = { method: 'POST', url: 'https://gate.example/a', certificate: undefined }
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

type Lines = readonly (readonly [name: string, value: string])[]

const read = (lines: Lines) => readHeaders(lines.flat())

test('credentialOf gives all that a request shows: what is twice or does not fit is malformed, never left out', () => {
  const cases: readonly (readonly [why: string, lines: Lines, expected: string])[] = [
    ['nothing', [], 'none'],
    ['a bearer token', [['Authorization', 'Bearer a']], 'bearer a'],
    ['a key in its own header', [['x-api-key', 'a']], 'bearer a'],
    [
      'both',
      [
        ['Authorization', 'Bearer a'],
        ['X-API-Key', 'b'],
      ],
      'bearer a, bearer b',
    ],
    [
      'both, the other way round',
      [
        ['x-api-key', 'b'],
        ['authorization', 'bearer a'],
      ],
      'bearer a, bearer b',
    ],
    [
      'a bad one beside a good one',
      [
        ['Authorization', 'x'],
        ['x-api-key', 'b'],
      ],
      'malformed',
    ],
    [
      'a good one beside a bad one',
      [
        ['Authorization', 'Bearer a'],
        ['x-api-key', 'b b'],
      ],
      'malformed',
    ],
    [
      'two keys',
      [
        ['x-api-key', 'a'],
        ['x-api-key', 'a'],
      ],
      'malformed',
    ],
    [
      'two of one and one of the other',
      [
        ['x-api-key', 'a'],
        ['Authorization', 'Bearer a'],
        ['Authorization', 'Bearer a'],
      ],
      'malformed',
    ],
    [
      'a bound token and its proof',
      [
        ['Authorization', 'DPoP a'],
        ['DPoP', 'p'],
      ],
      'dpop a, proof p POST https://gate.example/a',
    ],
    ['a bound token without a proof', [['Authorization', 'dpop a']], 'dpop a'],
    [
      'a bound token beside a key',
      [
        ['Authorization', 'DPoP a'],
        ['x-api-key', 'b'],
        ['dpop', 'p'],
      ],
      'dpop a, bearer b, proof p POST https://gate.example/a',
    ],
    [
      'a proof beside a plain one',
      [
        ['Authorization', 'Bearer a'],
        ['DPoP', 'p'],
      ],
      'bearer a, proof p POST https://gate.example/a',
    ],
    ['a proof and nothing else', [['DPoP', 'p']], 'malformed'],
    [
      'two proofs',
      [
        ['Authorization', 'DPoP a'],
        ['DPoP', 'p'],
        ['DPoP', 'p'],
      ],
      'malformed',
    ],
    ['Basic', [['Authorization', basic('ci:a')]], 'malformed'],
    [
      'Basic beside a key',
      [
        ['Authorization', basic('ci:a')],
        ['x-api-key', 'b'],
      ],
      'malformed',
    ],
  ]
  for (const [why, lines, expected] of cases)
    assert.equal(print(credentialOf(read(lines), ABOUT)), expected, why)
})

test('credentialOf counts the certificate of the connection as a credential', () => {
  const about = { ...ABOUT, certificate: CERTIFICATE }
  const bearer: Lines = [['Authorization', 'Bearer a']]
  assert.equal(print(credentialOf(read([]), about)), 'cert')
  assert.equal(print(credentialOf(read(bearer), about)), 'bearer a, cert')
  assert.equal(print(credentialOf(read([['Authorization', 'x']]), about)), 'malformed')
  const untrusted = { ...ABOUT, certificate: 'untrusted' } as const
  assert.equal(print(credentialOf(read(bearer), untrusted)), 'malformed')
})

test('formCredentialOf takes Basic, and keeps proof and certificate for what is asked for', () => {
  const cases: readonly (readonly [why: string, lines: Lines, expected: string, shown: readonly string[]])[] =
    [
      ['nothing', [], 'none', []],
      ['Basic', [['Authorization', basic('ci:a')]], 'bearer ci:a', []],
      ['Basic with escapes', [['Authorization', basic('a%40b+c:x%3Ay')]], 'bearer a@b c:x:y', []],
      ['Basic with an empty name', [['Authorization', basic(':a')]], 'bearer a', []],
      ['Basic without a secret', [['Authorization', basic('ci:')]], 'malformed', []],
      ['Basic without a colon', [['Authorization', basic('ci')]], 'malformed', []],
      ['Basic with a broken escape', [['Authorization', basic('ci:%')]], 'malformed', []],
      [
        'Basic twice',
        [
          ['Authorization', basic('ci:a')],
          ['Authorization', basic('ci:a')],
        ],
        'malformed',
        [],
      ],
      [
        'Basic beside a key',
        [
          ['Authorization', basic('ci:a')],
          ['x-api-key', 'b'],
        ],
        'malformed',
        [],
      ],
      ['a key', [['Authorization', 'Bearer a']], 'bearer a', []],
      [
        'a key and a proof',
        [
          ['Authorization', 'Bearer a'],
          ['DPoP', 'p'],
        ],
        'bearer a',
        ['proof p POST https://gate.example/a'],
      ],
      ['a proof alone', [['DPoP', 'p']], 'none', ['proof p POST https://gate.example/a']],
      [
        'two proofs',
        [
          ['DPoP', 'p'],
          ['DPoP', 'p'],
        ],
        'malformed',
        [],
      ],
      [
        'a bound token',
        [
          ['Authorization', 'DPoP a'],
          ['DPoP', 'p'],
        ],
        'malformed',
        [],
      ],
      ['another scheme', [['Authorization', 'Digest a']], 'malformed', []],
    ]
  for (const [why, lines, expected, shown] of cases) {
    const found = formCredentialOf(read(lines), ABOUT)
    assert.equal(print(found.credential), expected, why)
    assert.deepEqual(printPossession(found.possession), shown, why)
  }
  const about = { ...ABOUT, certificate: CERTIFICATE }
  const alone = formCredentialOf(read([]), about)
  assert.deepEqual([print(alone.credential), printPossession(alone.possession)], ['none', ['cert']])
  assert.equal(
    print(formCredentialOf(read([['Authorization', 'Bearer a']]), about).credential),
    'bearer a, cert',
  )
  assert.equal(
    print(formCredentialOf(read([]), { ...ABOUT, certificate: 'untrusted' }).credential),
    'malformed',
  )
})
