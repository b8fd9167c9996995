/** The candidate that a person most likely meant: the fewest edits, and at most a third of its length. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    // The distance is at least the difference in length, so most candidates need no table.
    const most = Math.min(least - 1, Math.max(1, Math.ceil(candidate.length / 3)))
    if (Math.abs(candidate.length - typed.length) > most) continue
    const distance = editDistance(typed, candidate)
    if (distance > most) continue
    best = candidate
    least = distance
  }
  return best
}

/** Levenshtein's distance in UTF-16 code units, one row at a time. */
function editDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[right.length] ?? 0
}
