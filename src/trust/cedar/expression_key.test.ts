import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { expressionKey } from './expression_key.ts'
import { parsePolicies } from './parse_policy.ts'

function keyOf(text: string): string {
  const [policy] = parsePolicies(`permit (principal, action, resource) when { ${text} };`).policies
  const [condition] = policy?.conditions ?? []
  assert.ok(condition !== undefined, text)
  return expressionKey(condition.body)
}

suite('expressionKey', () => {
  test('expressionKey gives the same text for the same expression', () => {
    const rows: readonly (readonly [why: string, one: string, other: string])[] = [
      ['white space and brackets', 'principal.a', '( principal ) . a'],
      ['both forms of access', 'principal.a', 'principal["a"]'],
      ['a chain', 'true && false && true', '(true && false) && true'],
      ['a chain of the other', 'true || false || true', '(true || false) || true'],
      ['a sum', '1 + 2 - 3', '(1 + 2) - 3'],
      ['not equal', '1 != 2', '!(1 == 2)'],
      ['more', '1 > 2', '!(1 <= 2)'],
      ['not less', '1 >= 2', '!(1 < 2)'],
      ['a path', 'principal has a.b.c', 'principal has a && principal.a has b && principal.a.b has c'],
      ['is and in', 'principal is User in resource', 'principal is User && principal in resource'],
      ['fields in any order', '{a: 1, "b": 2}', '{b: 2, a: 1}'],
      ['escapes', '"a"', '"\\u{61}"'],
    ]
    for (const [why, one, other] of rows) assert.equal(keyOf(one), keyOf(other), why)
  })

  test('expressionKey gives different texts for different expressions', () => {
    const texts = [
      '1',
      '"1"',
      '9007199254740993',
      'true',
      '"true"',
      'principal',
      'resource',
      'User::"principal"',
      'Doc::"principal"',
      '!true',
      '-(1)',
      '-1',
      'true && false',
      'false && true',
      'true || false',
      'true && (false && true)',
      '1 == 2',
      '1 < 2',
      '1 <= 2',
      '1 in 2',
      '1 + 2',
      '1 - 2',
      '1 - (2 - 3)',
      '1 - 2 - 3',
      '1 * 2',
      'principal has a',
      'principal has "a.b"',
      'principal has a.b',
      'resource has a',
      'principal.a',
      'principal.a.b',
      'principal["a.b"]',
      '"a" like "b"',
      '"a" like "*"',
      '"a" like "\\*"',
      'principal is User',
      'principal is Doc',
      'principal is User in resource',
      'if true then 1 else 2',
      'if true then 2 else 1',
      '[1, 2]',
      '[2, 1]',
      '[[1], 2]',
      '{}',
      '{a: 1}',
      '{a: 2}',
      '{b: 1}',
      'principal.contains(1)',
      'principal.isEmpty()',
      'principal.hasTag("a")',
      'principal.getTag("a")',
      'ip("::1")',
      'ip("::1").isIpv4()',
      'decimal("::1")',
    ]
    assert.equal(new Set(texts.map(keyOf)).size, texts.length)
  })
})
