/** The text of packed leaves: each leaf and a line break, which canonical JSON has nowhere inside. */
export const NEWLINE = 0x0a

export function joinLines(leaves: readonly Uint8Array[]): Buffer {
  const text = Buffer.allocUnsafe(leaves.reduce((bytes, leaf) => bytes + leaf.length + 1, 0))
  let at = 0
  for (const leaf of leaves) {
    text.set(leaf, at)
    at += leaf.length
    text[at++] = NEWLINE
  }
  return text
}

/** The leaves of a text; undefined when it does not end with a line break. */
export function linesOf(text: Buffer): readonly Uint8Array[] | undefined {
  const leaves: Uint8Array[] = []
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(NEWLINE, start)
    if (end < 0) return undefined
    leaves.push(text.subarray(start, end))
    start = end + 1
  }
  return leaves
}

const ID_PATTERN = /"id":"([0-9A-Za-z]{16})"/g

/** All that looks like the id of an entry, also inside of a value; a filter takes it for one more. */
export function idsIn(text: Buffer): ReadonlySet<string> {
  const ids = new Set<string>()
  for (let start = 0; start < text.length;) {
    const lineBreak = text.indexOf(NEWLINE, start + PIECE_BYTES)
    const end = lineBreak < 0 ? text.length : lineBreak + 1
    addIds(text.subarray(start, end), ids)
    start = end
  }
  return ids
}

/** What is read at once: long texts are memory outside of the engine, of which the collector learns late. */
const PIECE_BYTES = 64 * 1_024

/** Adds what `idsIn` gives for whole lines. */
export function addIds(lines: Buffer, ids: Set<string>): void {
  for (const [, id = ''] of lines.toString('latin1').matchAll(ID_PATTERN)) ids.add(id)
}

export interface PlacedLeaf {
  /** Place in the segment, from 0. */
  readonly at: number
  readonly bytes: Uint8Array
}

/** The leaves that have this as the id of an entry somewhere, in order, each with its place in the segment. */
export function leavesOfId(text: Buffer, id: string): readonly PlacedLeaf[] {
  const found: PlacedLeaf[] = []
  const wanted = `"id":"${id}"`
  let [at, start] = [0, 0]
  for (let hit = text.indexOf(wanted); hit >= 0; hit = text.indexOf(wanted, start)) {
    let end = text.indexOf(NEWLINE, start)
    for (; end >= 0 && end < hit; end = text.indexOf(NEWLINE, start)) {
      at += 1
      start = end + 1
    }
    if (end < 0) break
    found.push({ at, bytes: text.subarray(start, end) })
    at += 1
    start = end + 1
  }
  return found
}
