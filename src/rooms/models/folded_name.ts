/**
 * The name as the most lenient reader of JSON may take it: names with the same fold can bind to the same field.
 *
 * Go's encoding/json compares by Unicode's simple case folding (`ſ` is `s`, the Kelvin sign is `k`), its second version
 * skips `_` and `-` too, others normalize (UAX #15, NFKC), and `.`, `:` and `/` part the steps of a path for some. To lower, upper and lower case again is full case folding
 * or more: it may join names that differ, never part names that some reader joins.
 *
 * For short names only: NFKC makes 18 letters of one where it can.
 */
export function foldedName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(UNSEEN, '')
}

/** Separators, and what shows nothing and is left out when identifiers are compared (UAX #31, NFKC_Casefold). */
const UNSEEN = /[_.:/-]|\p{Default_Ignorable_Code_Point}/gu
