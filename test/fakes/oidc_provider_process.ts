import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { MACHINE_CLIENT, MACHINE_SECRET, REDIRECT, RESOURCE, WEB_CLIENT } from './oidc_provider.ts'

interface Grant {
  addOIDCScope(scope: string): void
  addResourceScope(resource: string, scope: string): void
  save(): Promise<string>
}

interface Provider {
  readonly Grant: new (of: { readonly accountId: string; readonly clientId: string }) => Grant
  callback(): (request: IncomingMessage, response: ServerResponse) => void
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{
    readonly prompt: { readonly name: string }
    readonly params: { readonly client_id: string }
    readonly session?: { readonly accountId: string }
  }>
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
}

// The package brings no types; these are of what is used here.
const { Provider: ProviderOf } = createRequire(import.meta.url)('oidc-provider') as {
  readonly Provider: new (issuer: string, configuration: object) => Provider
}

/**
 * A real identity provider on loopback: whoever comes is signed in as `alice`, with two factors. A process of its own,
 * because the package makes code from texts, which the door and its tests forbid.
 */
let fetches = 0
let count = 0
let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
const server = createServer((request, response) => {
  if (request.url === '/jwks') fetches += 1
  handle(request, response)
})
server.listen(0, '127.0.0.1', () => void rotate().then(() => tell({ issuer: issuer() })))

process.on('message', (message) => {
  if (message === 'rotate') void rotate().then(() => tell({ rotated: count }))
  if (message === 'fetches') tell({ fetches })
})

function issuer(): string {
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

function tell(message: object): void {
  process.send?.(message)
}

async function rotate(): Promise<void> {
  count += 1
  handle = handlerOf(new ProviderOf(issuer(), configurationWith(await newKey(`key-${String(count)}`))))
}

async function newKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }
}

function configurationWith(key: JWK): object {
  return {
    jwks: { keys: [key] },
    cookies: { keys: ['a-key-of-cookies-in-tests'] },
    clients: [
      {
        client_id: WEB_CLIENT,
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        application_type: 'native',
        id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: MACHINE_CLIENT,
        client_secret: MACHINE_SECRET,
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    scopes: ['openid', 'api'],
    acrValues: ['urn:example:mfa'],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'api',
          audience: RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    interactions: { url: () => '/sign-in' },
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId }),
    }),
    extraTokenClaims: (_context: unknown, { accountId }: { readonly accountId?: string }) =>
      accountId === undefined
        ? {}
        : {
            'https://example.com/groups': ['engineers', 'on-call'],
            org: { id: 'default' },
            acr: 'urn:example:mfa',
            amr: ['pwd', 'otp'],
            auth_time: Math.floor(Date.now() / 1_000),
          },
  }
}

/** Signs everybody in who asks, and grants what is asked for. */
function handlerOf(provider: Provider): (request: IncomingMessage, response: ServerResponse) => void {
  const serve = provider.callback()
  const signIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login')
      return provider.interactionFinished(request, response, {
        login: { accountId: 'alice', acr: 'urn:example:mfa', amr: ['pwd', 'otp'] },
      })
    const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: params.client_id })
    grant.addOIDCScope('openid api')
    grant.addResourceScope(RESOURCE, 'api')
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
  }
  return (request, response) => {
    if (request.url?.startsWith('/sign-in') !== true) return serve(request, response)
    signIn(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  }
}
