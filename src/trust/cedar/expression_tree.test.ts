import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { visitExpression } from './expression_tree.ts'
import { parsePolicies } from './parse_policy.ts'
import type { Expression } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

function parse(text: string): Expression {
  const { policies, problems } = parsePolicies(`permit (principal, action, resource) when { ${text} };`)
  assert.deepEqual(problems, [], text)
  return policies[0]?.conditions[0]?.body ?? assert.fail('no condition')
}

/** The ids of the entities that are visited. */
function entitiesIn(expression: Expression): string[] {
  const ids: string[] = []
  visitExpression(expression, (one) => {
    if (one.kind === 'entity') ids.push(one.entity.id)
  })
  return ids.toSorted()
}

suite('visitExpression', () => {
  test('visitExpression comes by every part of every kind: no check may be hidden from', () => {
    const [a, b, c] = ['U::"a"', 'U::"b"', 'U::"c"']
    const rows: readonly (readonly [text: string, ids: string])[] = [
      [a, 'a'],
      [`!${a}`, 'a'],
      [`-(${a})`, 'a'],
      [`${a} && ${b} && ${c}`, 'abc'],
      [`${a} || ${b} || ${c}`, 'abc'],
      [`${a} == ${b}`, 'ab'],
      [`${a} in ${b}`, 'ab'],
      [`${a} + ${b} - ${c}`, 'abc'],
      [`${a} * ${b}`, 'ab'],
      [`${a} has x.y`, 'a'],
      [`${a}.x`, 'a'],
      [`${a}["x"].y`, 'a'],
      [`${a} like "x*"`, 'a'],
      [`${a} is User`, 'a'],
      [`${a} is User in ${b}`, 'ab'],
      [`if ${a} then ${b} else ${c}`, 'abc'],
      [`[${a}, [${b}], ${c}]`, 'abc'],
      [`{x: ${a}, y: {z: ${b}}}`, 'ab'],
      [`${a}.isEmpty()`, 'a'],
      [`${a}.contains(${b})`, 'ab'],
      [`${a}.getTag(${b})`, 'ab'],
      [`ip(${a}).isInRange(${b})`, 'ab'],
      ['true', ''],
      ['principal', ''],
    ]
    for (const [text, ids] of rows) assert.equal(entitiesIn(parse(text)).join(''), ids, text)
  })

  test('visitExpression refuses what is one level too deep, at its place', () => {
    const nested = (levels: number): Expression => {
      let found: Expression = { kind: 'literal', value: true, at: 77 }
      for (let level = 1; level < levels; level++) found = { kind: 'not', operand: found, at: level }
      return found
    }
    let visited = 0
    visitExpression(nested(LIMITS.expressionDepth), () => (visited += 1))
    assert.equal(visited, LIMITS.expressionDepth)
    assert.throws(
      () => visitExpression(nested(LIMITS.expressionDepth + 1), () => undefined),
      (error) => error instanceof SyntaxProblem && error.at === 77,
    )
  })
})
