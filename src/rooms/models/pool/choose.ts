/** How a pool chooses among its members: the first that may be asked, by weight, or the one that begins to answer sooner. */
export type Choice = 'order' | 'weight' | 'latency'

/** What a choice looks at. */
export interface Candidate {
  readonly weight: number
  /** What one more call costs, in milliseconds; only compared. */
  cost(): number
}

/** The place of the candidate to ask first. `random` gives numbers from 0 to below 1; there is at least one candidate. */
export function choose(choice: Choice, candidates: readonly Candidate[], random: () => number): number {
  switch (choice) {
    case 'order':
      return 0
    case 'weight':
      return byWeight(candidates, random)
    case 'latency':
      return byLatency(candidates, random)
  }
}

function byWeight(candidates: readonly Candidate[], random: () => number): number {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  let left = random() * total
  const found = candidates.findIndex(({ weight }) => (left -= weight) < 0)
  // Rounding may leave nothing for the last.
  return found < 0 ? candidates.length - 1 : found
}

/** Of two drawn at random the cheaper one: nearly as good as the best of all, and no rush of all callers to one. */
function byLatency(candidates: readonly Candidate[], random: () => number): number {
  const first = draw(candidates.length, random)
  if (candidates.length < 2) return first
  const other = (first + 1 + draw(candidates.length - 1, random)) % candidates.length
  return costOf(candidates, other) < costOf(candidates, first) ? other : first
}

function draw(count: number, random: () => number): number {
  return Math.min(count - 1, Math.floor(random() * count))
}

function costOf(candidates: readonly Candidate[], at: number): number {
  return candidates[at]?.cost() ?? Number.POSITIVE_INFINITY
}
