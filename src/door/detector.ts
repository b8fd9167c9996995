/** A stretch of a text, in UTF-16 code units: `start` inclusive, `end` exclusive. */
export interface Finding {
  /** Stable name, as in `credential.pem`; appears in the ledger and in the place of what was redacted. */
  readonly rule: string
  readonly start: number
  readonly end: number
}

/**
 * What every text has in which a detector finds anything: the length, and beside it the run or the form. Far more cheaply
 * looked for than what they are the signs of, and missing in most texts.
 */
export interface Signs {
  /** UTF-16 code units of the text, at least. */
  readonly length: number
  /** So many characters in a row as credentials are made of, see `signs.ts`; Infinity for what needs no such run. */
  readonly run: number
  /** Stands anywhere in the text. Without flags. */
  readonly form: RegExp
  /** True for a form that stands in no plain text (`isPlain`), as most texts are: then it is not looked for there. */
  readonly isUnplain?: boolean
}

/**
 * Finds what may not pass in one text. Pure; linear in the length of the text. One that throws counts as a block.
 */
export interface Detector {
  /** Stable id and name of the file, as in `credential`. */
  readonly id: string
  readonly why: string
  /** True when it looks at texts as they stand only: what they say once escapes are undone or base 64 is decoded is not meant. */
  readonly plainOnly?: boolean
  /** Without them it is asked about every text. */
  readonly signs?: Signs
  find(text: string): readonly Finding[]
}

/** What happens to a finding. */
export type InspectionAction = 'pass' | 'redact' | 'block'
