/** The 1-based line and column, in UTF-16 code units, of a place in a text. */
export function placeOf(text: string, place: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, place)
  return { line: before.split('\n').length, column: place - before.lastIndexOf('\n') }
}
