import assert from 'node:assert/strict'
import { cpSync, readdirSync, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { makeIssuerKey, startIssuer, type FakeIssuer, type IssuerKey } from '../fakes/issuer.ts'
import {
  ROOT,
  startDoor,
  temporaryHome,
  removeHome,
  gatehouse,
  type DoorProcess,
} from './gatehouse_process.ts'

export const TYPES = {
  grant: 'urn:ietf:params:oauth:grant-type:token-exchange',
  access: 'urn:ietf:params:oauth:token-type:access_token',
  id: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

/** A door that exchanges tokens, an identity provider for people, and one of a CI system. */
export interface ExchangeScene {
  readonly home: string
  readonly origin: string
  readonly people: FakeIssuer
  readonly ci: FakeIssuer
  readonly key: IssuerKey
  readonly door: DoorProcess
  cli(...args: readonly string[]): Promise<string>
  /** Sends a request to the socket of the home; it must be answered. */
  admin(method: string, at: string, body?: object): Promise<object>
  /** A key of a service. */
  makeKey(name: string, more?: object): Promise<{ readonly key: string; readonly kid: string }>
  /** A token of a person. */
  person(claims?: Readonly<Record<string, unknown>>): Promise<string>
  /** A token of a workload. */
  workload(claims?: Readonly<Record<string, unknown>>): Promise<string>
  ask(form: Form, headers?: Readonly<Record<string, string>>): Promise<Answer>
  close(): Promise<void>
}

export type Form = string | Readonly<Record<string, string | readonly string[] | undefined>>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

const POLICIES = `
@id("exchange.itself")
permit (principal, action == Action::"token:exchange", resource in Space::"default");
@id("exchange.ci-for-people")
permit (principal == Service::"ci", action == Action::"token:act_for", resource is User);
@id("exchange.relay-for-people")
permit (principal in Role::"relay", action == Action::"token:act_for", resource is User);
@id("exchange.not-vault")
forbid (principal == User::"mallory", action == Action::"token:exchange", resource);
@id("people.models")
permit (principal is User in Space::"default", action in Action::"model:use", resource);
`

export async function exchangeScene(more: string = ''): Promise<ExchangeScene> {
  const key = await makeIssuerKey('k1')
  const [people, ci] = await Promise.all([
    startIssuer([key.publicJwk]),
    startIssuer([key.publicJwk], { audience: 'https://gate.example.com' }),
  ])
  const home = await temporaryHome()
  const port = await freePort()
  const origin = `http://127.0.0.1:${String(port)}`
  writeFileSync(path.join(home, 'gatehouse.yaml'), configOf({ origin, people, ci }) + more)
  mkdirSync(path.join(home, 'policies'))
  for (const name of readdirSync(path.join(ROOT, 'policies')))
    if (name.endsWith('.cedar')) cpSync(path.join(ROOT, 'policies', name), path.join(home, 'policies', name))
  writeFileSync(path.join(home, 'policies', 'exchange.cedar'), POLICIES)
  const door = await startDoor(home, ['--listen', `127.0.0.1:${String(port)}`])
  const cli = async (...args: readonly string[]): Promise<string> => {
    const result = await gatehouse([...args, '--home', home, '--json'])
    assert.equal(result.status, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`)
    return result.stdout
  }
  const admin = async (method: string, at: string, body?: object): Promise<object> =>
    askSocket({ socketPath: path.join(home, 'admin.sock'), method, path: at }, body)
  return {
    home,
    origin,
    people,
    ci,
    key,
    door,
    cli,
    admin,
    makeKey: async (name, more = {}) => {
      const order = { name, expires_in_ms: 3_600_000, ...more }
      return (await admin('POST', '/admin/keys', order)) as { key: string; kid: string }
    },
    person: async (claims) =>
      people.sign(
        people.claims({
          sub: 'ann@example.com',
          acr: 'urn:mfa',
          amr: ['pwd', 'otp'],
          auth_time: 1_700_000_000,
          ...claims,
        }),
        key,
      ),
    workload: async (claims) =>
      ci.sign(ci.claims({ sub: 'repo:example/app:ref:refs/heads/main', ...claims }), key, { typ: 'JWT' }),
    ask: async (form, headers = {}) => ask(`${origin}/oauth/token`, form, headers),
    close: async () => {
      await door.stop()
      await Promise.all([people.close(), ci.close()])
      await removeHome(home)
    },
  }
}

function configOf({ origin, people, ci }: { origin: string; people: FakeIssuer; ci: FakeIssuer }): string {
  return `trusted_proxies: [127.0.0.0/8]
models:
  echo: {provider: echo}
identity:
  issuer: ${origin}
  audiences:
    ${origin}: {binding: optional, scopes: [model:list, model:infer]}
    payments: {ttl_s: 120, scopes: [read, write], binding: optional}
    vault: {binding: required}
    builds: {ttl_s: 900}
  issuers:
    people:
      issuer: ${people.issuer}
      audiences: [gatehouse]
      unknown_users: allow
      user_prefix: "p:"
      groups: {path: groups}
      acr: {"urn:mfa": 2}
    ci:
      issuer: ${ci.issuer}
      audiences: [https://gate.example.com]
      unknown_users: allow
      user_prefix: "ci:"
      subject_only: true
`
}

/** A port that nobody uses yet: the door's URL has to be known before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}

let asked = 0

export async function ask(
  url: string,
  form: Form,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = typeof form === 'string' ? form : encode(form)
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      // Each from a network of its own, so that no case throttles the next.
      'x-forwarded-for': `10.${String((asked += 1))}.0.1`,
      ...headers,
    },
    body,
  })
  const answer: Answer['body'] = JSON.parse(await response.text())
  return { status: response.status, headers: response.headers, body: answer }
}

/** Sends a request to the socket of a home; fails when it is refused. */
export async function askSocket(options: RequestOptions, body: object | undefined): Promise<object> {
  const text = body === undefined ? '' : JSON.stringify(body)
  const headers = { host: 'localhost', 'content-type': 'application/json', 'content-length': text.length }
  const sent = request({ ...options, headers })
  sent.end(text)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const answered = await new Response(Readable.toWeb(response) as ReadableStream).text()
  assert.ok((response.statusCode ?? 0) < 300, `${String(options.path)}: ${answered}`)
  const answer: object = JSON.parse(answered)
  return answer
}

function encode(form: Exclude<Form, string>): string {
  const pairs = Object.entries(form).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, one]),
  )
  return new URLSearchParams(pairs).toString()
}

/** A form for an exchange, with what differs. */
export function exchangeOf(subject: string, others: Exclude<Form, string> = {}): Exclude<Form, string> {
  return {
    grant_type: TYPES.grant,
    subject_token: subject,
    subject_token_type: TYPES.access,
    audience: 'payments',
    ...others,
  }
}
