import { readFileSync } from 'node:fs'
import path from 'node:path'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { ALGORITHM_NAMES, type AlgorithmName } from '#trust/access/tokens/algorithms.ts'
import { checkHeader } from '#trust/access/tokens/check_header.ts'
import { SignatureChecks } from '#trust/access/tokens/check_signature.ts'
import { readKeySet, selectKey } from '#trust/access/tokens/key_set.ts'
import { readCompact } from '#trust/access/tokens/read_token.ts'
import { fixtureFolder } from '../support/fixtures.ts'

/** How one case came out; `notTaken` are good signatures that are refused on purpose. */
type Verdict = 'accepted' | 'refused' | 'notTaken' | 'wrong' | 'notApplicable'

export interface JoseAccount {
  readonly name: string
  readonly verdicts: Readonly<Record<Verdict, number>>
  /** What is not taken, and how often. */
  readonly notTaken: ReadonlyMap<string, number>
  readonly misses: readonly string[]
}

/**
 * `npm run conformance -- jose`: the public vectors for signatures through the very code that checks tokens. True when none
 * that is invalid is accepted, and every valid one is, unless its algorithm is one that Gatehouse refuses from anybody.
 */
export async function runJoseConformance(say: (line: string) => void): Promise<boolean> {
  const folder = fixtureFolder('jose')
  if (folder === undefined) return (say('jws 0/0: the corpus is absent'), false)
  const accounts = await accountsOf(folder)
  for (const account of accounts) for (const line of linesOf(account)) say(line)
  return accounts.every(({ verdicts }) => verdicts.wrong === 0)
}

export async function accountsOf(folder: string): Promise<readonly JoseAccount[]> {
  return [
    await runFile(folder, 'jws', 'json_web_signature_test.json', judgeToken),
    await runFile(folder, 'jwk', 'json_web_key_test.json', judgeToken),
    await runFile(folder, 'jwx', 'json_web_crypto_test.json', judgeToken),
    await runFile(folder, 'es256', 'ecdsa_secp256r1_sha256_p1363_test.json', judgeWith('ES256')),
    await runFile(folder, 'ed25519', 'ed25519_test.json', judgeWith('Ed25519')),
    await runFile(folder, 'ml-dsa-44', 'mldsa_44_verify_test.json', judgeWith('ML-DSA-44')),
  ]
}

function linesOf({ name, verdicts, notTaken, misses }: JoseAccount): readonly string[] {
  const { accepted, refused, wrong, notApplicable } = verdicts
  const of = accepted + refused + verdicts.notTaken + wrong
  const kinds = [...notTaken].map(([kind, count]) => `${String(count)} ${kind}`).join(', ')
  const parts = [
    `${String(accepted)} valid accepted`,
    `${String(refused)} invalid refused`,
    ...(kinds === '' ? [] : [`${String(verdicts.notTaken)} valid refused on purpose: ${kinds}`]),
    ...(notApplicable === 0 ? [] : [`${String(notApplicable)} that no token can be`]),
  ]
  return [
    ...misses.map((miss) => `MISS ${name} ${miss}`),
    `${name} ${String(of - wrong)}/${String(of)} (${parts.join('; ')})`,
  ]
}

interface Group {
  readonly public?: object
  readonly private?: object
  readonly publicKeyJwk?: object
  readonly publicKey?: string | { readonly uncompressed?: string }
  readonly tests: readonly Vector[]
}

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid'
  readonly jws?: unknown
  readonly msg?: string
  readonly sig?: string
  readonly ctx?: string
}

/** What was made of a case: `refused` with a reason, or accepted. */
interface Outcome {
  readonly kind: 'accepted' | 'refused' | 'notApplicable'
  /** What of it is not taken at all. */
  readonly notTaken?: string
}

type Judge = (group: Group, vector: Vector) => Promise<Outcome>

async function runFile(folder: string, name: string, file: string, judge: Judge): Promise<JoseAccount> {
  const { testGroups: groups } = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as {
    testGroups: readonly Group[]
  }
  const verdicts = { accepted: 0, refused: 0, notTaken: 0, wrong: 0, notApplicable: 0 }
  const notTaken = new Map<string, number>()
  const misses: string[] = []
  for (const group of groups)
    for (const vector of group.tests) {
      const outcome = await judge(group, vector)
      const verdict = verdictOf(vector, outcome)
      verdicts[verdict] += 1
      const reason = outcome.notTaken ?? ''
      if (verdict === 'notTaken') notTaken.set(reason, (notTaken.get(reason) ?? 0) + 1)
      if (verdict === 'wrong')
        misses.push(`${String(vector.tcId)} ${vector.comment}: ${vector.result} was ${outcome.kind}`)
    }
  return { name, verdicts, notTaken, misses }
}

function verdictOf({ result }: Vector, { kind, notTaken }: Outcome): Verdict {
  if (kind === 'notApplicable') return 'notApplicable'
  if (result === 'invalid') return kind === 'refused' ? 'refused' : 'wrong'
  if (kind === 'accepted') return 'accepted'
  return notTaken === undefined ? 'wrong' : 'notTaken'
}

const RULES = {
  algorithms: new Set<string>(ALGORITHM_NAMES),
  // What the type says is not what these vectors are about.
  types: new Set(['none', 'jwt', 'jose', 'text/plain']),
}
const CHECKS = new SignatureChecks()

/** As a token of an issuer whose key set this is, up to its claims. */
async function judgeToken(group: Group, { jws }: Vector): Promise<Outcome> {
  // Encrypted texts of the same files.
  if (jws === undefined) return { kind: 'notApplicable' }
  const text = typeof jws === 'string' ? jws : JSON.stringify(jws)
  try {
    const { header } = readCompact(text)
    const query = checkHeader(header, RULES)
    const set = await readKeySet(utf8(JSON.stringify(setOf(group))), RULES.algorithms)
    const key = selectKey(set, query)
    if (typeof key !== 'object') return { kind: 'refused', ...keyNotTaken(group) }
    await CHECKS.check(text, key)
    return { kind: 'accepted' }
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    return { kind: 'refused', ...onPurpose(text, thrown) }
  }
}

function setOf({ public: published, private: secret }: Group): object {
  const given = published ?? secret ?? {}
  return 'keys' in given ? given : { keys: [given] }
}

/** What is good for others and never taken here: other algorithms, and texts that two programs could read differently. */
function onPurpose(text: string, { detail }: Fault): Pick<Outcome, 'notTaken'> {
  const [header = '', payload = ''] = text.split('.')
  if (detail['reason'] === 'token.form') {
    if (payload === '') return { notTaken: 'with nothing to sign' }
    return /[^\w.-]/.test(text) ? { notTaken: 'with letters that are not of base64url' } : {}
  }
  if (detail['reason'] !== 'token.algorithm') return {}
  const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown }
  return typeof alg === 'string' ? { notTaken: alg } : {}
}

/** A key whose own `alg` is none that a token can have. */
function keyNotTaken(group: Group): Pick<Outcome, 'notTaken'> {
  const algorithms = JSON.stringify(setOf(group)).matchAll(/"alg":"([^"]*)"/g)
  const others = [...algorithms].flatMap(([, alg = '']) => (RULES.algorithms.has(alg) ? [] : [alg]))
  return others.length === 0 ? {} : { notTaken: `keys for ${others.join(' and ')}` }
}

const PARAMETERS = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
  'ML-DSA-44': { name: 'ML-DSA-44' },
} as const satisfies Partial<Record<AlgorithmName, object>>

/** Messages that are no tokens: with keys as they are imported for tokens, and the engine's own check that jose uses too. */
function judgeWith(algorithm: keyof typeof PARAMETERS): Judge {
  return async (group, { msg = '', sig = '', ctx = '' }) => {
    // JWS leaves the context of ML-DSA empty.
    if (ctx !== '') return { kind: 'notApplicable' }
    const jwk = group.publicKeyJwk ?? jwkOf(group)
    const set = await readKeySet(utf8(JSON.stringify({ keys: [jwk] })), RULES.algorithms)
    const key = set.keys.find((one) => one.algorithm === algorithm)?.key
    if (key === undefined || key instanceof Uint8Array) return { kind: 'refused' }
    const [signature, message] = [
      Uint8Array.from(Buffer.from(sig, 'hex')),
      Uint8Array.from(Buffer.from(msg, 'hex')),
    ]
    const holds = await crypto.subtle
      .verify(PARAMETERS[algorithm], key, signature, message)
      .catch(() => false)
    return { kind: holds ? 'accepted' : 'refused' }
  }
}

function jwkOf({ publicKey }: Group): object {
  const bytes = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url')
  if (typeof publicKey === 'string') return { kty: 'AKP', alg: 'ML-DSA-44', pub: bytes(publicKey) }
  // A point is written as 04, x and y.
  const point = publicKey?.uncompressed ?? ''
  const [x, y] = [point.slice(2, 66), point.slice(66)]
  return { kty: 'EC', crv: 'P-256', x: bytes(x), y: bytes(y) }
}
