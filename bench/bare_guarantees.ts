import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { asFault, Fault } from '#base/fault.ts'
import { FAULTS } from '#base/fault_table.ts'
import { newEntryId } from '#base/ids.ts'
import { upstreamFault } from '#base/upstream_fault.ts'
import type { Proven } from '#trust/access/caller.ts'
import { checkGuarantees } from './check_guarantees.ts'
import { UPSTREAM_KEY } from './contestants.ts'
import { admit, Guarantees, settle, type Entered } from './guarantees.ts'

/** A request may have so many bytes, as the door has it. */
const BODY_BYTES = 4 * 1_024 * 1_024
const SIGN_MS = 1_000

/**
 * The bare proxy with what the promises of the door need and nothing else: the floor of any gateway in this language that
 * gives them with these primitives. Prints `{"port":N,"key":"…"}` once it has shown that it gives them, and at its end
 * `{"entries":N,"groups":N}`.
 */
function openProxy(upstreamPort: number, guarantees: Guarantees): http.Server {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 1_024, pipelining: 1 })
  const around = { guarantees, pool }
  return http.createServer((request, response) => {
    const address = request.socket.remoteAddress ?? ''
    const startedAt = performance.now()
    const entered = { id: newEntryId(), seed: guarantees.log.drawSeed(), address, startedAt }
    const passage = new StraightPassage(around, entered, response)
    passage.run('refusal', () => {
      const proven = guarantees.prove(request.headers.authorization, address)
      passage.read(request, proven)
    })
  })
}

interface Around {
  readonly guarantees: Guarantees
  readonly pool: Pool
}

class StraightPassage {
  readonly #around: Around
  readonly #entered: Entered
  readonly #response: http.ServerResponse

  constructor(around: Around, entered: Entered, response: http.ServerResponse) {
    this.#around = around
    this.#entered = entered
    this.#response = response
  }

  /** Whatever is thrown is on record before it is told. */
  run(kind: 'refusal' | 'outcome', work: () => void): void {
    try {
      work()
    } catch (thrown) {
      this.#refuse(kind, asFault(thrown))
    }
  }

  read(request: http.IncomingMessage, proven: Proven): void {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= BODY_BYTES) chunks.push(chunk)
    })
    request.on('end', () =>
      this.run('refusal', () => {
        if (size > BODY_BYTES) throw new Fault('input.too_large', { limit: BODY_BYTES })
        const { guarantees } = this.#around
        const { intent, body } = admit(guarantees, this.#entered, proven, Buffer.concat(chunks))
        guarantees.log.add(intent, () => this.#dispatch(body))
      }),
    )
  }

  #dispatch(body: string): void {
    const chunks: Buffer[] = []
    let status = 0
    this.#around.pool.dispatch(
      { method: 'POST', path: '/v1/chat/completions', headers: HEADERS, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => void (status = statusCode),
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => this.run('outcome', () => this.#answer(status, Buffer.concat(chunks))),
        onResponseError: (_controller, error) => this.#refuse('outcome', upstreamFault(error)),
      },
    )
  }

  #answer(status: number, bytes: Uint8Array): void {
    if (status !== 200) throw new Fault('upstream.failed', { status })
    const { guarantees } = this.#around
    const { outcome, body } = settle(guarantees, this.#entered, bytes)
    // As the door has it for models: in the queue before the answer leaves, on disk with the next group.
    guarantees.log.add(outcome)
    this.#reply(200, body)
  }

  #refuse(kind: 'refusal' | 'outcome', fault: Fault): void {
    const { guarantees } = this.#around
    guarantees.log.add(guarantees.refusal(kind, this.#entered, fault), () =>
      this.#reply(FAULTS[fault.code].status, JSON.stringify({ error: fault.code })),
    )
  }

  #reply(status: number, body: string): void {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': this.#entered.id,
    }
    this.#response.writeHead(status, headers).end(body)
  }
}

const HEADERS = { 'content-type': 'application/json', authorization: `Bearer ${UPSTREAM_KEY}` }

if (import.meta.main) {
  const [upstream, folder = ''] = process.argv.slice(2)
  const guarantees = await Guarantees.open(folder)
  const server = openProxy(Number(upstream), guarantees)
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    void checkGuarantees(guarantees, port).then(() => {
      setInterval(() => void guarantees.log.sign(), SIGN_MS)
      console.log(JSON.stringify({ port, key: guarantees.key }))
      process.once('SIGTERM', () => {
        console.log(JSON.stringify(guarantees.log.written))
        process.exit()
      })
    })
  })
}
