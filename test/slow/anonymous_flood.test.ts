import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { journey, say } from '../support/journey.ts'

/** Seconds of flood; the product's claim is about 600. */
const SECONDS = Number(process.env['GATEHOUSE_FLOOD_SECONDS'] ?? 30)
const CLAIM_SECONDS = 600
const CLAIM_BYTES = 10_000_000
const CONNECTIONS = 64

test(`${String(SECONDS)} s of anonymous flood: a valid key is served throughout, and the ledger grows by at most 10 MB in ten minutes`, async (context) => {
  await journey(async ({ home, key, client, door }) => {
    const demo = client((await key('demo', '--models', 'echo')).key)
    await say(demo, 'before')
    const before = await bytesUnder(path.join(home, 'ledger'))
    const until = Date.now() + SECONDS * 1_000
    const strangers = Array.from({ length: CONNECTIONS }, async (_, index) =>
      flood(door().door, index, until),
    )
    let served = 0
    while (Date.now() < until) {
      assert.match((await say(demo, 'during')).choices[0]?.message.content ?? '', /during/)
      served += 1
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const refused = (await Promise.all(strangers)).reduce((sum, count) => sum + count, 0)
    await door().stop()
    const grown = (await bytesUnder(path.join(home, 'ledger'))) - before
    context.diagnostic(
      `refused ${String(refused)}, served ${String(served)}, ledger grew by ${String(grown)} bytes`,
    )
    assert.ok(refused > 100 * SECONDS, `only ${String(refused)} requests of strangers`)
    assert.ok(
      (grown / SECONDS) * CLAIM_SECONDS <= CLAIM_BYTES ||
        grown <= (CLAIM_BYTES / CLAIM_SECONDS) * SECONDS + 200_000,
      String(grown),
    )
  })
})

const IDLE = 10_000

test(`${String(IDLE)} idle connections without a key: a valid key is served, and they are counted`, async () => {
  await journey(async ({ key, client, door }) => {
    const demo = client((await key('demo', '--models', 'echo')).key)
    const { hostname, port } = new URL(door().door)
    const idle: net.Socket[] = []
    try {
      for (let at = 0; at < IDLE; at += 1) {
        const socket = net.connect(Number(port), hostname)
        idle.push(socket.on('error', () => undefined))
        await once(socket, 'connect')
      }
      assert.match((await say(demo, 'among them')).choices[0]?.message.content ?? '', /among them/)
      const metrics = await (await fetch(`${door().metrics}/metrics`)).text()
      const dropped = /connections_dropped_total\{reason="block"\} (\d+)/.exec(metrics)?.[1]
      assert.ok(Number(dropped) > IDLE - 1_000, `dropped ${String(dropped)}`)
    } finally {
      for (const socket of idle) socket.destroy()
    }
  })
})

/** Sends requests without a valid credential, one after the other, and counts the refusals; anything else fails. */
async function flood(url: string, index: number, until: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let count = 0
  while (Date.now() < until) {
    const status = await request(url, agent, credential(index + count))
    assert.ok(status === 401 || status === 429, String(status))
    count += 1
  }
  agent.destroy()
  return count
}

/** None, malformed, and well-formed with a right checksum in turn. */
function credential(turn: number): string | undefined {
  if (turn % 3 === 0) return undefined
  if (turn % 3 === 1) return 'Bearer nonsense'
  const head = `gate_live_${String(turn).padStart(12, 'A')}_${'b'.repeat(32)}`
  return `Bearer ${head}_${base62(crc32(head)).padStart(6, '0')}`
}

function base62(value: number): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / 62)) text = alphabet.charAt(rest % 62) + text
  return text
}

async function request(url: string, agent: http.Agent, authorization: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization }
    const sent = http.request(`${url}/v1/models`, { agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject).end()
  })
}

async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    // The space held in reserve is not the record.
    if (entry.isFile() && !entry.name.includes('reserve'))
      bytes += (await stat(path.join(entry.parentPath, entry.name))).size
  }
  return bytes
}
