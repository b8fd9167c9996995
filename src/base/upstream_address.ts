import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net'
import { ipv6Groups, isLoopback } from './address.ts'

/** Where a name of the configuration may lead: `public` to public addresses only, `private` to those of this network too. */
export type UpstreamNetwork = 'public' | 'private'

/** All addresses of a name, as `dns.lookup` with `all` gives them. */
export type Resolve = (
  host: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

/**
 * A look-up for a connection that looks at what came out before anything is connected to: what is connected to is what was
 * looked at, so a name that leads elsewhere a moment later changes nothing. One address that is not allowed refuses the
 * whole answer. Literal addresses are not looked up at all: who wrote them meant them.
 *
 * Fails with the code `ADDRESS_REFUSED`, or as the resolver does.
 */
export function checkedLookup(
  network: UpstreamNetwork = 'public',
  resolve: Resolve = systemResolve,
): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      const [first] = found
      if (error !== null) callback(error, [])
      else if (first === undefined || !found.every(({ address }) => mayLead(host, address, network)))
        callback(new RefusedAddress(), [])
      else if (options.all === true) callback(null, [...found])
      else callback(null, first.address, first.family)
    })
  }
}

/** True when a connection to a host name may go to this address. `localhost` leads to this machine and nowhere else. */
export function mayLead(host: string, address: string, network: UpstreamNetwork): boolean {
  const bare = address.replace(/%.*$/s, '')
  if (host === 'localhost') return isLoopback(bare)
  const reach = reachOf(bare)
  return reach === 'public' || (reach === 'private' && network === 'private')
}

/**
 * True when a host may be connected to that somebody else than the operator has named, as a link in a document: an address
 * is one that a name could lead to, and a name is no other one for this machine. Names are still to be looked up.
 */
export function mayBeNamed(host: string, network: UpstreamNetwork): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return isIP(bare) === 0 ? bare !== 'localhost' : mayLead('', bare, network)
}

/** `never` is what no model server has: metadata of clouds, link-local, multicast, unspecified, reserved. */
type Reach = 'public' | 'private' | 'never'

class RefusedAddress extends Error {
  readonly code = 'ADDRESS_REFUSED'

  constructor() {
    super('the name leads to an address that is not allowed')
  }
}

// IANA's registries of special-purpose addresses (RFC 6890), and where clouds have their metadata.
const NEVER = listOf([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Metadata of Alibaba's and Azure's hosts, which stands among ordinary addresses.
  '100.100.100.200/32',
  '168.63.129.16/32',
  // Amazon's and Google's, among the unique local ones.
  'fd00:ec2::/32',
  'fd20:ce::/32',
])

const PRIVATE = listOf([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1/128',
  'fc00::/7',
])

/** Global unicast (RFC 4291 section 2.4). Of IPv6 nothing else is public. */
const GLOBAL = listOf(['2000::/3'])
/** Inside it, what is not: Teredo and other protocols' own, and documentation. */
const NOT_GLOBAL = listOf(['2001::/23', '2001:db8::/32', '3fff::/20'])

function reachOf(address: string): Reach {
  if (isIPv4(address)) {
    if (NEVER.check(address, 'ipv4')) return 'never'
    return PRIVATE.check(address, 'ipv4') ? 'private' : 'public'
  }
  const groups = ipv6Groups(address)
  if (groups === undefined) return 'never'
  const inner = innerAddress(groups)
  // No server is published in such a form, but a gateway of this network may speak it: then the inner address counts.
  if (inner !== undefined) return reachOf(inner) === 'never' ? 'never' : 'private'
  if (NEVER.check(address, 'ipv6')) return 'never'
  if (PRIVATE.check(address, 'ipv6')) return 'private'
  return GLOBAL.check(address, 'ipv6') && !NOT_GLOBAL.check(address, 'ipv6') ? 'public' : 'never'
}

/** The IPv4 address in an IPv6 one: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056). */
function innerAddress(groups: readonly number[]): string | undefined {
  const [first = 0, second = 0, third = 0, fourth, fifth, sixth, seventh = 0, eighth = 0] = groups
  if (first === 0x20_02) return dotted(second, third)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && sixth === 0xff_ff
  const isNat64 = first === 0x64 && second === 0xff_9b && isZero([third, fourth, fifth, sixth])
  return isMapped || isNat64 ? dotted(seventh, eighth) : undefined
}

function isZero(groups: readonly (number | undefined)[]): boolean {
  return groups.every((group) => group === 0)
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}

function systemResolve(...[host, options, callback]: Parameters<Resolve>): void {
  lookup(host, options, (error, found) => callback(error, error === null ? found : []))
}
