import { BlockList, isIP, isIPv4 } from 'node:net'

/** Where a key may be used from. */
export interface AddressRanges {
  /** True for any address when there are no ranges. An address that cannot be read is in no range. */
  admits(address: string): boolean
}

const BITS = { ipv4: 32, ipv6: 128 } as const
const MAPPED = /^::ffff:/i

/**
 * Reads ranges in CIDR form (RFC 4632, RFC 4291), as in `10.0.0.0/8`, `2001:db8::/32` or one bare address; undefined
 * when one of them is not such a range. An IPv4 caller on a dual-stack listener (`::ffff:10.0.0.1`) is in the IPv4
 * range.
 */
export function parseAddressRanges(ranges: readonly string[]): AddressRanges | undefined {
  const list = new BlockList()
  for (const range of ranges) if (!added(list, range)) return undefined
  // The look-up is done for an empty list too: a refusal takes the same time whatever the key says.
  const isOpen = ranges.length === 0
  return { admits: (address) => contains(list, address) || isOpen }
}

function added(list: BlockList, range: string): boolean {
  const [address = '', prefix, ...more] = range.split('/')
  const isPlain = isIP(address) !== 0 && !address.includes('%') && more.length === 0
  // Written as IPv6, an IPv4 range would hold no address that it seems to hold.
  if (!isPlain || MAPPED.test(address)) return false
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  const isPrefix = prefix === undefined || /^(0|[1-9][0-9]{0,2})$/.test(prefix)
  const bits = prefix === undefined ? BITS[family] : Number(prefix)
  if (!isPrefix || bits > BITS[family]) return false
  list.addSubnet(address, bits, family)
  return true
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
