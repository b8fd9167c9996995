import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import { StillClock } from '../../../test/support/door_parts.ts'
import type { ModelSettings } from './provider.ts'
import { PROVIDERS } from './providers/all.ts'

/** What holds for every provider. What they answer needs a permit, so it is tested with the routes. */

const SECRET = ['provider', 'key', 'value'].join('-')
const PARTS = { clock: new StillClock(), redact: (text: string) => text }

function settingsOf(provider: string): ModelSettings {
  return {
    name: 'm',
    provider,
    baseUrl: 'http://127.0.0.1:9/v1',
    model: 'upstream-m',
    key: { kind: 'present', secret: new Sealed(SECRET) },
    auth: 'bearer',
    region: undefined,
    extensions: 'pass',
    timeoutMs: 1_000,
    maxAnswerBytes: 10_000,
  }
}

test('PROVIDERS lists each file in its folder once, by name, under the id of the file', () => {
  const files = readdirSync(new URL('providers', import.meta.url))
    .filter((file) => !file.endsWith('.test.ts') && file !== 'all.ts')
    .map((file) => file.replace(/\.ts$/, ''))
  assert.deepEqual(
    PROVIDERS.map(({ id }) => id),
    files.sort(),
  )
})

for (const provider of PROVIDERS) {
  test(`${provider.id} says why it exists, opens without a network, shows no key, and closes`, async () => {
    assert.match(provider.why, /^[A-Z].+\.$/)
    const settings = Object.freeze(settingsOf(provider.id))
    const connection = provider.open(settings, PARTS)
    assert.ok(!JSON.stringify([settings, connection, provider]).includes(SECRET))
    await connection.close()
  })
}
