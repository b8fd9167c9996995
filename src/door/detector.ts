/** A stretch of a text, in UTF-16 code units: `start` inclusive, `end` exclusive. */
export interface Finding {
  /** Stable name, as in `credential.pem`; appears in the ledger and in the place of what was redacted. */
  readonly rule: string
  readonly start: number
  readonly end: number
}

/**
 * Finds what may not pass in one text. Pure; linear in the length of the text. One that throws counts as a block.
 */
export interface Detector {
  /** Stable id and name of the file, as in `credential`. */
  readonly id: string
  readonly why: string
  find(text: string): readonly Finding[]
}

/** What happens to a finding. */
export type InspectionAction = 'pass' | 'redact' | 'block'
