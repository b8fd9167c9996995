/** Room for bytes that somebody counts. Whoever is to keep bytes of a stranger's making claims them first. */
export interface Memory {
  /** Throws `load.exceeded` when there is no room for so many more. */
  claim(bytes: number): void
}

/** Memory that is counted for one caller. */
export interface CallerMemory extends Memory {
  /** As `printRef` gives it. */
  readonly caller: string
}

/** Memory for what comes before its sender is proven. */
export interface StrangerMemory extends Memory {
  readonly caller: undefined
}
