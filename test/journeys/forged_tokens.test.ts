import { exportSPKI } from 'jose'
import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { openHomeLedger } from '#faces/cli/home_ledger.ts'
import { makeIssuerKey, startIssuer, type FakeIssuer, type IssuerKey } from '../fakes/issuer.ts'
import { removeHome, startDoor, temporaryHome, type DoorProcess } from '../support/gatehouse_process.ts'
import { gatehouse } from '../support/gatehouse_process.ts'
import { encode, macTexts, signAsCertificate, signTexts } from '../support/signed_texts.ts'

/**
 * Every way that is known to get past the check of a token, each against a door that runs: refused with the same answer,
 * and with its own reason in the ledger.
 */

type Claims = Readonly<Record<string, unknown>>

let home: string
let door: DoorProcess
let corp: FakeIssuer
let partner: FakeIssuer
let ec: IssuerKey
let rsa: IssuerKey
let pss: IssuerKey
let thief: IssuerKey
let encrypting: IssuerKey
let weak: { readonly jwk: object; readonly privateKey: KeyObject }

before(async () => {
  home = await temporaryHome()
  ec = await makeIssuerKey('ec')
  rsa = await makeIssuerKey('rsa', 'RS256')
  pss = await makeIssuerKey('pss', 'PS256')
  thief = await makeIssuerKey('ec')
  encrypting = await makeIssuerKey('encrypting')
  const pair = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  weak = { jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid: 'weak' }, privateKey: pair.privateKey }
  corp = await startIssuer([
    ec.publicJwk,
    rsa.publicJwk,
    pss.publicJwk,
    { ...encrypting.publicJwk, use: 'enc' },
    weak.jwk,
  ])
  partner = await startIssuer([ec.publicJwk])
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models: { echo: { provider: echo } }
trusted_proxies: ["127.0.0.0/8"]
identity:
  issuers:
    corp:
      issuer: ${corp.issuer}
      audiences: [gatehouse]
      algorithms: [ES256, RS256]
      clients: [app]
      user_prefix: "corp:"
      unknown_users: allow
      groups: { path: groups }
      roles: { path: ["https://example.com/roles"] }
      services: { claim: client_id }
    partner:
      issuer: ${partner.issuer}
      audiences: [gatehouse]
      keys_url: ${partner.origin}/keys
      user_prefix: "partner:"
      tenant: { path: org, required: true }
`,
  )
  door = await startDoor(home)
  await writeFile(
    path.join(home, 'policies', 'people.cedar'),
    '@id("people") permit (principal is User, action == Action::"model:list", resource);',
  )
  for (const args of [
    ['policy', 'apply'],
    ['key', 'create', '--name', 'robot'],
  ]) {
    const { status, stdout, stderr } = await gatehouse([...args, '--home', home])
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  }
})

after(async () => {
  await door.stop()
  await corp.close()
  await partner.close()
  await removeHome(home)
})

const HEADER = { alg: 'ES256', kid: 'ec', typ: 'at+jwt' }
const good = (claims: Claims = {}): Claims => corp.claims({ azp: 'app', ...claims })
const now = (): number => Math.floor(Date.now() / 1_000)
/** Signed by the right key, with these claims and these members of the header. */
const signed = async (claims: Claims, header: object = {}): Promise<string> =>
  signTexts(JSON.stringify({ ...HEADER, ...header }), JSON.stringify(good(claims)), ec)
const signedTexts = async (header: string | Uint8Array, claims: string | Uint8Array): Promise<string> =>
  signTexts(header, claims, ec)
const text = (claims: Claims = {}): string => JSON.stringify(good(claims))
const withMore = (members: string): string => text().replace(/\}$/, `,${members}}`)
const nested = (levels: number): string => `"x":${'['.repeat(levels)}${']'.repeat(levels)}`
const cut = (token: string, signature: string): string =>
  `${token.slice(0, token.lastIndexOf('.'))}.${signature}`
const spki = async (): Promise<string> => exportSPKI(rsa.publicKey)
const names = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => at.toString(36).padStart(2, '0'))

type Row = readonly [why: string, reason: string, token: () => string | Promise<string>]

const ROWS: readonly Row[] = [
  ['it has two parts', 'token.form', async () => (await signed({})).split('.').slice(0, 2).join('.')],
  ['it has four parts', 'token.form', async () => `${await signed({})}.AAAA`],
  ['it is encrypted', 'token.form', () => `${encode('{"alg":"dir","enc":"A256GCM"}')}..AAAA.AAAA.AAAA`],
  ['it has padding', 'token.form', async () => `${await signed({})}==`],
  ['it is longer than 8 KiB', 'token.form', async () => signed({ x: 'x'.repeat(8_192) })],
  ['the signature has bits that stand for nothing', 'token.form', async () => nonCanonical(await signed({}))],
  ['the header is no JSON', 'token.form', async () => signedTexts('alg=ES256', text())],
  ['the header is a list', 'token.form', async () => signedTexts('[{"alg":"ES256"}]', text())],
  ['the claims are no JSON', 'token.form', async () => signedTexts(JSON.stringify(HEADER), 'sub=alice')],
  ['the claims are a list', 'token.form', async () => signedTexts(JSON.stringify(HEADER), `[${text()}]`)],
  [
    'the claims are not UTF-8',
    'token.form',
    async () => signedTexts(JSON.stringify(HEADER), Buffer.from(withMore('"x":"\u{FF}"'), 'latin1')),
  ],
  [
    'the claims begin with a mark',
    'token.form',
    async () => signedTexts(JSON.stringify(HEADER), `\u{FEFF}${text()}`),
  ],
  [
    'a claim holds half a character',
    'token.form',
    async () => signedTexts(JSON.stringify(HEADER), withMore('"x":"\\ud800"')),
  ],
  [
    'a claim is __proto__',
    'token.form',
    async () => signedTexts(JSON.stringify(HEADER), withMore('"__proto__":{"sub":"root"}')),
  ],
  [
    'something follows the claims',
    'token.form',
    async () => signedTexts(JSON.stringify(HEADER), `${text()}{}`),
  ],
  [
    'a claim stands there twice',
    'token.duplicate',
    async () => signedTexts(JSON.stringify(HEADER), withMore('"sub":"root"')),
  ],
  [
    'once of them escaped',
    'token.duplicate',
    async () => signedTexts(JSON.stringify(HEADER), withMore('"\\u0073ub":"root"')),
  ],
  [
    'twice inside another',
    'token.duplicate',
    async () => signedTexts(JSON.stringify(HEADER), withMore('"x":{"a":1,"a":2}')),
  ],
  [
    'the algorithm stands there twice',
    'token.duplicate',
    async () => signedTexts('{"alg":"none","alg":"ES256","kid":"ec"}', text()),
  ],
  [
    'it is nested nine levels deep',
    'token.nested',
    async () => signedTexts(JSON.stringify(HEADER), withMore(nested(9))),
  ],
  [
    'it is nested 2,500 levels deep',
    'token.nested',
    async () => signedTexts(JSON.stringify(HEADER), withMore(nested(2_500))),
  ],
  [
    'it is nested 5,000 levels deep',
    'token.form',
    async () => signedTexts(JSON.stringify(HEADER), withMore(nested(5_000))),
  ],
  ['the header is nested', 'token.nested', async () => signedTexts(`{"alg":"ES256",${nested(9)}}`, text())],
  ['no algorithm, and no signature', 'token.form', () => `${encode('{"alg":"none"}')}.${encode(text())}.`],
  ['no algorithm', 'token.algorithm', () => `${encode('{"alg":"none"}')}.${encode(text())}.AAAA`],
  ['no algorithm, in other letters', 'token.algorithm', async () => signed({}, { alg: 'nOnE' })],
  ['the algorithm is missing', 'token.algorithm', async () => signed({}, { alg: undefined })],
  ['the algorithm is a number', 'token.algorithm', async () => signed({}, { alg: 7 })],
  ['the algorithm is in lower case', 'token.algorithm', async () => signed({}, { alg: 'es256' })],
  [
    'the public key as a secret, in PEM',
    'token.algorithm',
    async () => macTexts({ ...HEADER, alg: 'HS256', kid: 'rsa' }, good(), await spki()),
  ],
  [
    'the public key as a secret, as JSON',
    'token.algorithm',
    () => macTexts({ ...HEADER, alg: 'HS256', kid: 'rsa' }, good(), JSON.stringify(rsa.publicJwk)),
  ],
  ['an empty secret', 'token.algorithm', () => macTexts({ ...HEADER, alg: 'HS256' }, good(), '')],
  [
    'an algorithm that this issuer may not use',
    'token.algorithm',
    async () => signTexts(JSON.stringify({ ...HEADER, alg: 'PS256', kid: 'pss' }), text(), pss),
  ],
  ['an algorithm of longer hashes', 'token.algorithm', async () => signed({}, { alg: 'ES512' })],
  ['a demand that nobody understands', 'token.critical', async () => signed({}, { crit: ['exp'], exp: 1 })],
  ['an empty list of demands', 'token.critical', async () => signed({}, { crit: [] })],
  ['claims that are not encoded', 'token.critical', async () => signed({}, { crit: ['b64'], b64: false })],
  ['a word on encoding alone', 'token.critical', async () => signed({}, { b64: true })],
  ['no type', 'token.type', async () => signed({}, { typ: undefined })],
  ['a proof of possession', 'token.type', async () => signed({}, { typ: 'dpop+jwt' })],
  ['a word to sign out', 'token.type', async () => signed({}, { typ: 'logout+jwt' })],
  ['a type that is no text', 'token.type', async () => signed({}, { typ: 1 })],
  ['no key is named among several', 'token.key_missing', async () => signed({}, { kid: undefined })],
  ['the key is unknown', 'token.key_unknown', async () => signed({}, { kid: 'made-up' })],
  ['the key is a path', 'token.key_unknown', async () => signed({}, { kid: '../../../../dev/null' })],
  ['the key is a query', 'token.key_unknown', async () => signed({}, { kid: "x' UNION SELECT 'key" })],
  ['the key is a number', 'token.key_unknown', async () => signed({}, { kid: 1 })],
  ['a key of RSA with a signature of ECDSA', 'token.key_unknown', async () => signed({}, { kid: 'rsa' })],
  [
    'a key of ECDSA with a signature of RSA',
    'token.key_unknown',
    async () => signTexts(JSON.stringify({ ...HEADER, alg: 'RS256' }), text(), rsa),
  ],
  [
    'a key for encryption',
    'token.key_unknown',
    async () => signTexts(JSON.stringify({ ...HEADER, kid: 'encrypting' }), text(), encrypting),
  ],
  ['a key that is too short', 'token.key_unknown', async () => shortSigned()],
  [
    'a key of the header',
    'token.signature',
    async () => signTexts(JSON.stringify({ ...HEADER, jwk: thief.publicJwk }), text(), thief),
  ],
  [
    'keys behind a link',
    'token.signature',
    async () => signTexts(JSON.stringify({ ...HEADER, jku: `${partner.origin}/stolen` }), text(), thief),
  ],
  [
    'a certificate of the header',
    'token.signature',
    async () =>
      signTexts(JSON.stringify({ ...HEADER, x5c: ['MIIB'], x5u: `${partner.origin}/stolen` }), text(), thief),
  ],
  [
    'another key by the same name',
    'token.signature',
    async () => signTexts(JSON.stringify(HEADER), text(), thief),
  ],
  [
    'claims of another token',
    'token.signature',
    async () => swapped(await signed({}), text({ sub: 'root' })),
  ],
  [
    'a header of another token',
    'token.signature',
    async () => (await signed({})).replace(/^[^.]+/, encode(JSON.stringify({ ...HEADER, x: 1 }))),
  ],
  ['half a signature', 'token.signature', async () => cut(await signed({}), encode(new Uint8Array(32)))],
  ['a signature of zeros', 'token.signature', async () => cut(await signed({}), encode(new Uint8Array(64)))],
  [
    'a signature in the form of certificates',
    'token.signature',
    () => signAsCertificate(HEADER, good(), KeyObject.from(ec.privateKey)),
  ],
  ['an issuer that nobody knows', 'token.issuer', async () => signed({ iss: 'https://login.example' })],
  ['no issuer', 'token.issuer', async () => signed({ iss: undefined })],
  ['a slash behind the issuer', 'token.issuer', async () => signed({ iss: `${corp.issuer}/` })],
  ['several issuers', 'token.issuer', async () => signed({ iss: [corp.issuer] })],
  [
    'the keys of one issuer under the name of another',
    'token.audience',
    async () => signed({ iss: partner.issuer, aud: 'other' }),
  ],
  ['another audience', 'token.audience', async () => signed({ aud: 'other' })],
  ['a part of our name', 'token.audience', async () => signed({ aud: 'gate' })],
  ['no audience', 'token.audience', async () => signed({ aud: undefined })],
  ['an empty list of audiences', 'token.audience', async () => signed({ aud: [] })],
  ['an audience that is no text', 'token.audience', async () => signed({ aud: ['gatehouse', 1] })],
  ['another client', 'token.client', async () => signed({ azp: 'other' })],
  ['two clients', 'token.client', async () => signed({ azp: 'app', client_id: 'other' })],
  ['it has ended', 'token.expired', async () => signed({ iat: now() - 900, exp: now() - 61 })],
  ['it never ends', 'token.expired', async () => signed({ exp: undefined })],
  ['its end is a text', 'token.expired', async () => signed({ exp: '9999999999' })],
  ['its end is beyond all times', 'token.expired', async () => signed({ exp: 1e308 })],
  ['it begins later', 'token.not_yet_valid', async () => signed({ nbf: now() + 120 })],
  ['it comes from the future', 'token.future', async () => signed({ iat: now() + 120 })],
  ['it lives too long', 'token.lifetime', async () => signed({ exp: now() + 86_400 })],
  [
    'it says nothing of its age and lives too long',
    'token.lifetime',
    async () => signed({ iat: undefined, exp: now() + 86_400 }),
  ],
  ['no subject', 'token.subject', async () => signed({ sub: undefined })],
  ['a subject that is a number', 'token.subject', async () => signed({ sub: 1 })],
  ['groups that are an object', 'token.claim', async () => signed({ groups: { admins: true } })],
  ['more than a thousand groups', 'token.claim', async () => signed({ groups: names(1_001) })],
  ['a group with a space', 'group.malformed', async () => signed({ groups: ['Domain Admins'] })],
  ['a role with a quote', 'role.malformed', async () => signed({ 'https://example.com/roles': ['a"b'] })],
  ['a name with a line feed', 'caller.malformed', async () => signed({ sub: 'alice\nroot' })],
  ['a service that nobody made', 'service.unknown', async () => signed({ sub: 'app', client_id: 'app' })],
  ['bound to a key that was not shown', 'proof.unbound', async () => signed({ cnf: { jkt: 'x' } })],
  [
    'no tenant where one is needed',
    'token.claim',
    async () => signTexts(JSON.stringify(HEADER), JSON.stringify(partner.claims()), ec),
  ],
  [
    'a user that nobody made',
    'user.unknown',
    async () => signTexts(JSON.stringify(HEADER), JSON.stringify(partner.claims({ org: 'default' })), ec),
  ],
  [
    'another tenant',
    'tenant.other',
    async () => signTexts(JSON.stringify(HEADER), JSON.stringify(partner.claims({ org: 'other' })), ec),
  ],
]

test('every forged token is refused with the same answer, and the ledger has its reason', async () => {
  assert.ok(ROWS.length >= 60, `${ROWS.length} rows`)
  await accepted()
  const asked = new Map<string, Row>()
  const bodies = new Set<string>()
  for (const [at, row] of ROWS.entries()) {
    const response = await send(await row[2](), `203.${String(at >> 4)}.${String(at & 15)}.1`)
    assert.equal(response.status, 401, row[0])
    const entry = response.headers.get('x-request-id') ?? ''
    bodies.add((await response.text()).replaceAll(entry, 'ENTRY'))
    asked.set(entry, row)
  }
  await accepted()
  const deepest = await signedTexts(JSON.stringify(HEADER), withMore(nested(10_000)))
  assert.equal((await send(deepest, '203.0.113.2')).status, 413, 'longer than all headers may be')
  assert.equal(bodies.size, 1, [...bodies].join('\n'))
  const ledger = await openHomeLedger(home)
  const entries = await ledger.range(0, 10_000)
  const refusals = new Map(entries.filter(({ kind }) => kind === 'refusal').map((entry) => [entry.id, entry]))
  const wrong = [...asked].flatMap(([id, [why, reason]]) => {
    const found = refusals.get(id)?.shown['reason']
    return found === reason ? [] : [`${why}: ${JSON.stringify(found)} instead of ${reason}`]
  })
  assert.deepEqual(wrong, [])
  assert.ok(!partner.asked.includes('/stolen'), 'no link of a header was followed')
  const { problems } = await ledger.verify(undefined)
  assert.deepEqual(problems, [])
})

/** The same door takes good tokens: all that the table shows would be worth nothing if it took none. */
async function accepted(): Promise<void> {
  for (const token of [
    await signed({}),
    await signed({ aud: ['other', 'gatehouse'] }),
    await signed({}, { typ: 'application/AT+JWT' }),
    await signTexts(JSON.stringify({ ...HEADER, alg: 'RS256', kid: 'rsa' }), text(), rsa),
    await signed({ groups: names(900) }),
  ])
    assert.equal((await send(token, '203.0.113.1')).status, 200)
}

async function send(token: string, from: string): Promise<Response> {
  return fetch(`${door.door}/v1/models`, {
    headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': from },
  })
}

/** The same bytes with another last letter. */
function nonCanonical(token: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(token.at(-1) ?? '')
  return `${token.slice(0, -1)}${letters.charAt(last ^ 1)}`
}

function swapped(token: string, claims: string): string {
  const [header = '', , signature = ''] = token.split('.')
  return `${header}.${encode(claims)}.${signature}`
}

async function shortSigned(): Promise<string> {
  const key = createPrivateKey(weak.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const privateKey = key.toCryptoKey(algorithm, false, ['sign'])
  return signTexts(JSON.stringify({ ...HEADER, alg: 'RS256', kid: 'weak' }), text(), {
    privateKey,
    algorithm: 'RS256',
  })
}
