import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

/**
 * The floor of any gateway in this language: `node:http` in, `Pool.dispatch` out, nothing looked at; streams of events as they
 * come, all else in whole bodies. With
 * `--append FILE` each request also waits for one record of 400 bytes to be written and synced, all that wait at the same
 * time sharing one sync: the floor of any gateway that acts only after its intent is on disk.
 * Prints `{"port":N}` when it listens.
 */
function openProxy(upstreamPort: number, appender: Appender | undefined): http.Server {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 1_024, pipelining: 1 })
  return http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const forward = (): void => dispatch(pool, request.url ?? '/', Buffer.concat(chunks), response)
      if (appender === undefined) forward()
      else appender.append(forward)
    })
  })
}

function dispatch(pool: Pool, path: string, body: Buffer, response: http.ServerResponse): void {
  const chunks: Buffer[] = []
  let status = 502
  let isStream = false
  pool.dispatch(
    {
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
      body,
    },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode, headers) => {
        status = statusCode
        isStream = headers['content-type'] === EVENTS
        if (isStream) response.writeHead(status, { 'content-type': EVENTS })
      },
      onResponseData: (_controller, chunk) => void (isStream ? response.write(chunk) : chunks.push(chunk)),
      onResponseEnd: () => {
        if (isStream) return void response.end()
        const whole = Buffer.concat(chunks)
        response
          .writeHead(status, { 'content-type': 'application/json', 'content-length': whole.length })
          .end(whole)
      },
      onResponseError: () => response.writeHead(502).end(),
    },
  )
}

const EVENTS = 'text/event-stream'

const RECORD = Buffer.alloc(400, 0x61)

class Appender {
  readonly #handle: number
  #waiting: (() => void)[] = []
  #isBusy = false

  constructor(file: string) {
    this.#handle = fs.openSync(file, 'a')
  }

  append(done: () => void): void {
    this.#waiting.push(done)
    if (!this.#isBusy) this.#commit()
  }

  #commit(): void {
    const group = this.#waiting
    if (group.length === 0) return
    this.#isBusy = true
    this.#waiting = []
    const bytes = Buffer.concat(group.map(() => RECORD))
    fs.write(this.#handle, bytes, (writeError) => {
      if (writeError !== null) throw writeError
      fs.fdatasync(this.#handle, (syncError) => {
        if (syncError !== null) throw syncError
        this.#isBusy = false
        this.#commit()
        for (const done of group) done()
      })
    })
  }
}

if (import.meta.main) {
  const [upstream, flag, file] = process.argv.slice(2)
  const appender = flag === '--append' && file !== undefined ? new Appender(file) : undefined
  const server = openProxy(Number(upstream), appender)
  server.listen(0, '127.0.0.1', () =>
    console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })),
  )
}
