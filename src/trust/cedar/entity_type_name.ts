const PART = /^[_a-zA-Z][_a-zA-Z0-9]*$/

/** Words that cannot name anything. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  'true',
  'false',
  'if',
  'then',
  'else',
  'in',
  'is',
  'has',
  'like',
  '__cedar',
])

/** True for a name with its namespaces, as in `Gate::Model`. */
export function isTypeName(text: string): boolean {
  return text.split('::').every((part) => PART.test(part) && !RESERVED_WORDS.has(part))
}
