import type { Sealed } from '#base/sealed.ts'
import type { Detector, Finding, Signs } from '#door/detector.ts'
import { UPSTREAM_KEY } from '#door/inspection_actions.ts'

/**
 * Finds one key of ours at a provider, which a stream may bring back in pieces of any size. It is opened for each search and
 * kept nowhere.
 */
export function keyDetector(key: Sealed): Detector {
  return {
    id: 'upstream',
    why: 'A provider that says our key again must not hand it to its callers.',
    signs: key.open(signsOf),
    find: (text) => key.open((secret) => placesOf(secret, text)),
  }
}

/** Of the key no more is kept than how long it is, and its longest part of letters and digits. */
function signsOf(secret: string): Signs {
  const parts = secret.match(/[A-Za-z0-9]+/g) ?? ['']
  const run = Math.max(...parts.map(({ length }) => length))
  return { length: secret.length, run, form: NEVER }
}

const NEVER = /(?!)/

function placesOf(secret: string, text: string): readonly Finding[] {
  if (secret === '') return NOTHING
  const found: Finding[] = []
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length))
    found.push({ rule: UPSTREAM_KEY, start: at, end: at + secret.length })
  return found
}

const NOTHING: readonly Finding[] = Object.freeze([])
