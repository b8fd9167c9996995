import type { Change } from '#trust/access/directory.ts'

/** Several changes as one: all are on record before the first is made. */
export function allChanges<T>(changes: readonly Change<unknown>[], result: () => T): Change<T> {
  return {
    records: changes.flatMap(({ records }) => records),
    make: () => {
      for (const change of changes) change.make()
      return result()
    },
  }
}
