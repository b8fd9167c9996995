/** What the table of faults says of one code. */
export interface FaultRow {
  /** HTTP status. */
  readonly status: number
  /** Exit status of the command line (sysexits.h). */
  readonly exit: number
  /** The sentence that the caller reads. */
  readonly title: string
  /** What to do about it. */
  readonly hint: string
}
