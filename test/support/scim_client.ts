import assert from 'node:assert/strict'

/** What a provider got back. */
export interface ScimReply {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

export interface ScimOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A client of SCIM as identity providers have one: bearer token, `application/scim+json`. */
export class ScimClient {
  readonly base: string
  readonly #token: string

  constructor(base: string, token: string) {
    this.base = base
    this.#token = token
  }

  async send(method: string, path: string, { body, headers = {} }: ScimOptions = {}): Promise<ScimReply> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/scim+json',
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const type = response.headers.get('content-type')
    assert.equal(type, text === '' ? null : 'application/scim+json', `${method} ${path}: ${text}`)
    return {
      status: response.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      headers: response.headers,
    }
  }

  /** A request that must come to this status. */
  async expect(
    status: number,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Record<string, unknown>> {
    const reply = await this.send(method, path, { body })
    assert.equal(reply.status, status, `${method} ${path}: ${JSON.stringify(reply.body)}`)
    return reply.body
  }

  /** What a filter finds. */
  async find(
    resource: 'Users' | 'Groups',
    filter: string,
    more = '',
  ): Promise<readonly Record<string, unknown>[]> {
    const list = await this.expect(200, 'GET', `/${resource}?filter=${encodeURIComponent(filter)}${more}`)
    return list['Resources'] as readonly Record<string, unknown>[]
  }
}

export const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const CORE_GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE_USER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** The body of a PATCH. */
export function patch(...operations: readonly object[]): object {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations }
}

/** A client with a token that the command line made. */
export async function scimClient(
  { json }: { json(...args: readonly string[]): Promise<Record<string, unknown>> },
  name = 'provider',
): Promise<ScimClient> {
  const made = await json('scim', 'token', '--name', name)
  return new ScimClient(String(made['base_url']), String(made['key']))
}
