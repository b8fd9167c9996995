import { isIP } from 'node:net'
import { plainAddress } from '#base/address.ts'
import { LIMITS } from '#base/limits.ts'
import { parseAddressRanges } from '#trust/access/address_ranges.ts'

/** Tells who is at the other end of a connection, through trusted proxies where there are any. */
export class Sources {
  readonly #ranges: ReturnType<typeof parseAddressRanges>

  /** `proxies` are ranges in CIDR form; throws TypeError for a text that is none. */
  constructor(proxies: readonly string[]) {
    const ranges = parseAddressRanges(proxies)
    if (ranges === undefined) throw new TypeError('not an address range')
    // Ranges that are empty admit everybody, which is right for a key and wrong for a proxy.
    this.#ranges = proxies.length === 0 ? undefined : ranges
  }

  /** `address` is a plain one, as `plainAddress` gives it. */
  isTrustedProxy(address: string): boolean {
    return this.#ranges?.admits(address) ?? false
  }

  /**
   * The address that a request comes from: the peer, or when that is a trusted proxy the right-most address of
   * X-Forwarded-For that is none. What stands to the left of it anybody may have written.
   */
  sourceOf(peer: string, forwardedFor: string): string {
    if (forwardedFor === '' || !this.isTrustedProxy(peer)) return peer
    const hops = forwardedFor.split(',').slice(-LIMITS.forwardedHops)
    let source = peer
    for (const hop of hops.toReversed()) {
      const address = toAddress(hop.trim())
      // What a proxy of ours did not write as an address says nothing: the proxy itself stays the source.
      if (address === undefined) return source
      source = address
      if (!this.isTrustedProxy(address)) return source
    }
    return source
  }
}

/** An address, also with a port as some proxies write it. */
function toAddress(text: string): string | undefined {
  const [, bracketed, withPort] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text) ?? []
  const address = plainAddress(bracketed ?? withPort ?? text)
  return isIP(address) === 0 ? undefined : address
}
