import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillerOf, plantedSecrets } from '../../../test/support/planted_secrets.ts'
import { isQuick } from '../../../test/support/is_quick.ts'
import { newKeyText, newKid } from '#trust/access/key.ts'
import { credential } from './credential.ts'
import { pem } from './pem.ts'
import { token } from './token.ts'

const SEED = 20_261_122
const fill = fillerOf(SEED)
const found = (text: string): readonly string[] => token.find(text).map(({ rule }) => rule)
const OTHER_RULES = ['url', 'bearer', 'basic', 'jwt', 'pem', 'aws_secret'].map((name) => `credential.${name}`)

for (const { kind, rule, text, secret } of plantedSecrets(SEED)) {
  if (OTHER_RULES.includes(rule)) continue
  test(`token finds exactly the secret: ${kind}`, () => {
    const start = text.indexOf(secret)
    assert.deepEqual(token.find(text), [{ rule, start, end: start + secret.length }])
  })
}

const ALSO: readonly (readonly [why: string, text: string, rule: string])[] = [
  ['a key of our own making', newKeyText({ environment: 'live', kid: newKid() }), 'credential.gatehouse'],
  ['text right before a checked token', fill('xghp_{base62:30}{checksum:30}'), 'credential.github'],
  ['text right after a checked token', fill('ghp_{base62:30}{checksum:30}and_more'), 'credential.github'],
  ['a token at the very end of a line of code', fill('const key = "sk-{base62:48}";\n'), 'credential.openai'],
  ['a token in a query', fill('https://x/?key=AIza{base64url:35}&a=b'), 'credential.google'],
  ['a token in JSON', fill('{"token":"glpat-{base62:20}"}'), 'credential.gitlab'],
  ['a token with 2,000 letters glued to it', fill(`sk-{base62:48}${'a'.repeat(2_000)}`), 'credential.openai'],
  ['a token with 2,000 letters in front', fill(`${'a'.repeat(2_000)}glpat-{base62:20}`), 'credential.gitlab'],
  ['a token of fixed length with letters glued to it', fill('AIza{base64url:50}'), 'credential.google'],
  ['a Slack token with letters glued to it', fill('xoxb-{digit:12}-{base62:2000}'), 'credential.slack'],
  ['SendGrid with letters glued to it', fill('SG.{base64url:22}.{base64url:60}'), 'credential.sendgrid'],
]

for (const [why, text, rule] of ALSO) {
  test(`token finds: ${why}`, () => {
    assert.deepEqual(found(text), [rule])
  })
}

test('token takes of a run no more than the token can be', () => {
  assert.deepEqual(token.find(fill('hf_{base62:2000}')), [
    { rule: 'credential.huggingface', start: 0, end: 'hf_'.length + 40 },
  ])
})

test('token finds all of several, in order', () => {
  const text = fill(
    'npm_{base62:30}{checksum:30} then hf_{base62:34} then AKIA{base32:16} then sk-{base62:40}',
  )
  assert.deepEqual(
    found(text),
    ['npm', 'huggingface', 'aws_key', 'openai'].map((name) => `credential.${name}`),
  )
})

/** What manuals, code and machines are full of. Neither detector may stop at any of it. */
const HARMLESS: readonly (readonly [why: string, text: string])[] = [
  ['a placeholder of x', `sk-${'x'.repeat(48)}`],
  ['a placeholder of stars', 'sk-************************'],
  ['a placeholder in words', 'sk-your-api-key-here-please-replace-it'],
  ['a placeholder of a range', 'sk-1234567890abcdefghijklmnopqrstuvwxyz'],
  ['a placeholder of one digit', `sk-proj-${'0'.repeat(60)}`],
  ['the example id of the AWS manual', ['AKIA', 'IOSFODNN7', 'EXAMPLE'].join('')],
  ['an AWS id that is too long', fill('AKIA{base32:17}')],
  ['an AWS id that is too short', fill('AKIA{base32:15} ')],
  ['an AWS id in lower case', fill('akia{base36:16}')],
  ['an AWS id of one letter', `AKIA${'A'.repeat(16)}`],
  ['a GitHub token with a wrong checksum', fill('ghp_{base62:30}AAAAAA')],
  ['a GitHub token of x', `ghp_${'x'.repeat(36)}`],
  ['an npm token with a wrong checksum', fill('npm_{base62:30}000000')],
  ['a key of ours with a wrong checksum', fill('gate_live_{base62:12}_{base62:32}_000000')],
  ['a key of ours that is too short', fill('gate_live_{base62:12}_{base62:31}_{checksum:0}')],
  ['the form of our keys', 'gate_<env>_<kid>_<secret>_<crc>'],
  ['an npm variable', 'npm_config_registry npm_lifecycle_event npm_package_version'],
  ['a Google key that is too short', fill('AIza{base64url:34} ')],
  ['a Google key of one letter', `AIza${'A'.repeat(35)}`],
  ['words that end like a prefix', fill('task-{base62:30} and disk-{base62:30} and half_{base62:34}')],
  ['classes of a style sheet', 'sk-folding-cube sk-cube-grid-animation sk-three-bounce-delay'],
  ['a Slack prefix in a text', 'xoxb-your-bot-token and xoxp-1234-5678'],
  ['a Slack webhook of the manual', 'hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX'],
  ['a Stripe test key', fill('sk_test_{base62:24}')],
  ['a git hash', fill('commit {hex:40}')],
  ['a git hash after a dash', fill('v1.2.3-14-g{hex:12}')],
  ['a SHA-256 digest', fill('sha256:{hex:64}')],
  ['an integrity field', fill('"integrity": "sha512-{base64:86}=="')],
  ['a UUID', fill('{hex:8}-{hex:4}-4{hex:3}-a{hex:3}-{hex:12}')],
  ['an entry id', fill('x-request-id: {base62:16}')],
  ['an image in base 64', fill('data:image/png;base64,iVBORw0KGgo{base64:4000}')],
  ['an id of a completion', fill('chatcmpl-{base62:29}')],
  ['an id of a tool call', fill('call_{base62:24}')],
  ['a file name', 'notes_2026-11-22_final-version_of-the_report.pdf'],
  ['names in code', 'const hf_model_name = get_default_hf_model_name_from_registry()'],
  [
    'a long kebab name',
    'xai-grok-style-prompt-for-the-summary-of-long-documents-in-many-languages-and-forms',
  ],
  ['SendGrid, too short', fill('SG.{base64url:10}.{base64url:20}')],
  ['a version with SG', 'MSG.length.toString().padStart(2)'],
  ['Azure without a key', 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=<your-key>;'],
  ['a path', '/usr/lib/x86_64-linux-gnu/libsk-network_manager-glue_and_more.so.1'],
  ['a short prefix in the middle of a file', fill('{base64url:600}-sk-{base64url:2000}')],
  ['prose', 'The key to the gate is live, and a test of the hub proves that glass-pats stick.'],
]

for (const [why, text] of HARMLESS) {
  test(`no detector stops at: ${why}`, () => {
    assert.deepEqual([...token.find(text), ...credential.find(text), ...pem.find(text)], [])
  })
}

const HOSTILE: readonly string[] = [
  'gate_live_',
  'github_pat_',
  'ghp_',
  'ghs_',
  'npm_',
  'sk_live_',
  'hf_',
  'sk-ant-',
  'sk-',
  'glpat-',
  'xoxb-',
  'xoxb-sk-ghp_',
  'AIza',
  'AKIA',
  'SG.',
  'SG.aaaaaaaaaaaaaaaaaaaaaa.',
  'AccountKey=',
  'pypi-AgE',
  `${'sk-'.repeat(340)} `,
  `${'sk-ant-'.repeat(36)} `,
  `${'glpat-'.repeat(53)} `,
  `${'xoxb-'.repeat(60)} `,
  `${'ghs_'.repeat(250)} `,
  '_',
  '-',
  fill('ghp_{base62:36} '),
  fill('gate_live_{base62:12}_{base62:32}_{base62:6}'),
]

for (const part of HOSTILE) {
  test(`token is linear over 1 MB of ${part.slice(0, 12)} and of one run behind it`, () => {
    const run = part + 'aB3'.repeat(333_333)
    for (const text of [part.repeat(Math.ceil(1_000_000 / part.length)), run]) {
      assert.ok(isQuick(100, () => token.find(text)))
    }
  })
}
