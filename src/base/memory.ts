/** Room for bytes that somebody counts. Whoever is to keep bytes of a stranger's making claims them first. */
export interface Memory {
  /** Throws `load.exceeded` when there is no room for so many more. */
  claim(bytes: number): void
}
