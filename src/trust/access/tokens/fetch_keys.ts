import { Fault } from '#base/fault.ts'
import { openUpstream } from '#base/http_client.ts'
import { isJsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { mayBeNamed, type Resolve, type UpstreamNetwork } from '#base/upstream_address.ts'

export interface FetchRules {
  /** Where names may lead. */
  readonly network: UpstreamNetwork
  /** Certificates in PEM in place of the roots that Node trusts. */
  readonly roots: string | undefined
  readonly resolve?: Resolve | undefined
  /** For one document; `FETCH_MS` without it. */
  readonly timeoutMs?: number
  /** Ends what is under way, as when the door stops. */
  readonly signal: AbortSignal
}

/** The time for one document. */
export const FETCH_MS = 5_000

/**
 * Fetches a document of an issuer: one GET without any credential, no redirect, a bounded body.
 *
 * Throws the faults of `Upstream.send`, and `upstream.failed` for any status but 200.
 */
export async function fetchDocument(url: URL, rules: FetchRules): Promise<Uint8Array> {
  const { network, roots, resolve, signal, timeoutMs = FETCH_MS } = rules
  const ended = new AbortController()
  const upstream = openUpstream({
    origin: url.origin,
    connections: 1,
    connectTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    maxAnswerBytes: LIMITS.keySetBytes,
    network,
    roots,
    resolve,
  })
  try {
    const answer = await upstream.send({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: ['accept', 'application/json'],
      body: undefined,
      // Bounded by the largest answer; one issuer has one fetch at a time.
      memory: { claim: () => undefined },
      onAbort: (listener) => {
        if (signal.aborted) listener()
        else signal.addEventListener('abort', listener, { once: true, signal: ended.signal })
      },
    })
    if (answer.status !== 200)
      throw new Fault('upstream.failed', {}, { say: `${url.pathname} answered ${String(answer.status)}.` })
    return answer.body
  } finally {
    // The signal lives as long as the door: what still listened there would pile up.
    ended.abort()
    await upstream.close()
  }
}

/**
 * Fetches the key set of an issuer that says itself where it is (OpenID Connect Discovery 1.0 section 4).
 *
 * Throws as `fetchDocument`, `input.invalid` for a document that is none or of another issuer, and `upstream.invalid` for a
 * link that leads where it should not.
 */
export async function fetchDiscovered(issuer: string, rules: FetchRules): Promise<Uint8Array> {
  const at = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const document = parseStrictJson(await fetchDocument(at, rules), DOCUMENT_LIMITS)
  // Section 4.3: else one issuer could speak for another.
  if (!isJsonObject(document) || document['issuer'] !== issuer)
    throw new Fault('input.invalid', {}, { say: 'Its discovery document is of another issuer.' })
  const link = document['jwks_uri']
  const url = typeof link === 'string' ? URL.parse(link) : null
  if (url === null || !isAcceptable(url, at, rules.network))
    throw new Fault(
      'upstream.invalid',
      {},
      { say: 'The "jwks_uri" of its discovery document leads where it should not.' },
    )
  return fetchDocument(url, rules)
}

const DOCUMENT_LIMITS = { jsonDepth: 16, jsonNodes: 20_000 }

/** An operator may name any address; a document of somebody else may not lead to this machine, or past TLS. */
function isAcceptable(url: URL, from: URL, network: UpstreamNetwork): boolean {
  if (url.username !== '' || url.password !== '') return false
  if (url.origin === from.origin) return true
  if (url.protocol !== 'https:') return false
  return url.hostname === from.hostname || mayBeNamed(url.hostname, network)
}
