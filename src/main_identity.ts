import path from 'node:path'
import type { Clock } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import type { Counter, Metrics } from '#base/metrics.ts'
import { readPlainFile } from '#base/plain_file.ts'
import type { IssuerRow } from '#rooms/admin/answers.ts'
import { SignatureChecks } from '#trust/access/tokens/check_signature.ts'
import { fetchDiscovered, fetchDocument, type FetchRules } from '#trust/access/tokens/fetch_keys.ts'
import type { Issuer } from '#trust/access/tokens/issuer.ts'
import type { KeySourceState } from '#trust/access/tokens/key_source.ts'
import { KeptKeys } from '#trust/access/tokens/kept_keys.ts'
import { mapClaims, type ClaimMap, type NamesClaim } from '#trust/access/tokens/map_claims.ts'
import type { Config } from './config.ts'
import { openExchange, type OpenExchange } from './main_exchange.ts'
import type { OpenHome } from './main_home.ts'

type IssuerConfig = Config['identity']['issuers'][string]

export interface IdentitySurroundings {
  readonly clock: Clock
  readonly metrics: Metrics
}

/** All that proves callers, joined. */
export interface OpenIdentity extends OpenExchange {
  readonly issuers: readonly Issuer[]
  /** Begins to read the keys of all issuers; nothing waits for them. */
  start(): void
  /** Gives up what is being read. */
  close(): void
}

/** Opens what proves callers: the keys of the home, and the issuers of the configuration. */
export function openIdentity(
  {
    config,
    configFolder,
    callers,
    tokenKeys,
  }: Pick<OpenHome, 'config' | 'configFolder' | 'callers' | 'tokenKeys'>,
  { clock, metrics }: IdentitySurroundings,
): OpenIdentity {
  const stopping = new AbortController()
  const counts = new IssuerMetrics(metrics)
  const opened = Object.entries(config.identity.issuers).map(([name, one]) =>
    openIssuer({ name, one, folder: configFolder, clock, counts, signal: stopping.signal }),
  )
  const issuers = opened.map(({ issuer }) => issuer)
  const checks = new SignatureChecks()
  const exchange = openExchange({ config, callers, tokenKeys, issuers, checks, clock })
  metrics.gaugeFrom(
    { name: 'gatehouse_verified_tokens', help: 'Tokens of issuers that are remembered as verified.' },
    () => exchange.tokens.size,
  )
  return {
    ...exchange,
    issuers,
    start: () => opened.forEach(({ keys }) => keys.refresh()),
    close: () => stopping.abort(),
  }
}

interface IssuerOpening {
  readonly name: string
  readonly one: IssuerConfig
  readonly folder: string
  readonly clock: Clock
  readonly counts: IssuerMetrics
  readonly signal: AbortSignal
}

function openIssuer(opening: IssuerOpening): { readonly issuer: Issuer; readonly keys: KeptKeys } {
  const { name, one, clock, counts } = opening
  const algorithms = new Set<string>(one.algorithms)
  const onRead = (result: 'ok' | 'failed'): void => counts.read(name, result, keys.state())
  const keys = new KeptKeys({ clock, algorithms, read: keyReader(opening), onRead })
  const map = claimMapOf(name, one)
  const issuer: Issuer = {
    name,
    issuer: one.issuer,
    audiences: new Set(one.audiences),
    clients: one.clients === undefined ? undefined : new Set(one.clients),
    maxLifetimeMs: one.max_lifetime_s * SECOND_MS,
    algorithms,
    types: new Set(one.types),
    keys,
    unknownUsers: one.unknown_users,
    via: 'token',
    identify: (claims) => mapClaims(claims, map),
  }
  return { issuer, keys }
}

/** What an operator is told of each issuer. */
export function issuerRows(issuers: readonly Issuer[]): readonly IssuerRow[] {
  return issuers.map(({ name, keys }) => {
    const { kind, keys: count, readAt, problems } = keys.state()
    const read = readAt === undefined ? null : new Date(readAt).toISOString()
    return { name, state: kind, keys: count, read_at: read, problems: [...problems] }
  })
}

const SECOND_MS = 1_000

function keyReader({ one, folder, signal }: IssuerOpening): () => Promise<Uint8Array> {
  const { keys_file: file, keys_url: url, ca_file: roots, network } = one
  if (file !== undefined)
    return async () =>
      readPlainFile(path.resolve(folder, file), { maxBytes: LIMITS.keySetBytes, links: 'follow' })
  const rules = async (): Promise<FetchRules> => ({
    network,
    signal,
    roots: roots === undefined ? undefined : await readRoots(path.resolve(folder, roots)),
  })
  if (url !== undefined) return async () => fetchDocument(new URL(url), await rules())
  return async () => fetchDiscovered(one.issuer, await rules())
}

async function readRoots(file: string): Promise<string> {
  return (await readPlainFile(file, { maxBytes: LIMITS.secretFileBytes, links: 'follow' })).toString('utf8')
}

function claimMapOf(name: string, one: IssuerConfig): ClaimMap {
  const { tenant, space, groups, roles, services } = one
  return {
    user: one.user,
    userPrefix: one.user_prefix,
    tenant: tenant === undefined ? undefined : { path: tenant.path, isRequired: tenant.required },
    space: space === undefined ? undefined : { path: space.path, isRequired: space.required },
    groups: groups === undefined ? undefined : namesOf(groups),
    roles: roles === undefined ? undefined : namesOf(roles),
    services: services === undefined ? undefined : servicesOf(services),
    // No name of a caller has a space.
    actorPrefix: `${name} `,
    acr: new Map(Object.entries(one.acr)),
  }
}

function namesOf(claim: NonNullable<IssuerConfig['groups']>): NamesClaim {
  const { path: at, required, split, names } = claim
  return { path: at, isRequired: required, split, names: mapOf(names) }
}

function servicesOf(claim: NonNullable<IssuerConfig['services']>): ClaimMap['services'] {
  const { claim: at, prefix, names, when, when_claim: path, when_value: is } = claim
  const decides = path !== undefined && is !== undefined ? { path, is } : when === 'always' ? when : 'subject'
  return { path: at, prefix, names: mapOf(names), when: decides }
}

function mapOf(names: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> | undefined {
  return names === undefined ? undefined : new Map(Object.entries(names))
}

/** The keys of issuers in numbers. */
class IssuerMetrics {
  readonly #reads: { series(issuer: string, result: string): Counter }
  readonly #keys: { series(issuer: string): { set(value: number): void } }
  readonly #states: { series(issuer: string, state: string): { set(value: number): void } }

  constructor(metrics: Metrics) {
    this.#reads = metrics.counter({
      name: 'gatehouse_issuer_reads_total',
      help: 'Attempts to read the keys of an issuer, by how they ended.',
      labels: ['issuer', 'result'],
    })
    this.#keys = metrics.gauge({
      name: 'gatehouse_issuer_keys',
      help: 'Keys of an issuer that are known.',
      labels: ['issuer'],
    })
    this.#states = metrics.gauge({
      name: 'gatehouse_issuer_state',
      help: '1 for the state that the keys of an issuer are in.',
      labels: ['issuer', 'state'],
    })
  }

  read(issuer: string, result: 'ok' | 'failed', state: KeySourceState): void {
    this.#reads.series(issuer, result).add()
    this.#keys.series(issuer).set(state.keys)
    for (const kind of ['fresh', 'stale', 'none'] as const)
      this.#states.series(issuer, kind).set(state.kind === kind ? 1 : 0)
  }
}
