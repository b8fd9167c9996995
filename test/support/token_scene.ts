import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { hmacSha256 } from '#base/crypto.ts'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { Peppers } from '#base/peppers.ts'
import { Sealed } from '#base/sealed.ts'
import { openDatabase } from '#base/sqlite.ts'
import { composeAuthenticator, NO_BINDING, type CheckBinding } from '#trust/access/authenticator.ts'
import type { Authenticator, Caller, Credential, Proven } from '#trust/access/caller.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import type { Change } from '#trust/access/directory.ts'
import { ALGORITHM_NAMES } from '#trust/access/tokens/algorithms.ts'
import { SignatureChecks } from '#trust/access/tokens/check_signature.ts'
import { fetchDiscovered } from '#trust/access/tokens/fetch_keys.ts'
import type { Issuer } from '#trust/access/tokens/issuer.ts'
import { KeptKeys } from '#trust/access/tokens/kept_keys.ts'
import { mapClaims, type ClaimMap } from '#trust/access/tokens/map_claims.ts'
import { TokenAuthenticator } from '#trust/access/tokens/token_authenticator.ts'
import { makeIssuerKey, startIssuer, type FakeIssuer, type IssuerKey } from '../fakes/issuer.ts'
import { StillClock } from './door_parts.ts'

const PEPPERS: Peppers = {
  current: '1',
  has: (id) => id === '1',
  mac: (_id, text) => hmacSha256(new Uint8Array(32).fill(7), text),
}

export interface TokenScene {
  readonly clock: StillClock
  readonly callers: Callers
  readonly idp: FakeIssuer
  readonly key: IssuerKey
  readonly issuer: Issuer
  readonly tokens: TokenAuthenticator
  readonly authenticator: Authenticator
  /** A good token with other claims. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>
  /** The printed caller, or the reason why not. */
  outcome(credential: Credential | string): Promise<string>
  prove(credential: Credential | string): Promise<Proven>
  /** Makes a change of the directory as an operator would. */
  change<T>(plan: () => Change<T>): T
  close(): Promise<void>
}

export interface SceneOptions {
  readonly map?: Partial<ClaimMap>
  readonly issuer?: Partial<Issuer>
  readonly checkBinding?: CheckBinding
  readonly kept?: number
  /** The scene's own, which stands still, without it. */
  readonly time?: Clock
}

export const PLAIN_MAP: ClaimMap = {
  user: ['sub'],
  userPrefix: '',
  tenant: undefined,
  space: undefined,
  groups: undefined,
  roles: undefined,
  services: undefined,
  actorPrefix: 'corp ',
  acr: new Map(),
}

/** Callers with a real directory, and an issuer whose keys come over real HTTP. */
export async function tokenScene(options: SceneOptions = {}): Promise<TokenScene> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tokens-'))
  const clock = new StillClock()
  const time = options.time ?? clock
  const callers = openCallers({
    database: openDatabase(join(folder, 'state.db')),
    peppers: PEPPERS,
    clock: time,
    later: (work) => work(),
  })
  const key = await makeIssuerKey('one')
  const idp = await startIssuer([key.publicJwk], { now: () => time.now() })
  const algorithms: ReadonlySet<string> = new Set(ALGORITHM_NAMES)
  const map = { ...PLAIN_MAP, ...options.map }
  const rules = { network: 'public', roots: undefined, signal: new AbortController().signal } as const
  const issuer: Issuer = {
    name: 'corp',
    issuer: idp.issuer,
    audiences: new Set(['gatehouse']),
    clients: undefined,
    maxLifetimeMs: 3_600_000,
    algorithms,
    types: new Set(['at+jwt', 'jwt']),
    keys: new KeptKeys({
      clock: time,
      algorithms,
      read: () => fetchDiscovered(idp.issuer, rules),
      onRead: () => undefined,
    }),
    unknownUsers: 'allow',
    via: 'token',
    identify: (claims) => mapClaims(claims, map),
    ...options.issuer,
  }
  const tokens = new TokenAuthenticator({
    issuers: [issuer],
    directory: callers.directory,
    clock: time,
    checks: new SignatureChecks(),
    ...(options.kept === undefined ? {} : { kept: options.kept }),
  })
  const authenticator = composeAuthenticator({
    keys: callers,
    tokens,
    checkBinding: options.checkBinding ?? NO_BINDING,
  })
  const prove = async (credential: Credential | string): Promise<Proven> =>
    authenticator.authenticate(typeof credential === 'string' ? bearer(credential) : credential, '127.0.0.1')
  return {
    clock,
    callers,
    idp,
    key,
    issuer,
    tokens,
    authenticator,
    token: async (claims) => idp.sign(idp.claims(claims), key),
    prove,
    outcome: async (credential) => outcomeOf(async () => (await prove(credential)).caller),
    change: (plan) => plan().make(),
    close: async () => {
      await idp.close()
      callers.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function bearer(text: string): Credential {
  return { kind: 'bearer', token: new Sealed(text) }
}

/** The printed reference of a caller, or the reason why there is none. */
export async function outcomeOf(work: () => Caller | Promise<Caller>): Promise<string> {
  try {
    return printRef((await work()).ref)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    assert.equal(thrown.code, 'caller.unknown')
    assert.equal(thrown.say, undefined, 'the body is the same for all')
    return JSON.stringify(thrown.detail['reason']).slice(1, -1)
  }
}
