import assert from 'node:assert/strict'
import http, { Agent } from 'node:http'
import { journey } from './journey.ts'
import { allEntries, homeWith } from './limits_home.ts'

/** The door lets some hundred strangers in at once: they come in turns, and race when all are known. */
const TURN = 200

/** 1,000 requests at once, of four keys, for a budget of 10: exactly 10 pass, and exactly these are on record. */
export async function raceForTen(inFlight: number, args: readonly string[] = []): Promise<void> {
  const home = await homeWith(
    `models:\n  echo: { provider: echo, max_output_tokens: 100 }\nlimits:\n  in_flight: ${inFlight}\n  budgets:\n    - { who: { space: default }, requests_per_day: 10 }\n`,
  )
  await journey(
    async ({ door, key, json }) => {
      const keys = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await key(name)).key))
      const statuses = await race(door().door, keys, 1_000)
      assert.equal(statuses.filter((status) => status === 200).length, 10)
      assert.equal(statuses.filter((status) => status === 429).length, 990)
      const counted = (await allEntries(json)).filter(
        ({ kind, opened }) => kind === 'intent' && 'counters' in opened,
      )
      assert.equal(counted.length, 10)
    },
    { home, args },
  )
}

/** On a connection each, all at once. Gives how each ended. */
async function race(url: string, keys: readonly string[], count: number): Promise<readonly number[]> {
  const agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  const send = async (at: number, target: string, body?: string): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const headers = { authorization: `Bearer ${keys[at % keys.length]}`, 'content-type': 'application/json' }
    const method = body === undefined ? 'GET' : 'POST'
    const options = { method, agent: agents[at], headers } as const
    const request = http.request(`${url}${target}`, options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', reject).end(body)
    return promise
  }
  try {
    for (let first = 0; first < count; first += TURN)
      await Promise.all(Array.from({ length: TURN }, (_, at) => send(first + at, '/v1/models')))
    const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] })
    return await Promise.all(agents.map((_, at) => send(at, '/v1/chat/completions', body)))
  } finally {
    for (const agent of agents) agent.destroy()
  }
}
