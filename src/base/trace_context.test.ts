import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTraceContext, printTraceParent } from './trace_context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const GOOD = `00-${TRACE}-${SPAN}-01`

const PARENTS: readonly (readonly [
  why: string,
  parent: string | undefined,
  expected: boolean | undefined,
])[] = [
  ['sampled', GOOD, true],
  ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
  ['flags that mean nothing yet', `00-${TRACE}-${SPAN}-fe`, false],
  ['such flags, and sampled', `00-${TRACE}-${SPAN}-ff`, true],
  ['a higher version of the same length', `01-${TRACE}-${SPAN}-01`, true],
  ['a higher version with more behind it', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ['a higher version with a dash behind it', `cc-${TRACE}-${SPAN}-01-`, true],
  ['none', undefined, undefined],
  ['empty', '', undefined],
  ['version ff', `ff-${TRACE}-${SPAN}-01`, undefined],
  ['version 00 with more behind it', `${GOOD}-more`, undefined],
  ['version 00 with a dash behind it', `${GOOD}-`, undefined],
  ['a higher version with more and no dash', `cc-${TRACE}-${SPAN}-01.more`, undefined],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`, undefined],
  ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
  ['upper case in the trace', `00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
  ['upper case in the version', `CC-${TRACE}-${SPAN}-01`, undefined],
  ['upper case in the flags', `00-${TRACE}-${SPAN}-0A`, undefined],
  ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`, undefined],
  ['a short span', `00-${TRACE}-${SPAN.slice(1)}-01`, undefined],
  ['a long version', `000-${TRACE}-${SPAN}-01`, undefined],
  ['no flags', `00-${TRACE}-${SPAN}`, undefined],
  ['half of the flags', `00-${TRACE}-${SPAN}-1`, undefined],
  ['space before', ` ${GOOD}`, undefined],
  ['space behind', `${GOOD} `, undefined],
  ['a line break behind', `${GOOD}\n`, undefined],
  ['other separators', GOOD.replaceAll('-', '_'), undefined],
  ['two header lines', `${GOOD},${GOOD}`, undefined],
  ['two header lines, the first of the future', `cc-${TRACE}-${SPAN}-01-x,00-${TRACE}-${SPAN}-01`, undefined],
]

for (const [why, parent, expected] of PARENTS)
  test(`parseTraceContext reads traceparent: ${why}`, () => {
    const context = parseTraceContext(parent, undefined)
    if (expected === undefined) assert.equal(context, undefined)
    else assert.deepEqual(context, { traceId: TRACE, parentId: SPAN, isSampled: expected, state: '' })
  })

const members = (count: number): string => Array.from({ length: count }, (_, at) => `k${at}=v`).join(',')

const STATES: readonly (readonly [why: string, state: string | undefined, expected: string])[] = [
  ['none', undefined, ''],
  ['one member', 'rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
  ['several, with space around them', 'a=1 ,\tb=2', 'a=1,b=2'],
  ['empty members', ',a=1,,b=2,', 'a=1,b=2'],
  ['all characters of a key', 'az09_-*/=1', 'az09_-*/=1'],
  ['a key of a tenant', '0tenant@system=1', '0tenant@system=1'],
  ['space inside a value', 'a=x y', 'a=x y'],
  ['as many members as allowed', members(32), members(32)],
  [
    'as long as allowed',
    `a=${'v'.repeat(250)},b=${'v'.repeat(256)},`,
    `a=${'v'.repeat(250)},b=${'v'.repeat(256)}`,
  ],
  ['one member too many', members(33), ''],
  ['too long', `a=${'v'.repeat(256)},b=${'v'.repeat(253)}`, ''],
  ['a key twice', 'a=1,b=2,a=3', ''],
  ['a key in upper case', 'A=1', ''],
  ['a key that begins with a digit', '0a=1', ''],
  ['a key of 257 characters', `${'a'.repeat(257)}=1`, ''],
  ['a system of 15 characters', `t@${'s'.repeat(15)}=1`, ''],
  ['two tenants', 'a@b@c=1', ''],
  ['no key', '=1', ''],
  ['no value', 'a=', ''],
  ['no equals sign', 'a', ''],
  ['two equals signs', 'a=b=c', ''],
  ['a value of 257 characters', `a=${'v'.repeat(257)}`, ''],
  ['a value outside ASCII', 'a=ä', ''],
  ['a control character', 'a=x\u{1}y', ''],
  ['a tab inside a value', 'a=x\ty', ''],
]

for (const [why, state, expected] of STATES)
  test(`parseTraceContext reads tracestate: ${why}`, () => {
    assert.equal(parseTraceContext(GOOD, state)?.state, expected)
    assert.equal(parseTraceContext('00-nothing', state), undefined)
  })

test('parseTraceContext reads what printTraceParent prints: the same trace, span and flag', () => {
  const hex = (digits: number): fc.Arbitrary<string> =>
    fc
      .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
      .map((values) => values.map((value) => value.toString(16)).join(''))
      .filter((text) => /[^0]/.test(text))
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, parentId, isSampled) => {
      const printed = printTraceParent(traceId, parentId, isSampled)
      assert.deepEqual(parseTraceContext(printed, ''), { traceId, parentId, isSampled, state: '' })
    }),
    { seed: 20_270_412 },
  )
})

test('parseTraceContext takes any text at all: a header is whatever somebody sends', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (parent, state) => {
      parseTraceContext(parent, state)
      const context = parseTraceContext(GOOD, state)
      assert.ok(context !== undefined && /^[ -~]*$/.test(context.state))
    }),
    { seed: 20_270_413, numRuns: 1_000 },
  )
})
