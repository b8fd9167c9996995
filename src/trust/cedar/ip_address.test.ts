import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { EvaluationError } from './evaluation_error.ts'
import { isInRange, isLoopback, isMulticast, parseIpAddress } from './ip_address.ts'
import { isEqual } from './values.ts'

suite('ip_address', () => {
  test('parseIpAddress reads addresses and networks of both versions', () => {
    const rows: readonly (readonly [text: string, version: number, value: bigint, prefix: number])[] = [
      ['127.0.0.1', 4, 0x7f000001n, 32],
      ['10.1.2.3/8', 4, 0x0a010203n, 8],
      ['0.0.0.0/0', 4, 0n, 0],
      ['::', 6, 0n, 128],
      ['::1/64', 6, 1n, 64],
      ['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n, 128],
      ['1:2:3:4:5:6:7::', 6, 0x00010002000300040005000600070000n, 128],
      ['::2:3:4:5:6:7:8', 6, 0x00000002000300040005000600070008n, 128],
      ['FFee::00Aa', 6, 0xffee00000000000000000000000000aan, 128],
      ['::ffff:7f00:1', 6, 0xffff7f000001n, 128],
    ]
    for (const [text, version, value, prefix] of rows) {
      const address = parseIpAddress(text)
      assert.deepEqual([address.version, address.value, address.prefix], [version, value, prefix], text)
    }
  })

  test('parseIpAddress refuses everything else', () => {
    const texts =
      '1.2.3 1.2.3.4.5 01.2.3.4 256.0.0.1 1.2.3.4/ 1.2.3.4/33 1.2.3.4/08 1.2.3.4/8/8 ::1/129 ::1/0128 ::: 1::2::3 ' +
      '1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4::5:6:7:8 :1 1: 12345:: g:: ::ffff:1.2.3.4 ::1%lo 1.2.3.-4 １.2.3.4 /8'
    for (const text of [...texts.split(' '), '', ' ::1', `${'0'.repeat(40)}::1`])
      assert.throws(() => parseIpAddress(text), EvaluationError, text)
  })

  test('isLoopback and isMulticast look at the whole network', () => {
    const rows: readonly (readonly [text: string, loopback: boolean, multicast: boolean])[] = [
      ['127.0.0.1', true, false],
      ['127.255.0.1/8', true, false],
      ['127.0.0.1/7', false, false],
      ['128.0.0.1', false, false],
      ['::1', true, false],
      ['::1/127', false, false],
      ['::2', false, false],
      ['224.0.0.1', false, true],
      ['239.1.1.1/4', false, true],
      ['224.0.0.1/3', false, false],
      ['240.0.0.1', false, false],
      ['ff02::1', false, true],
      ['ff00::/8', false, true],
      ['ff00::/7', false, false],
      ['fe00::1', false, false],
    ]
    for (const [text, loopback, multicast] of rows) {
      assert.equal(isLoopback(parseIpAddress(text)), loopback, text)
      assert.equal(isMulticast(parseIpAddress(text)), multicast, text)
    }
  })

  test('isInRange and equality compare networks', () => {
    const rows: readonly (readonly [inner: string, outer: string, inRange: boolean, equal: boolean])[] = [
      ['10.1.2.3', '10.0.0.0/8', true, false],
      ['10.0.0.0/8', '10.1.2.3', false, false],
      ['10.0.0.0/8', '10.9.9.9/8', true, false],
      ['11.0.0.1', '10.0.0.0/8', false, false],
      ['1.2.3.4', '0.0.0.0/0', true, false],
      ['1.2.3.4', '::/0', false, false],
      ['ffee::1', 'ffee::/16', true, false],
      ['ffef::1', 'ffee::/16', false, false],
      ['1.2.3.4', '1.2.3.4/32', true, true],
      ['0.0.0.1', '::1', false, false],
      ['10.1.0.0/16', '10.0.0.0/8', true, false],
      ['10.0.0.0/8', '10.0.0.0/16', false, false],
      ['10.0.0.0/8', '10.0.0.0/8', true, true],
      ['ffee::/8', 'ffee::/16', false, false],
      ['ffee::1:0:0:1', 'ffee::1:0:0:0/64', true, false],
      ['ffee:0:0:1::1', 'ffee::/64', false, false],
      ['::1', '::1/128', true, true],
    ]
    for (const [inner, outer, inRange, equal] of rows) {
      const [a, b] = [parseIpAddress(inner), parseIpAddress(outer)]
      assert.equal(isInRange(a, b), inRange, `${inner} in ${outer}`)
      assert.equal(isEqual(a, b), equal, `${inner} == ${outer}`)
    }
  })
})
