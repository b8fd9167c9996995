import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import type * as z from 'zod'
import { BYTES } from '#base/limits.ts'
import { Fault } from '#base/fault.ts'
import { FAULTS, isFaultCode } from '#base/fault_table.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Sealed } from '#base/sealed.ts'
import type { Call } from './command.ts'
import type { Replied } from './world.ts'

const SOCKET = 'admin.sock'
const FIRST_REFUSAL = 400
/** A door that is stopping may take its drain; more than this is a hang. */
const REPLY_MS = 30_000
/** Lists of ten thousand keys stay below; anything larger is not an answer of ours. */
const REPLY_BYTES = 16 * BYTES.mib

export interface Sent {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: JsonObject
}

/**
 * Sends one request to the door of the home: through its socket when it runs, else through the same door opened in
 * this process under the home's lock. Gives the body of the answer; throws the fault that the door refused with.
 */
export async function askDoor<Schema extends z.ZodType>(
  call: Call,
  schema: Schema,
  sent: Sent,
): Promise<z.infer<Schema>> {
  const { home, config, world } = call
  const replied = await overSocket(home, sent)
  if (replied !== undefined) return answerOf(schema, replied)
  const line = await world.openDoor({ home, config, listeners: 'none' })
  try {
    return answerOf(schema, await line.call(sent.method, sent.path, sent.body))
  } finally {
    await line.close()
  }
}

/** As `askDoor`, for questions that only a running door can answer: undefined when none runs. */
export async function askRunningDoor<Schema extends z.ZodType>(
  home: string,
  schema: Schema,
  sent: Sent,
): Promise<z.infer<Schema> | undefined> {
  const replied = await overSocket(home, sent)
  return replied === undefined ? undefined : answerOf(schema, replied)
}

/** Sends one GET with a key to the door's own address. Throws `door.unreachable` or what the door refused with. */
export async function askWithKey<Schema extends z.ZodType>(
  url: URL,
  schema: Schema,
  key: Sealed,
): Promise<z.infer<Schema>> {
  const headers = key.open((text) => ({ authorization: `Bearer ${text}` }))
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest
  const replied = await exchange((answer) => open(url, { headers, timeout: REPLY_MS }, answer))
  if (replied === undefined) throw new Fault('door.unreachable')
  return answerOf(schema, replied)
}

async function overSocket(home: string, { method, path, body }: Sent): Promise<Replied | undefined> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    text === undefined
      ? { host: 'localhost' }
      : { host: 'localhost', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  const options = { socketPath: join(home, SOCKET), method, path, headers, timeout: REPLY_MS }
  return await exchange((answer) => httpRequest(options, answer), text)
}

/** Undefined when nobody listens; a connection that breaks later is `door.unreachable`, as the act may have happened. */
async function exchange(
  open: (answer: (response: IncomingMessage) => void) => ReturnType<typeof httpRequest>,
  text?: string,
): Promise<Replied | undefined> {
  return await new Promise((resolve, reject) => {
    const fail = (thrown: unknown): void =>
      reject(thrown instanceof Fault ? thrown : new Fault('door.unreachable', {}, { cause: thrown }))
    const sending = open((response) => {
      readBody(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail)
    })
    sending.on('timeout', () => sending.destroy(new Fault('door.unreachable')))
    sending.on('error', (thrown) => (isNobodyThere(thrown) ? resolve(undefined) : fail(thrown)))
    sending.end(text)
  })
}

function isNobodyThere({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR'
}

async function readBody(response: IncomingMessage): Promise<JsonValue> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length
    if (size > REPLY_BYTES)
      throw new Fault('door.unreachable', {}, { say: 'The door answered more than the limit.' })
    parts.push(part)
  }
  try {
    const body: JsonValue = JSON.parse(Buffer.concat(parts).toString('utf8'))
    return body
  } catch (thrown) {
    throw new Fault(
      'door.unreachable',
      {},
      { say: 'The door answered something that is not JSON.', cause: thrown },
    )
  }
}

function answerOf<Schema extends z.ZodType>(schema: Schema, { status, body }: Replied): z.infer<Schema> {
  if (status >= FIRST_REFUSAL) throw faultOf(body)
  const parsed = schema.safeParse(body)
  if (!parsed.success)
    throw new Fault('door.unreachable', {}, { say: 'The door answered in a form that is not known.' })
  return parsed.data
}

function faultOf(body: JsonValue): Fault {
  const problem = isJsonObject(body) && isJsonObject(body['error']) ? body['error'] : body
  if (!isJsonObject(problem)) return new Fault('door.unreachable')
  const { code, detail, entry } = problem
  if (typeof code !== 'string' || !isFaultCode(code)) return new Fault('door.unreachable')
  const sentence = typeof detail === 'string' ? detail : FAULTS[code].title
  return new Fault(code, {}, { say: typeof entry === 'string' ? `${sentence} Entry ${entry}.` : sentence })
}
