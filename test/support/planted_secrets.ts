import { generateKeyPairSync } from 'node:crypto'
import { base62Checksum } from '../../src/base/base62_checksum.ts'

/** A secret of a known kind inside a sentence. All are made at run time; none was ever given out. */
export interface PlantedSecret {
  readonly kind: string
  /** The rule that must find it. */
  readonly rule: string
  /** The text to plant. */
  readonly text: string
  /** The part of it that must never be seen again. */
  readonly secret: string
}

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const ALPHABETS: Readonly<Record<string, string>> = {
  upper: UPPER,
  digit: DIGITS,
  hex: `${DIGITS}abcdef`,
  base36: DIGITS + LOWER,
  base32: `${UPPER}234567`,
  base62: DIGITS + UPPER + LOWER,
  base64: `${DIGITS}${UPPER}${LOWER}+/`,
  base64url: `${DIGITS}${UPPER}${LOWER}-_`,
  bech32: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
}

/** Random but repeatable numbers below 2^32 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** `randomNumbers` as fractions from 0 to below 1, as `Math.random` gives them. */
export function randomFractions(seed: number): () => number {
  const next = randomNumbers(seed)
  return () => next() / 0x1_0000_0000
}

export type Fill = (form: string) => string

/**
 * Fills forms such as `abc_{base62:30}{checksum:30}` with repeatable random text; `checksum:N` is the checksum of the N
 * characters before it, `checksum:0` of all of them.
 */
export function fillerOf(seed: number): Fill {
  const next = randomNumbers(seed)
  return (form) => {
    let filled = ''
    for (const part of form.split(/(\{\w+:\d+\})/)) {
      const [, name, count] = /^\{(\w+):(\d+)\}$/.exec(part) ?? []
      const length = Number(count)
      const alphabet = ALPHABETS[name ?? '']
      if (name === undefined) filled += part
      else if (alphabet !== undefined)
        filled += Array.from({ length }, () => alphabet.charAt(next() % alphabet.length)).join('')
      else filled += base62Checksum(length === 0 ? filled.slice(0, -1) : filled.slice(-length))
    }
    return filled
  }
}

/** Credentials that a prefix tells: kind, rule, form. */
export const PREFIXED: readonly (readonly [kind: string, rule: string, form: string])[] = [
  ['our key, live', 'gatehouse', 'gate_live_{base62:12}_{base62:32}_{checksum:0}'],
  ['our key, test', 'gatehouse', 'gate_test_{base62:12}_{base62:32}_{checksum:0}'],
  ['GitHub personal token', 'github', 'ghp_{base62:30}{checksum:30}'],
  ['GitHub OAuth token', 'github', 'gho_{base62:30}{checksum:30}'],
  ['GitHub user-to-server token', 'github', 'ghu_{base62:30}{checksum:30}'],
  ['GitHub installation token', 'github', 'ghs_{base62:30}{checksum:30}'],
  ['GitHub installation token, long', 'github', 'ghs_{base62:120}.{base64url:80}'],
  ['GitHub refresh token', 'github', 'ghr_{base62:76}'],
  ['GitHub fine-grained token', 'github', 'github_pat_{base62:22}_{base62:59}'],
  ['npm token', 'npm', 'npm_{base62:30}{checksum:30}'],
  ['Stripe secret key', 'stripe', 'sk_live_{base62:99}'],
  ['Stripe restricted key', 'stripe', 'rk_live_{base62:24}'],
  ['Hugging Face token', 'huggingface', 'hf_{base62:34}'],
  ['Groq key', 'groq', 'gsk_{base62:52}'],
  ['Replicate token', 'replicate', 'r8_{base62:37}'],
  ['DigitalOcean token', 'digitalocean', 'dop_v1_{hex:64}'],
  ['Shopify token', 'shopify', 'shpat_{hex:32}'],
  ['Linear key', 'linear', 'lin_api_{base62:40}'],
  ['OpenAI key, old', 'openai', 'sk-{base62:20}T3BlbkFJ{base62:20}'],
  ['OpenAI key, project', 'openai', 'sk-proj-{base64url:74}T3BlbkFJ{base64url:74}'],
  ['OpenAI-like key, hexadecimal', 'openai', 'sk-{hex:32}'],
  ['Anthropic key', 'anthropic', 'sk-ant-api03-{base64url:93}AA'],
  ['xAI key', 'xai', 'xai-{base62:80}'],
  ['Perplexity key', 'perplexity', 'pplx-{base62:48}'],
  ['GitLab token', 'gitlab', 'glpat-{base62:20}'],
  ['GitLab token, routable', 'gitlab', 'glpat-{base62:44}.01.{base36:9}'],
  ['Slack bot token', 'slack', 'xoxb-{digit:12}-{digit:13}-{base62:24}'],
  ['Slack user token', 'slack', 'xoxp-{digit:12}-{digit:12}-{hex:32}'],
  ['Slack app token', 'slack', 'xapp-1-A{base62:10}-{digit:13}-{hex:64}'],
  ['Slack webhook', 'slack', 'hooks.slack.com/services/T{base62:10}/B{base62:10}/{base62:24}'],
  ['Google API key', 'google', 'AIza{base64url:35}'],
  ['Google client secret', 'google', 'GOCSPX-{base64url:28}'],
  ['Postman key', 'postman', 'PMAK-{hex:24}-{hex:34}'],
  ['PyPI token', 'pypi', 'pypi-AgEIcHlwaS5vcmc{base64url:150}'],
  ['age identity', 'age', 'AGE-SECRET-KEY-1{bech32:58}'],
  ['AWS key id', 'aws_key', 'AKIA{base32:16}'],
  ['AWS temporary key id', 'aws_key', 'ASIA{base32:16}'],
  ['SendGrid key', 'sendgrid', 'SG.{base64url:22}.{base64url:43}'],
  ['Azure storage key', 'azure', 'AccountKey={base64:86}'],
  ['Azure bus key', 'azure', 'SharedAccessKey={base64:43}'],
]

/** Credentials that what stands around them tells: kind, rule, before, secret, after. */
export const SURROUNDED: readonly (readonly [
  kind: string,
  rule: string,
  ...form: readonly [string, string, string],
])[] = [
  ['URL password', 'url', 'postgres://app:', '{base62:16}', '@db.internal:5432/main'],
  ['URL password without a user', 'url', 'redis://:', '{base62:24}', '@cache/0'],
  ['bearer token', 'bearer', 'curl -H "Authorization: Bearer ', '{base62:40}', '" https://x'],
  ['AWS secret after its id', 'aws_secret', 'AKIA{base32:16}\n', '{base64:40}', '\n'],
  ['AWS secret before its id', 'aws_secret', 'secret and id: ', '{base64:40}', ' AKIA{base32:16}'],
  ['AWS secret after its name', 'aws_secret', 'aws_secret_access_key = ', '{base64:40}', '\n'],
  ['AWS secret in JSON', 'aws_secret', '{"SecretAccessKey": "', '{base64:40}', '"}'],
]

/** At least 40 different secrets, at least one of every kind that the detectors know. */
export function plantedSecrets(seed: number): readonly PlantedSecret[] {
  const fill = fillerOf(seed)
  return [
    ...PREFIXED.map(([kind, rule, form]) =>
      planted(kind, rule, ['please use ', fill(form), ' for it, thanks']),
    ),
    ...SURROUNDED.map(([kind, rule, ...form]) =>
      planted(kind, rule, [fill(form[0]), fill(form[1]), fill(form[2])]),
    ),
    ...encodedSecrets(fill),
  ]
}

function planted(
  kind: string,
  rule: string,
  [before, secret, after]: readonly [string, string, string],
): PlantedSecret {
  return { kind, rule: `credential.${rule}`, text: before + secret + after, secret }
}

function encodedSecrets(fill: Fill): readonly PlantedSecret[] {
  const ed25519 = pem('ed25519')
  const rsa = pem('rsa')
  const basic = Buffer.from(fill('bot:{base62:12}')).toString('base64')
  return [
    planted('basic credentials', 'basic', ['Authorization: Basic ', basic, '']),
    planted('JWT', 'jwt', ['token: ', jwt(fill, { alg: 'HS256', typ: 'JWT' }), ';']),
    planted('JWT, long header', 'jwt', ['', jwt(fill, { kid: fill('{hex:600}'), alg: 'ES256' }), '']),
    planted('PEM, PKCS 8', 'pem', ['here it is:\n', ed25519, '\nbye']),
    planted('PEM, EC', 'pem', ['key = ', pem('ec'), '']),
    planted('PEM, line ends escaped', 'pem', ['{"private_key":"', rsa.replaceAll('\n', '\\n'), '"}']),
    planted('PEM, on one line', 'pem', ['KEY="', ed25519.trim().replaceAll('\n', ' '), '"']),
    planted('PEM, cut off', 'pem', ['log: ', rsa.slice(0, 400), '']),
    planted('PEM, cut off, line ends escaped', 'pem', [
      'log: ',
      rsa.slice(0, 400).replaceAll('\n', '\\n'),
      '',
    ]),
  ]
}

export function jwt(fill: Fill, header: object): string {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return [encoded(header), encoded({ sub: fill('{hex:12}'), exp: 1 }), fill('{base64url:43}')].join('.')
}

function pem(type: 'ed25519' | 'ec' | 'rsa'): string {
  if (type === 'ed25519') return generateKeyPairSync(type).privateKey.export({ type: 'pkcs8', format: 'pem' })
  if (type === 'ec') {
    return generateKeyPairSync(type, { namedCurve: 'P-256' }).privateKey.export({
      type: 'sec1',
      format: 'pem',
    })
  }
  return generateKeyPairSync(type, { modulusLength: 1_024 }).privateKey.export({
    type: 'pkcs1',
    format: 'pem',
  })
}
