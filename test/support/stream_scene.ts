import assert from 'node:assert/strict'
import type { JsonObject, JsonValue } from '../../src/base/json.ts'
import { isJsonArray, isJsonObject } from '../../src/base/json.ts'
import { writeEvent } from '../../src/base/sse.ts'
import type { StreamFrame } from '../../src/door/stream_frame.ts'
import { eachOf, framesOf, type StreamFormat } from '../../src/rooms/models/formats/stream_format.ts'

/** What an upstream writes: JSON events, named by `nameOf`, and raw texts between them. */
export function wireOf(
  events: readonly (JsonObject | string)[],
  nameOf: (event: JsonObject) => string | undefined,
): string {
  return events
    .map((event) => (typeof event === 'string' ? event : writeEvent(nameOf(event), JSON.stringify(event))))
    .join('')
}

/** The name of an event of a format whose events have types. */
export function typeName({ type }: JsonObject): string {
  return typeof type === 'string' ? type : ''
}

/** Reads a whole stream, in pieces of so many bytes. Throws what the format throws. */
export async function framesIn(
  format: StreamFormat,
  wire: string,
  bytesPerPiece = 1_000,
): Promise<StreamFrame[]> {
  return await allOf(eachOf(framesOf(format, piecesOf(wire, bytesPerPiece))))
}

export async function allOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

async function* piecesOf(wire: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(wire)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/**
 * Reads a stream and writes it out again as the door does, frame by frame, with a guard that finds nothing but always keeps
 * the last `held` characters of a channel back: so a client sees every text cut in other places, and rests in frames of
 * their own.
 */
export async function written(format: StreamFormat, wire: string, held: number): Promise<string> {
  const kept = new Map<string, string>()
  const rest = (channel: string): string => {
    const text = kept.get(channel) ?? ''
    kept.delete(channel)
    return text === '' ? '' : print(format.rest(channel, text), () => text)
  }
  let sent = ''
  for await (const frame of eachOf(framesOf(format, piecesOf(wire, 1_000)))) {
    const own = new Set(frame.texts.map(({ channel }) => channel))
    const ends = frame.ends === 'all' ? [...kept.keys()] : frame.ends
    for (const channel of ends) if (!own.has(channel)) sent += rest(channel)
    sent += print(frame, (channel, text) => {
      const all = (kept.get(channel) ?? '') + text
      const free = ends.includes(channel) ? all.length : Math.max(0, all.length - held)
      kept.set(channel, all.slice(free))
      return all.slice(0, free)
    })
  }
  for (const [channel, text] of kept) assert.equal(text, '', `${channel} never ended`)
  return sent + format.end
}

function print(frame: StreamFrame, release: (channel: string, text: string) => string): string {
  const value = frame.texts.reduce<JsonValue>(
    (whole, { channel, path }) => replaced(whole, path, (text) => release(channel, text)),
    frame.value,
  )
  return writeEvent(frame.event, JSON.stringify(value))
}

function replaced(
  value: JsonValue,
  [step, ...rest]: readonly (string | number)[],
  change: (text: string) => string,
): JsonValue {
  if (step === undefined) {
    assert.ok(typeof value === 'string', 'a path that leads to no text')
    return change(value)
  }
  if (isJsonArray(value)) return value.with(Number(step), replaced(value[Number(step)] ?? null, rest, change))
  assert.ok(isJsonObject(value))
  return { ...value, [step]: replaced(value[step] ?? null, rest, change) }
}

/** All texts of each channel, put together as a client does. */
export function textsByChannel(frames: readonly StreamFrame[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const frame of frames)
    for (const { channel, path } of frame.texts)
      replaced(frame.value, path, (text) => {
        texts[channel] = (texts[channel] ?? '') + text
        return text
      })
  return texts
}

/** A `fetch` for real clients: gives one stream, whatever is asked. */
export function fetchOf(wire: string): () => Promise<Response> {
  return async () => new Response(wire, { status: 200, headers: { 'content-type': 'text/event-stream' } })
}
