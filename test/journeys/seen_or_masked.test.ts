import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { journey, say } from '../support/journey.ts'
import { temporaryHome } from '../support/gatehouse_process.ts'

const ADDRESS = 'ann@example.org'
const MASKED = '[redacted:personal.email]'
/** Letters with zero-width joiners between them, which no writing puts there. */
const HIDDEN = 'a\u200db\u200dc'
const REVEAL = `@id("reveal") permit (
  principal == Service::"support",
  action == Action::"pii:reveal",
  resource == Model::"echo"
);`

test('personal data and hidden text are masked by default, seen by whom policy lets see, and passed on a route that says so', async () => {
  const home = await temporaryHome()
  const config =
    'models:\n  echo: { provider: echo }\ninspection:\n  routes: { messages: { personal: { request: pass, response: pass } } }\n'
  await writeFile(path.join(home, 'gatehouse.yaml'), config)
  await journey(
    async ({ key, client, json, door }) => {
      const support = await key('support', '--models', 'echo')
      const other = await key('other', '--models', 'echo')
      const said = async ({ key: secret }: { key: string }): Promise<string> =>
        (await say(client(secret), `${ADDRESS} ${HIDDEN}`)).choices[0]?.message.content ?? ''
      for (const caller of [support, other]) assert.equal(await said(caller), `echo: ${MASKED} abc`)

      await writeFile(path.join(home, 'policies', 'reveal.cedar'), REVEAL)
      await json('policy', 'apply')
      assert.equal(await said(support), `echo: ${ADDRESS} abc`, 'seeing one thing shows no other')
      assert.equal(await said(other), `echo: ${MASKED} abc`)
      const stream = await client(support.key).chat.completions.create({
        model: 'echo',
        stream: true,
        messages: [{ role: 'user', content: `${ADDRESS} ${HIDDEN}` }],
      })
      let streamed = ''
      for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? ''
      assert.equal(streamed, `echo: ${ADDRESS} abc`)

      const anthropic = new Anthropic({ apiKey: other.key, baseURL: door().door, maxRetries: 0 })
      const message = await anthropic.messages.create({
        model: 'echo',
        max_tokens: 100,
        messages: [{ role: 'user', content: `${ADDRESS} ${HIDDEN}` }],
      })
      assert.deepEqual(
        message.content.map((block) => (block.type === 'text' ? block.text : '')),
        [`echo: ${ADDRESS} abc`],
      )
    },
    { home },
  )
})
