import type { Detector } from './detector.ts'

/** The same detector for some of its rules only. Findings that overlap are joined later: by then one may hide another. */
export function withRules(detector: Detector, isWanted: (rule: string) => boolean): Detector {
  return { ...detector, find: (text) => detector.find(text).filter(({ rule }) => isWanted(rule)) }
}
