import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { EvaluationError } from './evaluation_error.ts'
import { callExtension, EXTENSIONS } from './extensions.ts'
import { EXTENSION_FUNCTIONS, EXTENSION_METHODS } from './extension_names.ts'
import { canonicalText, type Value } from './values.ts'

/** Canonical text of what a function gives, or why it fails. */
function call(name: string, ...parameters: readonly Value[]): string {
  try {
    return canonicalText(callExtension(name, parameters))
  } catch (error) {
    if (error instanceof EvaluationError) return error.reason
    throw error
  }
}

function make(name: string, text: string): Value {
  return callExtension(name, [text])
}

suite('extensions', () => {
  test('callExtension knows each name that the parser lets through, and no other', () => {
    assert.deepEqual([...EXTENSIONS.keys()].sort(), [...EXTENSION_FUNCTIONS, ...EXTENSION_METHODS].sort())
  })

  test('callExtension refuses what is not a text, or not one parameter', () => {
    for (const name of EXTENSION_FUNCTIONS) {
      assert.equal(call(name, 1), 'wrong type', name)
      assert.equal(call(name), 'wrong number of arguments', name)
      assert.equal(call(name, 'a', 'b'), 'wrong number of arguments', name)
    }
    assert.equal(call('none', 'a'), 'wrong number of arguments')
    assert.equal(call('isIpv4', 'text'), 'wrong type')
    assert.equal(call('lessThan', make('decimal', '1.0'), make('ip', '::1')), 'wrong type')
    assert.equal(call('offset', make('datetime', '2024-01-01')), 'wrong number of arguments')
  })

  test('comparisons of decimals compare what they say', () => {
    const rows: readonly (readonly [left: string, right: string, less: boolean, equal: boolean])[] = [
      ['1.0', '1.0000', false, true],
      ['-1.5', '1.5', true, false],
      ['922337203685477.5806', '922337203685477.5807', true, false],
      ['0.1', '0.09', false, false],
    ]
    for (const [left, right, less, equal] of rows) {
      const [a, b] = [make('decimal', left), make('decimal', right)]
      assert.equal(call('lessThan', a, b), String(less), left)
      assert.equal(call('lessThanOrEqual', a, b), String(less || equal), left)
      assert.equal(call('greaterThan', a, b), String(!less && !equal), left)
      assert.equal(call('greaterThanOrEqual', a, b), String(!less), left)
    }
  })

  test('methods of datetimes and durations compute in 64 bits', () => {
    const at = (text: string): Value => make('datetime', text)
    const rows: readonly (readonly [why: string, got: string, expected: string])[] = [
      [
        'an offset',
        call('offset', at('2024-01-01'), make('duration', '1d')),
        canonicalText(at('2024-01-02')),
      ],
      [
        'too far',
        call('offset', at('2024-01-01'), make('duration', '9223372036854775807ms')),
        'integer overflow',
      ],
      ['since', call('durationSince', at('2024-01-02'), at('2024-01-01')), 'duration(86400000/0/0)'],
      ['a date', call('toDate', at('2024-01-02T11:00:00Z')), canonicalText(at('2024-01-02'))],
      ['a date before 1970', call('toDate', at('1969-12-30T11:00:00Z')), canonicalText(at('1969-12-30'))],
      ['midnight before 1970', call('toDate', at('1969-12-30')), canonicalText(at('1969-12-30'))],
      ['a time', call('toTime', at('2024-01-02T11:00:00Z')), 'duration(39600000/0/0)'],
      ['a time before 1970', call('toTime', at('1969-12-31T23:00:00Z')), 'duration(82800000/0/0)'],
      ['no time before 1970', call('toTime', at('1969-12-31')), 'duration(0/0/0)'],
      ['days of less than one', call('toDays', make('duration', '-23h')), '0'],
      ['days', call('toDays', make('duration', '-49h')), '-2'],
      ['hours', call('toHours', make('duration', '90m')), '1'],
      ['minutes', call('toMinutes', make('duration', '119s')), '1'],
      ['seconds', call('toSeconds', make('duration', '-1999ms')), '-1'],
      ['all', call('toMilliseconds', make('duration', '-9223372036854775808ms')), '-9223372036854775808'],
      ['large seconds', call('toSeconds', make('duration', '9223372036854775807ms')), '9223372036854775'],
    ]
    for (const [why, got, expected] of rows) assert.equal(got, expected, why)
  })

  test('questions about addresses tell the versions and the special networks apart', () => {
    const rows: readonly (readonly [text: string, wanted: readonly string[]])[] = [
      ['10.0.0.1', ['isIpv4']],
      ['127.0.0.1', ['isIpv4', 'isLoopback']],
      ['224.0.0.1', ['isIpv4', 'isMulticast']],
      ['2001:db8::1', ['isIpv6']],
      ['::1', ['isIpv6', 'isLoopback']],
      ['ff02::1', ['isIpv6', 'isMulticast']],
    ]
    const names = ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast']
    for (const [text, wanted] of rows) {
      const held = names.filter((name) => call(name, make('ip', text)) === 'true')
      assert.deepEqual(held, wanted, text)
    }
    assert.equal(call('isInRange', make('ip', '10.1.2.3'), make('ip', '10.0.0.0/8')), 'true')
    assert.equal(call('isInRange', make('ip', '10.0.0.0/8'), make('ip', '10.1.2.3')), 'false')
  })
})
