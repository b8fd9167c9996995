import { isIPv4, isIPv6 } from 'node:net'

/** Where a listener is asked to listen: an address or a host name, and a port (0 lets the system choose). */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*$/
const LAST_PORT = 65_535

/** Reads `127.0.0.1:4400`, `[::1]:4400` or `localhost:0`; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  if (port > LAST_PORT) return undefined
  const [, bracketed, plain] = match
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined
  if (plain === undefined || !(isIPv4(plain) || isName(plain))) return undefined
  return { host: plain, port }
}

/** `host:port`, with brackets around an IPv6 address. */
export function printListenAddress(address: ListenAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** The address without a zone, and as IPv4 where IPv6 only maps it (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%')
  const bare = zone < 0 ? address : address.slice(0, zone)
  if (!bare.includes(':')) return bare
  const groups = ipv6Groups(bare)
  if (groups === undefined) return bare
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xff_ff
  if (!isMapped) return bare
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

/** True for 127.0.0.0/8 and ::1, also when mapped into IPv6. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address)
  if (isIPv4(plain)) return plain.startsWith('127.')
  const groups = ipv6Groups(plain)
  return groups !== undefined && groups.every((group, at) => group === (at === 7 ? 1 : 0))
}

/**
 * The block of addresses one party commonly holds: IPv4 /24, IPv6 /56, and `loopback`. What is not an address is the
 * block `unknown`, so it is throttled rather than let through.
 */
export function sourceBlock(address: string): string {
  const plain = plainAddress(address)
  if (isLoopback(plain)) return 'loopback'
  if (isIPv4(plain)) return `${plain.slice(0, plain.lastIndexOf('.'))}.0/24`
  const groups = ipv6Groups(plain)
  if (groups === undefined) return 'unknown'
  const [first = 0, second = 0, third = 0, fourth = 0] = groups
  return `${[first, second, third, fourth & 0xff_00].map((group) => group.toString(16)).join(':')}::/56`
}

// A name of digits and dots only is a mistyped address, and `0x7f.1` would be read as one by some resolvers.
function isName(text: string): boolean {
  return HOST_NAME.test(text) && !/^(0x[0-9a-f]*|\d+)$/i.test(text.slice(text.lastIndexOf('.') + 1))
}

/** The eight groups of an IPv6 address without a zone; undefined for anything else. */
export function ipv6Groups(address: string): readonly number[] | undefined {
  if (!isIPv6(address)) return undefined
  const [head = '', tail] = address.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return [...before, ...gap, ...after]
}

function groupsOf(part: string): readonly number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
