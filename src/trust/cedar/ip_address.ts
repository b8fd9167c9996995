import { failEvaluation } from './evaluation_error.ts'
import { ExtensionValue } from './values.ts'

/** The longest is eight groups of four digits and a prefix of three. */
const CHARACTERS_MAX = 43
const BITS = { 4: 32, 6: 128 } as const
const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/
const V4_PART = /^(?:0|[1-9][0-9]{0,2})$/
const V6_GROUP = /^[0-9a-fA-F]{1,4}$/
const V6_GROUPS = 8

/** The address or the network that a text says. IPv4 inside IPv6 is not one. Throws EvaluationError. */
export function parseIpAddress(text: string): ExtensionValue {
  if (text.length > CHARACTERS_MAX) failEvaluation('extension')
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const version = address.includes(':') ? 6 : 4
  const value = version === 4 ? parseV4(address) : parseV6(address)
  const bits = BITS[version]
  const prefix = slash < 0 ? bits : parsePrefix(text.slice(slash + 1), bits)
  return new ExtensionValue('ipaddr', value, version, prefix)
}

export function isLoopback(address: ExtensionValue): boolean {
  if (address.version === 6) return address.value === 1n && address.prefix === BITS[6]
  return BigInt(address.value) >> 24n === 127n && address.prefix >= 8
}

export function isMulticast(address: ExtensionValue): boolean {
  if (address.version === 6) return BigInt(address.value) >> 120n === 0xffn && address.prefix >= 8
  return BigInt(address.value) >> 28n === 0xen && address.prefix >= 4
}

/** True when each address of the one network is in the other. */
export function isInRange(inner: ExtensionValue, outer: ExtensionValue): boolean {
  if (inner.version !== outer.version || inner.prefix < outer.prefix) return false
  const shift = BigInt((inner.version === 4 ? BITS[4] : BITS[6]) - outer.prefix)
  return BigInt(inner.value) >> shift === BigInt(outer.value) >> shift
}

function parsePrefix(text: string, bits: number): number {
  const isNumber = PREFIX.test(text) && text.length <= String(bits).length
  const prefix = isNumber ? Number(text) : failEvaluation('extension')
  return prefix <= bits ? prefix : failEvaluation('extension')
}

/** All addresses are bigints, so that the two forms of an integer never meet. */
function parseV4(text: string): bigint {
  const parts = text.split('.')
  const isForm = parts.length === 4 && parts.every((part) => V4_PART.test(part) && Number(part) <= 255)
  if (!isForm) failEvaluation('extension')
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function parseV6(text: string): bigint {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) failEvaluation('extension')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = V6_GROUPS - before.length - after.length
  // "::" stands for one group of zeros at least.
  const isForm = tail === undefined ? missing === 0 : missing >= 1
  const groups = [...before, ...Array.from({ length: isForm ? missing : 0 }, () => '0'), ...after]
  if (!isForm || !groups.every((group) => V6_GROUP.test(group))) failEvaluation('extension')
  return groups.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n)
}
