import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { makeIssuerKey, startIssuer } from '../fakes/issuer.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, type Journey } from '../support/journey.ts'
import { CORE_GROUP, CORE_USER, patch, scimClient } from '../support/scim_client.ts'

/** What somebody who has left may still do: nothing, from the next request on, and this is on record. */

const POLICY = `@id("staff") permit (
  principal is User in Group::"All-Staff", action in Action::"model:use", resource
);`
/** Said back in 40 seconds. */
const PROMPT = 'a word and '.repeat(90)
const MOST_TO_RECORD_MS = 1_000
const MOST_TO_CUT_MS = 5_000

interface Streaming {
  readonly whole: Promise<string>
}

async function ask({ door }: Journey, token: string, more: object = {}): Promise<Response> {
  return fetch(`${door().door}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }], ...more }),
  })
}

/** A stream of which something has come. */
async function stream(story: Journey, token: string): Promise<Streaming> {
  const response = await ask(story, token, { stream: true, messages: [{ role: 'user', content: PROMPT }] })
  assert.equal(response.status, 200)
  const begun = Promise.withResolvers<void>()
  const read = async (): Promise<string> => {
    let text = ''
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString()
      if (text.includes('delta')) begun.resolve()
    }
    return text
  }
  const whole = read()
  await begun.promise
  return { whole }
}

test('a user whom the provider disables is refused with its token by the next request, its stream ends, and the ledger has it', async () => {
  const key = await makeIssuerKey('k1')
  const issuer = await startIssuer([key.publicJwk])
  const home = await temporaryHome()
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models: { echo: { provider: echo, piece_ms: 40, piece_characters: 1 } }
identity:
  scim: { user_prefix: "corp:" }
  issuers:
    corp: { issuer: ${issuer.issuer}, audiences: [gatehouse], user_prefix: "corp:", user: email }
`,
  )
  try {
    await journey(
      async (story) => {
        await writeFile(path.join(home, 'policies', 'staff.cedar'), POLICY)
        await story.json('policy', 'apply')
        const token = await issuer.sign(issuer.claims({ email: 'ann@example.com' }), key)
        assert.equal((await ask(story, token)).status, 401, 'nobody whom the provider has not made')

        const scim = await scimClient(story)
        const { id } = await scim.expect(201, 'POST', '/Users', {
          schemas: [CORE_USER],
          userName: 'ann@example.com',
        })
        const at = `/Users/${String(id)}`
        assert.equal((await ask(story, token)).status, 403, 'in no group yet')
        const group = { schemas: [CORE_GROUP], displayName: 'All Staff', members: [{ value: id }] }
        const { id: groupId } = await scim.expect(201, 'POST', '/Groups', group)
        assert.equal((await ask(story, token)).status, 200)

        for (const [off, on] of [
          [
            patch({ op: 'Replace', path: 'active', value: 'False' }),
            patch({ op: 'Add', path: 'active', value: 'True' }),
          ],
          [
            patch({ op: 'replace', value: { active: false } }),
            patch({ op: 'replace', value: { active: true } }),
          ],
        ] as const) {
          const { whole } = await stream(story, token)
          const began = performance.now()
          const asked = Date.now()
          const reply = await scim.send('PATCH', at, { body: off })
          const refused = await ask(story, token)
          assert.deepEqual([reply.status, refused.status], [200, 401])
          const recorded = performance.now() - began
          assert.ok(recorded < MOST_TO_RECORD_MS, `refused after ${Math.round(recorded)} ms`)
          const entry = await story.json('ledger', 'show', String(reply.headers.get('x-request-id')))
          assert.deepEqual(timesOf(entry, 'caller:disable').length, 1)
          const [when = 0] = timesOf(entry, 'caller:disable')
          assert.ok(Math.abs(when - asked) < MOST_TO_RECORD_MS, 'and on record by then')
          assert.match(await whole, /"code":"caller\.unknown"/)
          assert.ok(performance.now() - began < MOST_TO_CUT_MS)
          const why = await story.cli('why', String(refused.headers.get('x-request-id')))
          assert.match(why.stdout, /caller\.disabled/)

          await scim.expect(200, 'PATCH', at, on)
          assert.equal((await ask(story, token)).status, 200, 'let in again')
        }

        // Out of the group: no longer permitted, though still known.
        const out = patch({ op: 'Remove', path: 'members', value: [{ value: id }] })
        await scim.expect(204, 'PATCH', `/Groups/${String(groupId)}`, out)
        assert.equal((await ask(story, token)).status, 403)

        await scim.expect(204, 'DELETE', at)
        assert.equal((await ask(story, token)).status, 401)
      },
      { home },
    )
  } finally {
    await issuer.close()
  }
})

interface Entry {
  readonly at: number
  readonly shown: Readonly<Record<string, unknown>>
}

/** When the entries of a request were made that say this. */
function timesOf({ entries }: Record<string, unknown>, what: string): readonly number[] {
  return (entries as readonly Entry[]).filter(({ shown }) => shown['what'] === what).map(({ at }) => at)
}
