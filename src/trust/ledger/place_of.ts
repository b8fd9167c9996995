import type { Fault } from '#base/fault.ts'

/** Place and words of a `ledger.corrupt`, as our own files throw it. */
export function placeOf({ detail }: Fault): { readonly place: string; readonly what: string } {
  const { place, what } = detail
  return {
    place: typeof place === 'string' ? place : 'the ledger',
    what: typeof what === 'string' ? what : 'damaged',
  }
}
