import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseAddressRanges } from './address_ranges.ts'

suite('parseAddressRanges', () => {
  test('parseAddressRanges admits what lies in a range, of either family', () => {
    const rows: readonly (readonly [why: string, ranges: string[], address: string, isIn: boolean])[] = [
      ['no range', [], '203.0.113.9', true],
      ['no range, and no address', [], 'nonsense', true],
      ['the first of a range', ['10.0.0.0/8'], '10.0.0.0', true],
      ['the last of a range', ['10.0.0.0/8'], '10.255.255.255', true],
      ['behind the range', ['10.0.0.0/8'], '11.0.0.0', false],
      ['one bare address', ['10.0.0.1'], '10.0.0.1', true],
      ['beside a bare address', ['10.0.0.1'], '10.0.0.2', false],
      ['the whole of IPv4', ['0.0.0.0/0'], '203.0.113.9', true],
      ['the whole of IPv4 holds no IPv6', ['0.0.0.0/0'], '2001:db8::1', false],
      ['an IPv6 range', ['2001:db8::/32'], '2001:db8:ffff::1', true],
      ['behind an IPv6 range', ['2001:db8::/32'], '2001:db9::', false],
      ['one bare IPv6 address', ['2001:db8::1/128'], '2001:db8::1', true],
      ['beside a bare IPv6 address', ['2001:db8::1'], '2001:db8::2', false],
      ['an IPv4 caller on a dual-stack listener', ['10.0.0.0/8'], '::ffff:10.0.0.1', true],
      ['another one', ['10.0.0.0/8'], '::ffff:11.0.0.1', false],
      ['the second of two ranges', ['10.0.0.0/8', '192.0.2.0/24'], '192.0.2.9', true],
      ['an address that cannot be read', ['0.0.0.0/0', '::/0'], 'nonsense', false],
      ['no address', ['0.0.0.0/0', '::/0'], '', false],
    ]
    for (const [why, ranges, address, isIn] of rows)
      assert.equal(parseAddressRanges(ranges)?.admits(address), isIn, why)
  })

  test('parseAddressRanges refuses what is no range', () => {
    const rows: readonly (readonly [why: string, range: string])[] = [
      ['nothing', ''],
      ['a prefix alone', '/8'],
      ['a name', 'localhost'],
      ['no prefix behind the slash', '10.0.0.0/'],
      ['a prefix too long', '10.0.0.0/33'],
      ['a prefix too long for IPv6', '2001:db8::/129'],
      ['a leading zero', '10.0.0.0/08'],
      ['a fraction', '10.0.0.0/8.5'],
      ['an exponent', '2001:db8::/1e2'],
      ['a sign', '10.0.0.0/-8'],
      ['two prefixes', '10.0.0.0/8/8'],
      ['a zone', 'fe80::1%eth0'],
      ['an IPv4 range as IPv6', '::FFFF:10.0.0.0/104'],
    ]
    for (const [why, range] of rows) assert.equal(parseAddressRanges([range]), undefined, why)
    assert.equal(parseAddressRanges(['10.0.0.0/8', 'localhost']), undefined, 'one bad range spoils all')
  })
})
