import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { journey, refusal, say, type Journey } from '../support/journey.ts'
import { RawConnection, type RawReply } from '../support/raw_http.ts'

const CHAT = '{"model":"echo","messages":[{"role":"user","content":"hi"}]}'

async function open(story: Journey): Promise<RawConnection> {
  const { hostname, port } = new URL(story.door().door)
  return RawConnection.open({ host: hostname, port: Number(port) })
}

function head(key: string, length: number): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${String(length)}\r\n\r\n`
}

function codeOf(reply: RawReply | undefined): string {
  const body = JSON.parse(reply?.body ?? '{}') as { error?: { code?: string } }
  return body.error?.code ?? 'ok'
}

const ENDS: readonly (readonly [
  reason: string,
  end: (story: Journey, name: string, kid: string) => Promise<unknown>,
])[] = [
  ['key.revoked', async ({ json }, _name, kid) => json('key', 'revoke', kid)],
  ['caller.disabled', async ({ json }, name) => json('caller', 'disable', name)],
]

test('a key that ends while the body comes opens nothing: the same 401, and the ledger says why', async () => {
  await journey(async (story) => {
    for (const [reason, end] of ENDS) {
      const name = `demo-${reason.replace('.', '-')}`
      const { key, kid } = await story.key(name, '--models', 'echo')
      const connection = await open(story)
      connection.write(head(key, CHAT.length) + CHAT.slice(0, -1))
      await say(story.client(key), 'it is valid now')
      await end(story, name, kid)
      const reply = await connection.write(CHAT.slice(-1)).reply()
      assert.deepEqual([reply?.status, codeOf(reply)], [401, 'caller.unknown'], reason)
      assert.match(reply?.body ?? '', /"stage":"authenticate"/)
      const told = await story.json('why', reply?.headers.get('x-request-id') ?? '')
      const operator = told['operator'] as { reason: string; caller: string; kid: string }
      assert.deepEqual([operator.reason, operator.caller, operator.kid], [reason, `Service::"${name}"`, kid])
      connection.destroy()
    }
  })
})

test('a revoked key between valid ones, all at once on one connection: each gets its own answer', async () => {
  await journey(async (story) => {
    const good = await story.key('good', '--models', 'echo')
    const bad = await story.key('bad', '--models', 'echo')
    await story.json('key', 'revoke', bad.kid)
    const connection = await open(story)
    connection.write([good, bad, good].map(({ key }) => head(key, CHAT.length) + CHAT).join(''))
    const statuses: (number | undefined)[] = []
    for (let at = 0; at < 3; at += 1) statuses.push((await connection.reply())?.status)
    assert.deepEqual(statuses, [200, 401, 200])
    connection.destroy()
  })
})

test('over the limit a stranger cannot tell a key id that exists from one that does not', async () => {
  await journey(async (story) => {
    const { kid } = await story.key('demo', '--models', 'echo')
    const told: string[] = []
    const forged = (id: string): string => {
      const text = `gate_live_${id}_${'b'.repeat(32)}`
      return `${text}_${base62(crc32(text)).padStart(6, '0')}`
    }
    for (let at = 0; at < 30; at += 1) await answerTo(story, 'nonsense', '/v1/models')
    for (const key of [forged(kid), forged('AAAAAAAAAAAA'), 'nonsense'])
      told.push(await answerTo(story, key, '/v1/models'))
    assert.match(told[0] ?? '', /^429 .*"code":"source.throttled"/)
    assert.deepEqual(new Set(told).size, 1, told.join('\n'))
    const unknown = [forged(kid), forged('AAAAAAAAAAAA')].map(async (key) => answerTo(story, key, '/v1/none'))
    assert.equal(new Set(await Promise.all(unknown)).size, 1)
  })
})

test('a valid key cannot fill the ledger with refusals: beyond a burst they are counted, by key', async () => {
  await journey(async (story) => {
    const { key, kid } = await story.key('demo', '--models', 'echo')
    const client = story.client(key)
    const codes = new Map<string, number>()
    for (let round = 0; round < 30; round += 1) {
      const refused = Array.from({ length: 20 }, async () => refusal(say(client, 'x', 'house-model')))
      for (const { code } of await Promise.all(refused)) codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    const recorded = codes.get('action.denied') ?? 0
    const throttled = codes.get('caller.throttled') ?? 0
    assert.equal(recorded + throttled, 600)
    assert.ok(throttled > 100, `only ${String(throttled)} were throttled`)
    await say(client, 'what is not refused is served')
    await story.restart()
    const { entries } = (await story.json('ledger', 'tail', '--lines', '1000')) as {
      entries: { kind: string; shown: Record<string, unknown> }[]
    }
    assert.equal(entries.filter(({ kind }) => kind === 'refusal').length, recorded)
    const digests = entries.filter(({ kind, shown }) => kind === 'digest' && shown['kid'] === kid)
    assert.equal(
      digests.reduce((sum, { shown }) => sum + Number(shown['count']), 0),
      throttled,
    )
  })
})

async function answerTo(story: Journey, key: string, path: string): Promise<string> {
  const response = await fetch(`${story.door().door}${path}`, { headers: { authorization: `Bearer ${key}` } })
  const id = response.headers.get('x-request-id') ?? ''
  return `${String(response.status)} ${(await response.text()).replaceAll(id, 'ID')}`
}

function base62(value: number): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / 62)) text = alphabet.charAt(rest % 62) + text
  return text
}
