import http, { Agent } from 'node:http'

/** The door lets some hundred strangers in at once: they come in turns, and race when all are known. */
const TURN = 200

/** On a connection each, all at once. Gives how each ended. */
export async function race(url: string, keys: readonly string[], count: number): Promise<readonly number[]> {
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
