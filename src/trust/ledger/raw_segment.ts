import { utf8 } from '#base/bytes.ts'
import { FRAME_BYTES, FRAME_TYPE, frameAt, putFrame } from './frame.ts'
import { leafHash } from './merkle.ts'
import type { BoxPlace } from './sidecar.ts'

/** One group of entries as it stands in an active segment. */
export interface Group {
  readonly first: number
  readonly leaves: readonly Uint8Array[]
  /** The encrypted records of the leaves. */
  readonly sealed: Uint8Array
  /** Where the group starts and ends in the file. */
  readonly start: number
  readonly end: number
}

/** How a file ends: `torn` by a crash before the last group was acknowledged, or `damaged` where it was. */
export type Ending =
  | { readonly kind: 'clean' }
  | { readonly kind: 'torn'; readonly at: number }
  | { readonly kind: 'damaged'; readonly at: number; readonly entry: number }

export interface RawSegment {
  readonly origin: string
  readonly first: number
  readonly groups: readonly Group[]
  /** Bytes up to the end of the last whole group. */
  readonly bytes: number
  /** Bytes up to the zeros at the end, which groups are going to be written over. */
  readonly written: number
  readonly ending: Ending
}

const GROUP_HEAD_BYTES = 10
/** 48-bit entry numbers: more than a log of ours holds in a century. */
const INDEX_BYTES = 6

/** The first frame of a segment. */
export function encodeHead(origin: string, first: number): Uint8Array {
  const payload = utf8(`gatehouse segment v1\n${origin}\n${first}\n`)
  const frame = Buffer.alloc(FRAME_BYTES + payload.length)
  putFrame(frame, 0, FRAME_TYPE.head, payload)
  return frame
}

/** The frames of one group: every leaf, then the encrypted records, which make the group count. */
export function encodeGroup(first: number, leaves: readonly Uint8Array[], sealed: Uint8Array): Uint8Array {
  let bytes = FRAME_BYTES + GROUP_HEAD_BYTES + sealed.length
  for (const leaf of leaves) bytes += FRAME_BYTES + leaf.length
  const frames = Buffer.allocUnsafe(bytes)
  let offset = 0
  for (const leaf of leaves) offset = putFrame(frames, offset, FRAME_TYPE.leaf, leaf)
  const payload = frames.subarray(offset + FRAME_BYTES)
  payload.writeUIntBE(first, 0, INDEX_BYTES)
  payload.writeUInt32BE(leaves.length, INDEX_BYTES)
  payload.set(sealed, GROUP_HEAD_BYTES)
  putFrame(frames, offset, FRAME_TYPE.group, payload)
  return frames
}

/** Reads a segment file. Undefined when not even its head can be read. */
export function scanSegment(content: Uint8Array): RawSegment | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const head = segmentHeadAt(bytes)
  if (head === undefined) return undefined
  const groups: Group[] = []
  let next = head.first
  let offset = head.end
  let step = groupAt(bytes, offset, next)
  for (; step.kind === 'group'; step = groupAt(bytes, offset, next)) {
    groups.push(step.group)
    next += step.group.leaves.length
    offset = step.group.end
  }
  const written = writtenUpTo(bytes, offset)
  const ending: Ending = written === offset ? { kind: 'clean' } : endingOf(bytes, step.at, next, step.entry)
  return { origin: head.origin, first: head.first, groups, bytes: offset, written, ending }
}

/** Whether nothing is written yet where a frame would start: none starts with zeros. */
export function isRoom(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= FRAME_BYTES && bytes.subarray(at, at + FRAME_BYTES).every((byte) => byte === 0)
}

/** Where the zeros at the end of a segment start, at `from` or behind it. */
export function writtenUpTo(bytes: Buffer, from: number): number {
  let end = bytes.length
  while (end > from && bytes[end - 1] === 0) end -= 1
  return end
}

/** The head of a segment, and where the first group starts; undefined when there is none at the start of the bytes. */
export function segmentHeadAt(
  bytes: Buffer,
): { readonly origin: string; readonly first: number; readonly end: number } | undefined {
  const head = frameAt(bytes, 0)
  const place = head?.type === FRAME_TYPE.head ? parseHeadPayload(head.payload) : undefined
  return head && place && { ...place, end: head.end }
}

/** The first leaf of a segment, from the first bytes of its file; undefined when there is none in them. */
export function firstRawLeaf(start: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength)
  const head = segmentHeadAt(bytes)
  const leaf = head && frameAt(bytes, head.end)
  return leaf?.type === FRAME_TYPE.leaf ? leaf.payload : undefined
}

/**
 * The entry behind the last one of a segment, from the last bytes of its file; undefined where no whole group ends what is
 * written in them. It spares the reading of a segment of which the hashes are known.
 */
export function endingEntry(tail: Uint8Array): number | undefined {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength)
  // The sealed records may end with zeros of their own, which look like room.
  const written = writtenUpTo(bytes, 0)
  for (let at = written - 1; at >= 0; at--) {
    if (bytes[at + 4] !== FRAME_TYPE.group) continue
    const frame = frameAt(bytes, at)
    if (frame?.type !== FRAME_TYPE.group || frame.end < written) continue
    const { first, count } = parseGroupHead(frame.payload)
    return first + count
  }
  return undefined
}

/** What the sealed records of a group are bound to. */
export function groupPlace(segment: number, group: Pick<Group, 'first' | 'leaves'>): BoxPlace {
  return {
    segment,
    form: 'group',
    first: group.first,
    count: group.leaves.length,
    hashes: group.leaves.map(leafHash),
  }
}

/** What stands at a place: a whole group, or where its reading stopped. */
export type Step =
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'stop'; readonly at: number; readonly entry: number }

/** Reads the group at `start`, which must begin with entry `first`. */
export function groupAt(bytes: Buffer, start: number, first: number): Step {
  const leaves: Uint8Array[] = []
  let offset = start
  let frame = frameAt(bytes, offset)
  for (; frame?.type === FRAME_TYPE.leaf; frame = frameAt(bytes, offset)) {
    leaves.push(frame.payload)
    offset = frame.end
  }
  const stop: Step = { kind: 'stop', at: offset, entry: first + leaves.length }
  if (frame?.type !== FRAME_TYPE.group || leaves.length === 0) return stop
  const place = parseGroupHead(frame.payload)
  if (place.first !== first || place.count !== leaves.length) return stop
  const sealed = frame.payload.subarray(GROUP_HEAD_BYTES)
  return { kind: 'group', group: { first, leaves, sealed, start, end: frame.end } }
}

/**
 * A group is written only after the one before it was synced. So when a whole group frame of a later group follows
 * the place that cannot be read, what is unreadable had been acknowledged: damage, not a torn write.
 */
function endingOf(bytes: Buffer, at: number, groupFirst: number, entry: number): Ending {
  for (let offset = at; offset < bytes.length - FRAME_BYTES; offset++) {
    if (bytes[offset + 4] !== FRAME_TYPE.group) continue
    const frame = frameAt(bytes, offset)
    if (frame?.type !== FRAME_TYPE.group) continue
    // Right where a frame was expected, it is whole but does not belong: no crash writes that.
    if (offset === at || parseGroupHead(frame.payload).first !== groupFirst)
      return { kind: 'damaged', at, entry }
  }
  return { kind: 'torn', at }
}

function parseGroupHead(payload: Uint8Array): { first: number; count: number } {
  if (payload.length < GROUP_HEAD_BYTES) return { first: -1, count: -1 }
  const head = Buffer.from(payload.buffer, payload.byteOffset, GROUP_HEAD_BYTES)
  return { first: head.readUIntBE(0, INDEX_BYTES), count: head.readUInt32BE(INDEX_BYTES) }
}

function parseHeadPayload(payload: Uint8Array): { origin: string; first: number } | undefined {
  const [, origin = '', first = ''] =
    /^gatehouse segment v1\n([^\n]+)\n(0|[1-9][0-9]*)\n$/.exec(Buffer.from(payload).toString('utf8')) ?? []
  return origin === '' ? undefined : { origin, first: Number(first) }
}
