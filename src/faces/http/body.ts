import type { IncomingMessage, ServerResponse } from 'node:http'
import { ByteCollector } from '#base/byte_collector.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { Memory } from '#base/memory.ts'
import type { Media } from '#door/route.ts'
import type { HeaderFacts } from './headers.ts'

export interface BodyLimits {
  readonly bytes: number
  readonly timeoutMs: number
}

/** One request whose body has not been read. */
export interface Unread {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly facts: HeaderFacts
  readonly media: Media
  readonly limits: BodyLimits
}

const NOTHING = new Uint8Array(0)

/** In UTF-8 (RFC 8259 section 8.1); a charset may be named as long as it is that one. */
const TYPES: Readonly<Record<Media, { readonly form: RegExp; readonly name: string }>> = {
  json: { form: mediaType('json'), name: 'application/json' },
  scim: { form: mediaType('(scim\\+)?json'), name: 'application/scim+json' },
  form: { form: mediaType('x-www-form-urlencoded'), name: 'application/x-www-form-urlencoded' },
}

function mediaType(subtype: string): RegExp {
  return new RegExp(`^application/${subtype}[ \\t]*(;[ \\t]*charset[ \\t]*=[ \\t]*"?utf-8"?[ \\t]*)?$`, 'i')
}

/**
 * Reads the whole body, once. A body that says beforehand that it is too long, or for which there is no memory, is not
 * read at all.
 *
 * Rejects with `input.invalid` for another type than that of the route or any encoding, `input.too_large`, `load.exceeded`,
 * `input.slow` and `input.aborted`.
 */
export async function readBody(unread: Unread, memory: Memory): Promise<Uint8Array> {
  const { request, response, facts, media, limits } = unread
  const { contentLength = 0 } = facts
  const isChunked = facts.transferCoding !== undefined
  if (!isChunked && contentLength === 0) return NOTHING
  checkForm(facts, media)
  if (contentLength > limits.bytes) throw tooLarge(limits.bytes)
  const collector = new ByteCollector(memory, isChunked ? undefined : contentLength, limits.bytes)
  // Only a request that got this far is told to send its body (RFC 9110 section 10.1.1).
  if (facts.awaitsContinue) response.writeContinue()
  // Most bodies come in the same packet as their heads. Then Node has the whole body before the next microtask.
  await Promise.resolve()
  const isThere = request.readableLength === contentLength && !isChunked && !request.destroyed
  return isThere ? takeAll(request, collector) : await collect(unread, collector)
}

function checkForm({ contentType = '', contentEncoding }: HeaderFacts, media: Media): void {
  const { form, name } = TYPES[media]
  if (!form.test(contentType.trim()))
    throw new Fault('input.invalid', {}, { say: `Send the body as "Content-Type: ${name}", in UTF-8.` })
  if (contentEncoding !== '' && contentEncoding.toLowerCase() !== 'identity')
    throw new Fault('input.invalid', {}, { say: 'Send the body without Content-Encoding.' })
}

function takeAll(request: IncomingMessage, collector: ByteCollector): Uint8Array {
  collector.add(request.read())
  // Node ends a request whose end somebody waits for, and lets go of it.
  request.resume()
  return collector.take()
}

function collect({ request, limits }: Unread, collector: ByteCollector): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      if (collector.size + chunk.length > limits.bytes) end(tooLarge(limits.bytes))
      else keep(chunk)
    }
    const keep = (chunk: Buffer): void => {
      try {
        collector.add(chunk)
      } catch (thrown) {
        end(asFault(thrown))
      }
    }
    const onEnd = (): void => end(undefined)
    const onGone = (): void => end(new Fault('input.aborted'))
    const timer = setTimeout(() => end(new Fault('input.slow')), limits.timeoutMs)
    const end = (fault: Fault | undefined): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onGone)
      if (fault !== undefined) reject(fault)
      else resolve(collector.take())
    }
    if (request.destroyed) end(new Fault('input.aborted'))
    else request.on('data', onData).on('end', onEnd).on('close', onGone)
  })
}

function tooLarge(bytes: number): Fault {
  return new Fault('input.too_large', { limit: bytes }, { say: `A body may have ${bytes} bytes.` })
}
