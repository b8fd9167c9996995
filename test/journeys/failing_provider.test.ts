import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import {
  breaking,
  failing,
  saying,
  startSwitchedUpstream,
  type SwitchedUpstream,
} from '../fakes/switched_upstream.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'
import { journey, refusal, say, type Journey } from '../support/journey.ts'

/** A story on a door with a pool `main` of two providers, `first` in the region us and `second` in eu. */
async function poolJourney(
  tell: (story: Journey, first: SwitchedUpstream, second: SwitchedUpstream) => Promise<void>,
): Promise<void> {
  const first = await startSwitchedUpstream(saying('from the first'))
  const second = await startSwitchedUpstream(saying('from the second'))
  const home = await temporaryHome()
  const member = ({ origin }: SwitchedUpstream, region: string): string =>
    `{ provider: openai, base_url: "${origin}/v1", model: m, region: ${region} }`
  const text = `models:
  echo: { provider: echo }
  first: ${member(first, 'us')}
  second: ${member(second, 'eu')}
  main: { provider: pool, members: [{ model: first }, { model: second }], breaker: { failures: 3, open_ms: 300 } }
`
  await writeFile(path.join(home, 'gatehouse.yaml'), text)
  try {
    await journey((story) => tell(story, first, second), { home })
  } finally {
    await first.close()
    await second.close()
  }
}

test('a provider fails, callers do not notice, and it is asked again when it is back', async () => {
  await poolJourney(async (story, first, second) => {
    const { key } = await story.key('demo', '--models', 'main')
    const client = story.client(key)
    const textOf = async (): Promise<unknown> => (await say(client, 'hi', 'main')).choices[0]?.message.content
    assert.equal(await textOf(), 'from the first')
    first.does(failing(503))
    for (let at = 0; at < 4; at++) assert.equal(await textOf(), 'from the second')
    assert.equal(first.received.length, 4)
    assert.match(await metrics(story), /upstream_state\{pool="main",model="first",state="open"\} 1/)
    first.does(saying('from the first'))
    while ((await textOf()) !== 'from the first') await new Promise((resolve) => setTimeout(resolve, 50))
    assert.match(await metrics(story), /upstream_state\{pool="main",model="first",state="closed"\} 1/)
    assert.ok(second.received.length >= 4)
    // The pool opens no member by its own name.
    const refused = await refusal(say(client, 'hi', 'first'))
    assert.deepEqual([refused.status, refused.code], [403, 'action.denied'])
  })
})

test('a stream that breaks off is not begun anew at another provider, and its client is told', async () => {
  await poolJourney(async (story, first, second) => {
    first.does(breaking(['This is the beginning of an answer ', 'and this comes after it.'], 'cut'))
    const { key } = await story.key('demo', '--models', 'main')
    const stream = await story
      .client(key)
      .chat.completions.create({ model: 'main', messages: [{ role: 'user', content: 'hi' }], stream: true })
    let text = ''
    await assert.rejects(async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
    }, /provider failed/)
    assert.match(text, /^This is/)
    assert.deepEqual([first.received.length, second.received.length], [1, 0])
  })
})

test('a fallback never leaves the region that a policy sets', async () => {
  await poolJourney(async (story, first, second) => {
    const { key } = await story.key('demo', '--models', 'main')
    const client = story.client(key)
    const rule = `@id("only-eu") forbid (principal, action == Action::"model:infer", resource is Model)
when { resource.provider != "pool" } unless { resource has region && resource.region == "eu" };`
    await writeFile(path.join(story.home, 'policies', 'region.cedar'), rule)
    await story.json('policy', 'apply')
    assert.equal((await say(client, 'hi', 'main')).choices[0]?.message.content, 'from the second')
    second.does(failing(500))
    const refused = await refusal(say(client, 'hi', 'main'))
    assert.equal(refused.code, 'upstream.failed')
    assert.equal(first.received.length, 0)
    const { operator } = await story.json('why', refused.entry)
    const { model, opened } = operator as { model: string; opened: { members_denied: string[] } }
    assert.deepEqual([model, opened.members_denied], ['second', ['first']])
  })
})

async function metrics(story: Journey): Promise<string> {
  return (await fetch(`${story.door().metrics}/metrics`)).text()
}
