import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillerOf, plantedSecrets } from '../../../test/support/planted_secrets.ts'
import { isQuick } from '../../../test/support/is_quick.ts'
import { pem } from './pem.ts'

const SEED = 20_261_122
const fill = fillerOf(SEED)
const BODY = fill('{base64:64}\n{base64:64}\n{base64:20}==\n')

for (const { kind, rule, text, secret } of plantedSecrets(SEED)) {
  if (rule !== 'credential.pem') continue
  test(`pem finds the whole key and little else: ${kind}`, () => {
    const start = text.indexOf(secret)
    const [finding, ...others] = pem.find(text)
    assert.deepEqual(others, [])
    assert.equal(finding?.rule, rule)
    assert.equal(finding.start, start)
    // A key ends with a line end that is no part of it.
    assert.ok(Math.abs(finding.end - (start + secret.trimEnd().length)) <= 2)
  })
}

const WHOLE: readonly (readonly [why: string, key: string])[] = [
  [
    'with another beginning inside',
    `-----BEGIN PRIVATE KEY-----\n-----BEGIN JUNK-----\n${BODY}-----END PRIVATE KEY-----`,
  ],
  [
    'with another end inside',
    `-----BEGIN PRIVATE KEY-----\n-----END JUNK-----\n${BODY}-----END PRIVATE KEY-----`,
  ],
  [
    'with a note before the base 64',
    `-----BEGIN PRIVATE KEY-----\n(${'so '.repeat(2_000)})\n${BODY}-----END PRIVATE KEY-----`,
  ],
  [
    'encrypted, with headers',
    `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${BODY}-----END RSA PRIVATE KEY-----`,
  ],
  [
    'of PGP',
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\nComment: x\n\n${BODY}=abcd\n-----END PGP PRIVATE KEY BLOCK-----`,
  ],
]

for (const [why, key] of WHOLE) {
  test(`pem finds a key: ${why}`, () => {
    assert.deepEqual(pem.find(`a ${key} b`), [{ rule: 'credential.pem', start: 2, end: 2 + key.length }])
  })
}

const CUT: readonly (readonly [why: string, begun: string])[] = [
  ['in the middle of the end marker', `-----BEGIN PRIVATE KEY-----\n${BODY}-----END PRIV`],
  [
    'with headers',
    `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${BODY}`,
  ],
  [
    'with headers and escaped line ends',
    `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${BODY}`.replaceAll('\n', String.raw`\n`),
  ],
  [
    'with headers of Windows',
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: X 1\n\n${BODY}`.replaceAll('\n', '\r\n'),
  ],
]

for (const [why, begun] of CUT) {
  test(`pem finds a key that is cut off: ${why}`, () => {
    const [finding, ...others] = pem.find(begun)
    assert.deepEqual(others, [])
    assert.equal(finding?.start, 0)
    const end = begun.includes('-----END') ? begun.indexOf('-----END') : begun.length
    assert.equal(finding.end, end)
  })
}

test('pem takes two keys for two, the first of them without an end', () => {
  const cut = fill('-----BEGIN EC PRIVATE KEY-----\n{base64:64}\n')
  const whole = fill('-----BEGIN RSA PRIVATE KEY-----\n{base64:64}\n-----END RSA PRIVATE KEY-----')
  assert.deepEqual(
    pem.find(`${cut}text between\n${whole}`).map(({ start }) => start),
    [0, cut.length + 'text between\n'.length],
  )
})

test('pem leaves the JSON around a key whole', () => {
  const before = '{"key":"'
  const key = fill('-----BEGIN PRIVATE KEY-----\\n{base64:64}\\n')
  const [finding] = pem.find(`${before}${key}"}`)
  assert.equal(finding?.start, before.length)
  assert.ok(finding.end <= before.length + key.length)
})

const HARMLESS: readonly (readonly [why: string, text: string])[] = [
  ['a public key', fill('-----BEGIN PUBLIC KEY-----\n{base64:64}\n-----END PUBLIC KEY-----')],
  ['a certificate', fill('-----BEGIN CERTIFICATE-----\n{base64:64}\n-----END CERTIFICATE-----')],
  [
    'the first line of a key alone',
    'It starts with -----BEGIN PRIVATE KEY----- and then come lines of base 64.',
  ],
  ['a key left out', '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----'],
  ['a key of one letter', `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n-----END PRIVATE KEY-----`],
  ['headers and no key', '-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n'],
  [
    'the first line of a key, then a certificate',
    fill(
      'It starts with -----BEGIN PRIVATE KEY----- and so on; -----BEGIN CERTIFICATE-----\n{base64:64}\n-----END CERTIFICATE-----',
    ),
  ],
  [
    'prose with a colon behind the first line',
    '-----BEGIN PRIVATE KEY-----\nnote: here come lines of base 64, which are left out',
  ],
]

for (const [why, text] of HARMLESS) {
  test(`pem passes: ${why}`, () => {
    assert.deepEqual(pem.find(text), [])
  })
}

const HOSTILE: readonly string[] = [
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN PRIVATE KEY-----\nAAAA\n',
  '-----BEGIN PRIVATE KEY-----\nA: b\n',
  `-----BEGIN PRIVATE KEY-----\n${'AAAA\n'.repeat(800)}`,
  '-----BEGIN AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAA ',
  '-----END ',
  '-----BEGIN PRIVATE KEY----- -----END X-----',
  '\\n',
]

for (const part of HOSTILE) {
  test(`pem is linear over 1 MB of ${JSON.stringify(part.slice(0, 50))} and of one run behind it`, () => {
    const run = part + 'aB3'.repeat(333_333)
    for (const text of [part.repeat(Math.ceil(1_000_000 / part.length)), run])
      assert.ok(isQuick(100, () => pem.find(text)))
  })
}
