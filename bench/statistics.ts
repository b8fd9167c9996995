/** The value below which the part `share` of the sorted values lies; 0 for none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/**
 * The median of the ratios of values measured in the same round. Machines change their speed from one moment to the next,
 * so only what was measured side by side may be compared. Null when no round has both.
 */
export function pairedRatio(
  above: readonly (number | undefined)[],
  below: readonly (number | undefined)[],
): number | null {
  const ratios = above.flatMap((value, round) => {
    const other = below[round]
    return value === undefined || other === undefined || other === 0 ? [] : [value / other]
  })
  return ratios.length === 0 ? null : round(median(ratios), 3)
}

/** As `pairedRatio`, of differences. */
export function pairedDifference(
  above: readonly (number | undefined)[],
  below: readonly (number | undefined)[],
): number | null {
  const differences = above.flatMap((value, at) => {
    const other = below[at]
    return value === undefined || other === undefined ? [] : [value - other]
  })
  return differences.length === 0 ? null : round(median(differences), 1)
}

/** How steeply the straight line rises that lies closest to all points (least squares); null for less than two places. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number | null {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [middleX, middleY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))]
  const spread = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0)
  if (spread === 0) return null
  return round(points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0) / spread, 2)
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
