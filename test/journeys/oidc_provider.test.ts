import * as oidc from 'openid-client'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openHomeLedger } from '#faces/cli/home_ledger.ts'
import {
  MACHINE_CLIENT,
  MACHINE_SECRET,
  REDIRECT,
  RESOURCE,
  startOidcProvider,
  WEB_CLIENT,
  type OidcProvider,
} from '../fakes/oidc_provider.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, refusal, say, type Journey } from '../support/journey.ts'

const POLICY = `@id("engineers") permit (
  principal is User in Group::"engineers", action == Action::"model:infer", resource == Model::"echo"
);
@id("robots") permit (
  principal == Service::"ci-batch-job", action == Action::"model:infer", resource == Model::"echo"
);`

async function homeFor(idp: OidcProvider): Promise<string> {
  const home = await temporaryHome()
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models: { echo: { provider: echo, piece_ms: 50, piece_characters: 1 } }
identity:
  issuers:
    corp:
      issuer: ${idp.issuer}
      audiences: ["${RESOURCE}"]
      algorithms: [ES256]
      clients: [${WEB_CLIENT}, ${MACHINE_CLIENT}]
      unknown_users: allow
      groups: { path: ["https://example.com/groups"] }
      tenant: { path: org.id }
      services: { claim: client_id, prefix: ci- }
      acr: { "urn:example:mfa": 2 }
`,
  )
  return home
}

/** Signs in as a browser would: authorization code with PKCE (RFC 7636), cookies and redirects included. */
async function signIn(idp: OidcProvider): Promise<string> {
  const client = await oidc.discovery(new URL(idp.issuer), WEB_CLIENT, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  })
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  const start = oidc.buildAuthorizationUrl(client, {
    redirect_uri: REDIRECT,
    scope: 'openid api',
    resource: RESOURCE,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  const answer = await walk(start)
  const tokens = await oidc.authorizationCodeGrant(
    client,
    answer,
    { pkceCodeVerifier: verifier, expectedState: state },
    { resource: RESOURCE },
  )
  return tokens.access_token
}

/** Follows redirects with the cookies of one browser until they lead to the client. */
async function walk(start: URL): Promise<URL> {
  const cookies = new Map<string, string>()
  let at = start
  for (let hops = 0; hops < 20; hops += 1) {
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null)
      throw new Error(`${at.pathname}: ${String(response.status)} ${await response.text()}`)
    at = new URL(location, at)
    if (at.href.startsWith(REDIRECT)) return at
  }
  throw new Error('the redirects do not end')
}

async function machineToken(idp: OidcProvider): Promise<string> {
  const client = await oidc.discovery(new URL(idp.issuer), MACHINE_CLIENT, MACHINE_SECRET, undefined, {
    execute: [oidc.allowInsecureRequests],
  })
  const tokens = await oidc.clientCredentialsGrant(client, { scope: 'api', resource: RESOURCE })
  return tokens.access_token
}

async function allow(story: Journey): Promise<void> {
  await writeFile(path.join(story.home, 'policies', 'people.cedar'), POLICY)
  await story.json('policy', 'apply')
}

/** The facts that the ledger has of who sent a request. */
async function operatorOf(story: Journey, entry: string): Promise<Record<string, unknown>> {
  return (await story.json('why', entry))['operator'] as Record<string, unknown>
}

test('people and services of a real identity provider pass, and what they belong to counts', async () => {
  const idp = await startOidcProvider()
  try {
    await journey(
      async (story) => {
        await allow(story)
        const alice = await signIn(idp)
        assert.match((await say(story.client(alice), 'hi')).choices[0]?.message.content ?? '', /hi/)
        // Nobody has made the service yet.
        const robot = await machineToken(idp)
        const refused = await refusal(say(story.client(robot), 'hi'))
        assert.deepEqual([refused.status, refused.code], [401, 'caller.unknown'])
        assert.equal((await operatorOf(story, refused.entry))['reason'], 'service.unknown')
        await story.key('ci-batch-job', '--models', 'echo')
        assert.match((await say(story.client(robot), 'hi')).choices[0]?.message.content ?? '', /hi/)
        await checkRecord(story.home)
      },
      { home: await homeFor(idp) },
    )
  } finally {
    await idp.close()
  }
})

/** Who was let in is on record with what proved it, and a name stands nowhere in the clear. */
async function checkRecord(home: string): Promise<void> {
  const entries = await (await openHomeLedger(home)).tail(100)
  const intents = entries.filter(({ kind, shown }) => kind === 'intent' && shown['action'] === 'model:infer')
  assert.deepEqual(
    intents.map(({ shown }) => [shown['via'], shown['issuer'], shown['aal']]),
    [
      ['token', 'corp', 2],
      ['token', 'corp', 1],
    ],
  )
  for (const { shown, opened } of intents) {
    assert.doesNotMatch(JSON.stringify(shown), /alice|batch-job/)
    assert.match(JSON.stringify(opened['token']), /^"[0-9a-f]{64}"$/)
    assert.equal(opened['user'], shown['aal'] === 2 ? 'alice' : undefined)
  }
}

test('a key and a token of the same service go together; those of two callers do not', async () => {
  const idp = await startOidcProvider()
  try {
    await journey(
      async (story) => {
        await allow(story)
        const own = await story.key('ci-batch-job', '--models', 'echo')
        const other = await story.key('other', '--models', 'echo')
        const robot = await machineToken(idp)
        const send = async (token: string, key: string): Promise<number> => {
          const response = await fetch(`${story.door().door}/v1/chat/completions`, {
            method: 'POST',
            headers: {
              authorization: `Bearer ${token}`,
              'x-api-key': key,
              'content-type': 'application/json',
            },
            body: '{"model":"echo","messages":[{"role":"user","content":"x"}]}',
          })
          return response.status
        }
        assert.equal(await send(robot, own.key), 200)
        assert.equal(await send(own.key, robot), 200)
        assert.equal(await send(robot, other.key), 401)
        assert.equal(await send(`${robot.slice(0, -4)}AAAA`, own.key), 401)
        assert.equal(await send(robot, `${own.key.slice(0, -1)}x`), 401)
      },
      { home: await homeFor(idp) },
    )
  } finally {
    await idp.close()
  }
})

test('an issuer that changes its keys in mid-flight loses nobody, and what the old key signed ends', async () => {
  const idp = await startOidcProvider()
  try {
    await journey(
      async (story) => {
        await allow(story)
        const before = await signIn(idp)
        await say(story.client(before), 'hi')
        const stream = await story.client(before).chat.completions.create({
          model: 'echo',
          stream: true,
          messages: [{ role: 'user', content: 'a long answer that comes one letter at a time, '.repeat(8) }],
        })
        const fetches = await idp.keyFetches()
        await idp.rotate()
        const after = await Promise.all(Array.from({ length: 5 }, async () => signIn(idp)))
        await Promise.all(after.map(async (token) => say(story.client(token), 'hi')))
        // The client has no need of them, so these are the door's.
        assert.equal((await idp.keyFetches()) - fetches, 1, 'five new tokens, one fetch')
        const refused = await refusal(say(story.client(before), 'hi'))
        assert.equal(refused.status, 401)
        assert.equal((await operatorOf(story, refused.entry))['reason'], 'token.key_unknown')
        const begun = performance.now()
        const ended = await Promise.resolve(drain(stream)).catch((error: unknown) => error)
        assert.ok(ended instanceof Error, 'the stream of the old token is cut')
        assert.ok(performance.now() - begun < 6_000, 'soon after')
      },
      { home: await homeFor(idp) },
    )
  } finally {
    await idp.close()
  }
})

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of stream) count += 1
  return count
}

test('doctor says what is wrong with an issuer, and the door goes on without it', async () => {
  const idp = await startOidcProvider()
  const home = await homeFor(idp)
  await idp.close()
  await journey(
    async (story) => {
      const { key } = await story.key('local', '--models', 'echo')
      await say(story.client(key), 'hi')
      const health = await story.cli('doctor', '--json')
      const { checks } = JSON.parse(health.stdout) as {
        checks: { id: string; state: string; says: string }[]
      }
      const found = checks.find(({ id }) => id === 'issuers-readable')
      assert.equal(found?.state, 'fail', health.stdout)
      assert.match(found.says, /corp/)
    },
    { home },
  )
})
