import assert from 'node:assert/strict'
import { copyFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { askAdmin } from '../support/admin_socket.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, refusal, say, type Journey } from '../support/journey.ts'

/** So long a stream may go on after what allowed it has ended. */
const MOST_MS = 5_000
const SLOW_ECHO = 'models:\n  echo: { provider: echo, piece_ms: 40, piece_characters: 2 }\n'
/** Said back in 40 seconds. */
const PROMPT = 'a word and '.repeat(90)

/** People may use the model through a group, a role, or the space where they are. */
const POLICIES = `
@id("t.engineers")
permit (principal is User in Group::"engineers", action == Action::"model:infer", resource == Model::"echo");
@id("t.readers")
permit (principal is User in Role::"reader", action == Action::"model:infer", resource == Model::"echo");
@id("t.research")
permit (principal is User in Space::"research", action == Action::"model:infer", resource == Model::"echo");
`

const ANN = 'ann@example.org'

interface Scene extends Journey {
  /** Sends one request to the admin socket. */
  post(target: string, body: object): Promise<Record<string, unknown>>
  /** What the next request of Ann comes to. */
  ask(): Promise<string>
  /** A stream of Ann's that has begun. */
  begin(): Promise<{ readonly whole: Promise<string> }>
}

async function scene(tell: (scene: Scene) => Promise<void>, config = SLOW_ECHO): Promise<void> {
  const home = await temporaryHome()
  await writeFile(path.join(home, 'gatehouse.yaml'), config)
  await journey(
    async (story) => {
      const { json, client, door, home } = story
      const post: Scene['post'] = async (target, body) => askAdmin(home, 'POST', `/admin/${target}`, body)
      await writeFile(path.join(home, 'policies/people.cedar'), POLICIES)
      await json('policy', 'apply')
      await post('callers', { name: ANN, kind: 'user' })
      await post('groups', { name: 'staff' })
      await post('groups', { name: 'engineers', parent: 'staff' })
      await post('spaces', { name: 'research' })
      const { key } = await story.key(ANN)
      const ask = async (): Promise<string> => {
        try {
          await say(client(key), 'hi')
          return 'answered'
        } catch (thrown) {
          return (await refusal(Promise.reject(thrown))).code
        }
      }
      const begin = async (): Promise<{ readonly whole: Promise<string> }> => {
        const response = await fetch(`${door().door}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'echo',
            stream: true,
            messages: [{ role: 'user', content: PROMPT }],
          }),
        })
        assert.equal(response.status, 200)
        return { whole: response.text() }
      }
      await tell({ ...story, post, ask, begin })
    },
    { home },
  )
}

type Post = readonly [target: string, body: object]

const MEMBERS = { name: 'engineers', members: [ANN] }
const ROLE = { role: 'reader', to: 'caller', name: ANN }
const GRANTS: readonly (readonly [why: string, give: Post, take: Post])[] = [
  ['a group', ['groups/add', MEMBERS], ['groups/remove', MEMBERS]],
  ['a role', ['roles/give', ROLE], ['roles/take', ROLE]],
  [
    'a space',
    ['callers/space', { name: ANN, space: 'research' }],
    ['callers/space', { name: ANN, space: 'default' }],
  ],
]

test('what a caller belongs to counts from the very next request on, and ends the streams that hung on it', async () => {
  await scene(async ({ post, ask, begin }) => {
    for (const [why, give, take] of GRANTS) {
      assert.equal(await ask(), 'action.denied', why)
      await post(...give)
      assert.equal(await ask(), 'answered', why)
      const { whole } = await begin()
      await post(...take)
      const taken = performance.now()
      assert.equal(await ask(), 'action.denied', why)
      assert.match(await whole, /"code":"action\.denied"/, why)
      assert.ok(performance.now() - taken < MOST_MS, why)
    }
  })
})

test('what a group gets, loses or stands in counts for everybody in it at once', async () => {
  await scene(async ({ post, ask, begin }) => {
    await post('groups', { name: 'interns' })
    await post('groups/add', { name: 'interns', members: [ANN] })
    assert.equal(await ask(), 'action.denied')
    await post('groups/nest', { name: 'interns', parent: 'engineers' })
    assert.equal(await ask(), 'answered')
    await post('groups/nest', { name: 'interns', parent: null })
    assert.equal(await ask(), 'action.denied')
    await post('roles/give', { role: 'reader', to: 'group', name: 'interns' })
    assert.equal(await ask(), 'answered')
    const { whole } = await begin()
    await post('groups/delete', { name: 'interns' })
    assert.equal(await ask(), 'action.denied')
    assert.match(await whole, /"code":"action\.denied"/)
  })
})

test('a space gives its children what it has only where they inherit', async () => {
  await scene(async ({ post, ask }) => {
    await post('spaces', { name: 'trials', parent: 'research' })
    await post('callers/space', { name: ANN, space: 'trials' })
    assert.equal(await ask(), 'action.denied')
    await post('spaces/set', { name: 'trials', inherits: true })
    assert.equal(await ask(), 'answered')
    await post('spaces/set', { name: 'trials', inherits: false })
    assert.equal(await ask(), 'action.denied')
  })
})

test('a caller that is disabled or deleted is refused from the very next request on, and its streams end', async () => {
  await scene(async ({ post, ask, begin }) => {
    await post('groups/add', { name: 'engineers', members: [ANN] })
    for (const verb of ['disable', 'delete']) {
      assert.equal(await ask(), 'answered', verb)
      const { whole } = await begin()
      await post(`callers/${verb}`, { name: ANN })
      assert.equal(await ask(), 'caller.unknown', verb)
      assert.match(await whole, /"code":"caller\.unknown"/, verb)
      if (verb === 'disable') await post('callers/enable', { name: ANN })
    }
    await post('callers', { name: ANN, kind: 'user' })
    await post('groups/add', { name: 'engineers', members: [ANN] })
    assert.equal(await ask(), 'caller.unknown', 'the key was the one of the caller who is gone')
  })
})

test('an older database that is put back opens nothing that was taken away since', async () => {
  await scene(async (story) => {
    const { home, json, post, ask, door, restart } = story
    await post('groups/add', { name: 'engineers', members: [ANN] })
    await post('callers', { name: 'ben', kind: 'user' })
    await post('roles/give', { role: 'reader', to: 'caller', name: 'ben' })
    assert.equal(await ask(), 'answered')
    await door().stop()
    await copyFile(path.join(home, 'state.db'), path.join(home, 'older.db'))
    await restart()
    await post('groups/remove', { name: 'engineers', members: [ANN] })
    await post('roles/take', { role: 'reader', to: 'caller', name: 'ben' })
    await post('callers', { name: 'cem', kind: 'user' })
    await post('callers/disable', { name: 'cem' })
    await post('callers', { name: 'dora', kind: 'user' })
    await post('groups/add', { name: 'engineers', members: ['dora'] })
    await door().stop()
    for (const left of ['state.db-wal', 'state.db-shm']) await rm(path.join(home, left), { force: true })
    await copyFile(path.join(home, 'older.db'), path.join(home, 'state.db'))
    await restart()
    assert.equal(await ask(), 'action.denied')
    assert.deepEqual((await json('caller', 'show', 'ben'))['roles'], [])
    assert.equal((await json('caller', 'show', 'cem'))['state'], 'disabled', 'who was shut out stays out')
    assert.equal((await story.cli('caller', 'show', 'dora')).status, 66, 'and nobody is let in')
    const { entries } = (await json('ledger', 'tail', '--lines', '50')) as {
      entries: readonly { readonly shown: Readonly<Record<string, unknown>> }[]
    }
    const behind = entries.find(({ shown }) => shown['what'] === 'state.behind')
    assert.equal(behind?.shown['count'], 3)
  }, 'models:\n  echo: { provider: echo }\n')
})
