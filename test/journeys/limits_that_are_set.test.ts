import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journey, refusal, say } from '../support/journey.ts'
import { homeWith, usesOf } from '../support/limits_home.ts'

const CONFIG = `models:
  echo: { provider: echo, max_output_tokens: 100 }
limits:
  budgets:
    - { who: { space: default }, requests_per_day: 100 }
`

test('limits that are set on callers, groups, spaces and tenants hold from the next request on', async () => {
  await journey(
    async ({ key, client, json, restart }) => {
      const { key: one } = await key('one')
      const { key: two } = await key('two')
      const isRefused = async (of: string): Promise<void> => {
        const { status, code } = await refusal(say(client(of), 'hi'))
        assert.deepEqual([status, code], [429, 'limit.exceeded'])
      }
      await json('group', 'create', 'outer')
      await json('group', 'create', 'inner')
      await json('group', 'nest', 'inner', 'outer')
      await json('group', 'add', 'inner', 'one')
      await say(client(one), 'hi')

      await json('limit', 'set', 'caller', 'one', '--requests-per-day', '1')
      await say(client(one), 'the first that counts for it')
      await isRefused(one)
      await say(client(two), 'hi')
      await json('limit', 'set', 'caller', 'one', '--requests-per-day', '2')
      await say(client(one), 'hi')
      await restart()
      await isRefused(one)
      await json('limit', 'set', 'caller', 'one', '--none')
      await say(client(one), 'hi')

      for (const [kind, name] of [
        ['group', 'outer'],
        ['tenant', 'default'],
      ] as const) {
        await json('limit', 'set', kind, name, '--requests-per-day', '1')
        await say(client(one), 'hi')
        await isRefused(one)
        await json('limit', 'set', kind, name, '--none')
      }

      // Seven have counted for the space by its budget: both hold, in one account.
      const { used = 0 } = (await usesOf(json)).get('space:default requests_per_day') ?? {}
      await json('limit', 'set', 'space', 'default', '--requests-per-day', String(used + 1))
      await say(client(two), 'hi')
      await isRefused(two)
      await isRefused(one)
    },
    { home: await homeWith(CONFIG) },
  )
})
