import { LIMITS } from '#base/limits.ts'
import { malformed } from './upstream_event.ts'

/**
 * The channels of one streamed answer. A channel belongs to scopes: `0.content` and `0.refusal` to `0`. What has ended stays
 * so: a client would put a later text behind the one whose guard has let go of it, so there may be none.
 *
 * `Place` is what a format needs to make one more frame of a channel.
 */
export class StreamChannels<Place> {
  readonly #places = new Map<string, Place>()
  readonly #open = new Set<string>()
  readonly #ended = new Set<string>()

  /**
   * Notes that a text of a channel comes, and tells whether it is to be guarded: an empty one is not. `place` is asked for
   * once. Throws `upstream.invalid` for one that has ended, or one channel too many.
   */
  take(channel: string, text: string, place: () => Place): boolean {
    if (text === '') return false
    if (this.#open.has(channel)) return true
    if (this.#hasEnded(channel)) throw malformed('text_after_end')
    this.#checkCount()
    this.#open.add(channel)
    this.#places.set(channel, place())
    return true
  }

  /** Ends a channel, or all of a scope; gives those that were open. */
  end(scope: string): readonly string[] {
    if (!this.#ended.has(scope)) {
      this.#checkCount()
      this.#ended.add(scope)
    }
    const ended = this.#open.has(scope) ? [scope] : []
    for (const channel of this.#open) if (channel.startsWith(`${scope}.`)) ended.push(channel)
    for (const channel of ended) this.#open.delete(channel)
    return ended
  }

  get isAnyOpen(): boolean {
    return this.#open.size > 0
  }

  /** Of a channel that a text was taken from, ended or not. */
  place(channel: string): Place {
    const place = this.#places.get(channel)
    if (place === undefined) throw new TypeError('a channel without a text has no rest')
    return place
  }

  #hasEnded(channel: string): boolean {
    if (this.#ended.has(channel)) return true
    for (let dot = channel.indexOf('.'); dot >= 0; dot = channel.indexOf('.', dot + 1))
      if (this.#ended.has(channel.slice(0, dot))) return true
    return false
  }

  #checkCount(): void {
    if (this.#places.size + this.#ended.size >= LIMITS.streamChannels) throw malformed('channels')
  }
}
