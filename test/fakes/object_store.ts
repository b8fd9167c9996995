import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * S3-compatible storage with object lock, as far as checkpoints need it: `PUT /bucket/key` with AWS Signature Version 4,
 * which it checks by its own reading of what AWS describes.
 */
export interface ObjectStore {
  readonly origin: string
  readonly objects: ReadonlyMap<string, StoredObject>
  /** What was wrong with requests that were refused. */
  readonly wrong: readonly string[]
  /** Answers this to everything from now on. */
  answers(status: number | undefined): void
  /** From now on it has no versions, as a bucket without object lock, and takes what it is given all the same. */
  forgetLock(): void
  close(): Promise<void>
}

export interface StoredObject {
  readonly body: string
  readonly mode: string
  readonly until: string
}

export interface ObjectStoreKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly token?: string
  readonly region: string
}

const NEEDED = ['host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-object-lock-mode']
const CLOCK_MS = 900_000

export async function startObjectStore(
  keys: ObjectStoreKeys,
  now: () => number = Date.now,
): Promise<ObjectStore> {
  const objects = new Map<string, StoredObject>()
  const wrong: string[] = []
  let fixed: number | undefined
  let isPlain = false
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (fixed !== undefined) return end(response, fixed)
      if (isPlain) response.setHeader('x-amz-version-id', 'null')
      else response.setHeader('x-amz-version-id', String(objects.size + 1))
      const problem = problemOf(request, body, keys, now())
      if (problem !== undefined) {
        wrong.push(problem)
        return end(response, problem.startsWith('malformed') ? 400 : 403)
      }
      const key = request.url ?? ''
      if (request.headers['if-none-match'] === '*' && objects.has(key)) return end(response, 412)
      objects.set(key, {
        body: body.toString('utf8'),
        mode: String(request.headers['x-amz-object-lock-mode']),
        until: String(request.headers['x-amz-object-lock-retain-until-date']),
      })
      return end(response, 200)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    wrong,
    answers: (status) => void (fixed = status),
    forgetLock: () => void (isPlain = true),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What is wrong with a request; undefined for a good one. */
function problemOf(
  request: IncomingMessage,
  body: Buffer,
  keys: ObjectStoreKeys,
  now: number,
): string | undefined {
  const { headers, method = '', url = '' } = request
  if (method !== 'PUT') return 'malformed: not a PUT'
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})$/
  const [, id, day = '', region, signed = '', signature] = form.exec(headers.authorization ?? '') ?? []
  if (id === undefined) return 'malformed: no authorization'
  if (id !== keys.accessKeyId || region !== keys.region) return 'another key or region'
  if (headers['x-amz-security-token'] !== keys.token) return 'another session token'
  const names = signed.split(';')
  // Every header of Amazon's has to be signed, and the host.
  const sent = Object.keys(headers).filter((name) => name.startsWith('x-amz-'))
  for (const name of [...NEEDED, ...sent]) if (!names.includes(name)) return `${name} is not signed`
  if (names.join(';') !== [...names].sort().join(';')) return 'malformed: signed headers are not sorted'
  const time = String(headers['x-amz-date'])
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(at) || !time.startsWith(day) || Math.abs(at - now) > CLOCK_MS) return 'another time'
  const hash = createHash('sha256').update(body).digest('hex')
  if (headers['x-amz-content-sha256'] !== hash) return 'another body'
  if (headers['content-md5'] !== createHash('md5').update(body).digest('base64'))
    return 'malformed: retention needs Content-MD5'
  const lines = names.map((name) => `${name}:${String(headers[name])}\n`).join('')
  const canonical = `${method}\n${url}\n\n${lines}\n${signed}\n${hash}`
  const text = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/s3/aws4_request\n${createHash('sha256').update(canonical).digest('hex')}`
  const mac = (key: string | Buffer, part: string): Buffer => createHmac('sha256', key).update(part).digest()
  const key = mac(mac(mac(mac(`AWS4${keys.secretAccessKey}`, day), keys.region), 's3'), 'aws4_request')
  if (mac(key, text).toString('hex') !== signature) return 'another signature'
  const mode = headers['x-amz-object-lock-mode']
  if (mode !== 'COMPLIANCE' && mode !== 'GOVERNANCE') return 'malformed: no such mode'
  const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']))
  return until > now ? undefined : 'malformed: no time in the future'
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(status === 200 ? '' : '<Error/>')
}
