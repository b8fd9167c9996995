import type { IncomingMessage } from 'node:http'
import { Fault } from '#base/fault.ts'
import type { HeaderFacts } from './headers.ts'

export interface BodyLimits {
  readonly bytes: number
  readonly timeoutMs: number
}

const NOTHING = new Uint8Array(0)

/** JSON in UTF-8 (RFC 8259 section 8.1); a charset may be named as long as it is that one. */
const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i

/**
 * Reads the whole body, once. A body that says beforehand that it is too long is not read at all.
 *
 * Rejects with `input.invalid` for another type or encoding than plain JSON, `input.too_large`, `input.slow` and
 * `input.aborted`.
 */
export async function readBody(
  request: IncomingMessage,
  facts: HeaderFacts,
  limits: BodyLimits,
): Promise<Uint8Array> {
  const hasBody = facts.isChunked || (facts.contentLength ?? 0) > 0
  if (!hasBody) return NOTHING
  checkForm(facts)
  if ((facts.contentLength ?? 0) > limits.bytes) throw tooLarge(limits.bytes)
  return await collect(request, limits)
}

function checkForm({ contentType, contentEncoding }: HeaderFacts): void {
  if (!JSON_TYPE.test(contentType.trim()))
    throw new Fault(
      'input.invalid',
      {},
      { say: 'Send the body as "Content-Type: application/json", in UTF-8.' },
    )
  if (contentEncoding !== '' && contentEncoding.toLowerCase() !== 'identity')
    throw new Fault('input.invalid', {}, { say: 'Send the body without Content-Encoding.' })
}

function collect(request: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limits.bytes) end(tooLarge(limits.bytes))
      else chunks.push(chunk)
    }
    const onEnd = (): void => end(undefined)
    const onGone = (): void => end(new Fault('input.aborted'))
    const timer = setTimeout(() => end(new Fault('input.slow')), limits.timeoutMs)
    const end = (fault: Fault | undefined): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onGone)
      if (fault !== undefined) reject(fault)
      else resolve(chunks.length === 1 ? (chunks[0] ?? NOTHING) : Buffer.concat(chunks, size))
    }
    if (request.destroyed) end(new Fault('input.aborted'))
    else request.on('data', onData).on('end', onEnd).on('close', onGone)
  })
}

function tooLarge(bytes: number): Fault {
  return new Fault('input.too_large', { limit: bytes }, { say: `A body may have ${bytes} bytes.` })
}
