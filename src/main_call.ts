import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { Replied } from '#faces/cli/world.ts'
import { replyOf } from '#faces/http/reply.ts'
import { RouteTable } from '#faces/http/route_table.ts'

export type CallInProcess = (
  method: 'GET' | 'POST',
  target: string,
  body: JsonObject | undefined,
) => Promise<Replied>

/** The admin routes as the owner of the home asks them in the same process, without a socket in between. */
export function callInProcess(routes: readonly GuardedRoute[]): CallInProcess {
  const table = new RouteTable(routes)
  return async (method, target, body) => {
    const { route, params, query } = table.find(method, target, 'localhost')
    const id = newEntryId()
    const bytes = body === undefined ? new Uint8Array(0) : utf8(JSON.stringify(body))
    const outcome = await route.handle({
      id,
      credential: { kind: 'socket' },
      address: 'socket',
      params,
      query,
      body: async () => Promise.resolve(bytes),
      onAbort: () => undefined,
      // Its reply is a value in this process, and nobody's to read slowly.
      onEnd: (listener) => listener(),
    })
    if (outcome.kind === 'stream' || outcome.kind === 'bytes')
      throw new Fault('internal.bug', { error: 'admin routes answer in JSON' })
    const reply = replyOf(outcome, { id, envelope: route.envelope, media: route.media })
    const text = String(reply.body)
    const answer: JsonValue = text === '' ? null : JSON.parse(text)
    return { status: reply.status, body: answer }
  }
}
