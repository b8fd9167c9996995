import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A key of an issuer with all its parts. */
export interface IssuerKey {
  readonly kid: string
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly publicJwk: JWK
}

type Claims = Readonly<Record<string, unknown>>

/** A real HTTP server that publishes keys as an identity provider does, and signs whatever it is told to. */
export interface FakeIssuer {
  readonly origin: string
  readonly issuer: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  /** What is published from now on. */
  publish(keys: readonly JWK[]): void
  /** How it answers from now on; `undefined` is as it should. */
  does(behaviour: ((response: ServerResponse, path: string) => void) | undefined): void
  /** The claims of a good token for `audience`, which others replace; undefined takes one away. */
  claims(others?: Claims): Claims
  sign(claims: Claims, key: IssuerKey, header?: Claims): Promise<string>
  close(): Promise<void>
}

export async function makeIssuerKey(
  kid: string,
  algorithm = 'ES256',
  options: object = {},
): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true, ...options })
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }
  return { kid, algorithm, privateKey, publicKey, publicJwk }
}

export async function startIssuer(
  keys: readonly JWK[],
  options: { readonly audience?: string; readonly now?: () => number } = {},
): Promise<FakeIssuer> {
  let published = keys
  let behaviour: ((response: ServerResponse, path: string) => void) | undefined
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    if (behaviour !== undefined) return behaviour(response, path)
    if (path === '/.well-known/openid-configuration')
      return json(response, { issuer: origin, jwks_uri: `${origin}/keys` })
    if (path === '/keys') return json(response, { keys: published })
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  let counted = 0
  const now = options.now ?? Date.now
  const claims = (others: Claims = {}): Claims => {
    const seconds = Math.floor(now() / 1_000)
    const standard = {
      iss: origin,
      aud: options.audience ?? 'gatehouse',
      sub: 'alice',
      iat: seconds,
      exp: seconds + 600,
      jti: `token-${String((counted += 1))}`,
    }
    return Object.fromEntries(
      Object.entries({ ...standard, ...others }).filter(([, value]) => value !== undefined),
    )
  }
  return {
    origin,
    issuer: origin,
    asked,
    publish: (next) => (published = next),
    does: (next) => (behaviour = next),
    claims,
    sign: async (given, key, header = {}) =>
      new SignJWT({ ...given })
        .setProtectedHeader({
          alg: key.algorithm,
          kid: key.kid,
          typ: 'at+jwt',
          ...header,
        })
        .sign(key.privateKey),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
