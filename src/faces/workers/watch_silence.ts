/** What is looked at of a channel. */
export interface Heard {
  /** Grows with whatever the other side says. */
  readonly heard: number
  /** Ends it; the second time it does nothing. */
  giveUp(reason: string): void
}

/** So many looks in a row at a silence end it. A process that was stopped itself comes back to one look, and not to all it missed. */
export const SILENT_LOOKS = 10

/**
 * Gives what is to be called from time to time, and ends a channel whose other side is there and says nothing: a process that
 * is stopped keeps its ends of the pipes, and whoever waits for it would wait as long. Only for a side that the other one asks
 * something all the time.
 */
export function watchSilence(link: Heard): () => void {
  let [heard, looks] = [link.heard, 0]
  return () => {
    looks = link.heard === heard ? looks + 1 : 0
    heard = link.heard
    if (looks >= SILENT_LOOKS) link.giveUp('the other side says nothing')
  }
}
