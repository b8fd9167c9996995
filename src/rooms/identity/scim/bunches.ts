import { LIMITS } from '#base/limits.ts'
import type { Listed } from '#trust/access/directory.ts'

/** Everything that a listing gives, so much at once that other work gets its turn in between. */
export function* bunches<T>(
  listed: (asked: { readonly start: number; readonly count: number }) => Listed<T>,
): Iterable<readonly T[]> {
  const count = LIMITS.listedAtOnce
  for (let start = 0; ; start += count) {
    const { items } = listed({ start, count })
    yield items
    if (items.length < count) return
  }
}
