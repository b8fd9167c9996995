import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compileExpression, compileTest, matchesPattern } from './compile_expression.ts'
import { EntityPart, EntityStore } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { EvaluationError } from './evaluation_error.ts'
import { Evaluation } from './evaluation.ts'
import { parsePolicies } from './parse_policy.ts'
import type { Expression } from './syntax.ts'
import { canonicalText, EntityValue, RecordValue, SetValue, type Value } from './values.ts'

const NOTHING = new RecordValue(new Map())

function node(
  type: string,
  id: string,
  parents: readonly string[],
  fields: Record<string, Value> = {},
): EntityAccount {
  const refs = parents.map((parent) => ({ type: 'Group', id: parent }))
  const attributes = new RecordValue(new Map(Object.entries(fields)))
  const tags = new RecordValue(new Map<string, Value>([['tag', 7]]))
  return new EntityAccount({ type, id }, refs, attributes, tags)
}

const STORE = new EntityStore(
  [
    new EntityPart([
      node('User', 'ann', ['a'], {
        age: 7,
        name: 'Ann',
        boss: new EntityValue('User', 'bob'),
        'odd name': 1,
      }),
      node('User', 'bob', [], { home: new RecordValue(new Map([['city', 'Bern']])) }),
      node('Group', 'a', ['b']),
      node('Doc', 'd', [], { owner: new EntityValue('User', 'ann'), labels: new SetValue(['x', 'y']) }),
    ]),
  ],
  new EntityPart([]),
)

const EVALUATION = new Evaluation(
  {
    principal: { type: 'User', id: 'ann' },
    action: { type: 'Action', id: 'read' },
    resource: { type: 'Doc', id: 'd' },
    context: () =>
      new RecordValue(
        new Map<string, Value>([
          ['on', true],
          ['n', 5],
          ['more', NOTHING],
        ]),
      ),
  },
  STORE,
)

function parse(text: string): Expression {
  const { policies, problems } = parsePolicies(`permit (principal, action, resource) when { ${text} };`)
  assert.deepEqual(problems, [], text)
  return policies[0]?.conditions[0]?.body ?? assert.fail('no condition')
}

function run(text: string): string {
  try {
    return canonicalText(compileExpression(parse(text))(EVALUATION))
  } catch (error) {
    if (error instanceof EvaluationError) return error.reason
    throw error
  }
}

const TYPE = 'wrong type'

suite('compile_expression', () => {
  test('compileExpression evaluates every kind of expression, and errs where Cedar errs', () => {
    const rows: readonly (readonly [text: string, expected: string])[] = [
      ['true && false', 'false'],
      ['true && 1', TYPE],
      ['1 && true', TYPE],
      ['false && 1', 'false'],
      ['true && true && 1 == 1', 'true'],
      ['true && false && 1', 'false'],
      ['true || 1', 'true'],
      ['false || 1', TYPE],
      ['false || false || true', 'true'],
      ['!true', 'false'],
      ['!1', TYPE],
      ['if context.on then 1 else principal.none', '1'],
      ['if !context.on then 1 else principal.none', 'no such attribute'],
      ['if 1 then 1 else 2', TYPE],
      ['1 + 2 * 3 - 4', '3'],
      ['-context.n', '-5'],
      ['-"a"', TYPE],
      ['1 + "a"', TYPE],
      ['"a" + 1', TYPE],
      ['9223372036854775807 + context.n', 'integer overflow'],
      ['-(-9223372036854775808)', 'integer overflow'],
      ['3037000500 * 3037000500', 'integer overflow'],
      ['9007199254740993 == 9007199254740992', 'false'],
      ['1 == true', 'false'],
      ['"1" != 1', 'true'],
      ['1 < 2', 'true'],
      ['2 <= 2', 'true'],
      ['2 > 2', 'false'],
      ['2 >= 9223372036854775807', 'false'],
      ['1 < "a"', TYPE],
      ['"a" < "b"', TYPE],
      ['decimal("1.0") < decimal("2.0")', TYPE],
      ['ip("::1") <= ip("::1")', TYPE],
      ['duration("1h") < duration("61m")', 'true'],
      ['datetime("2024-01-01") >= datetime("2024-01-02")', 'false'],
      ['datetime("2024-01-01") > datetime("2023-01-02")', 'true'],
      ['duration("1h") <= datetime("2024-01-02")', TYPE],
      ['duration("1h") < 1', TYPE],
      ['[1, 2, 2] == [2, 1]', 'true'],
      ['[1, context.n]', '[1,5]'],
      ['{a: 1, "b": context.n}', '{"a":1,"b":5}'],
      ['{a: 1, "b": [2]}', '{"a":1,"b":[2]}'],
      ['{a: 1}.a', '1'],
      ['{a: 1}.b', 'no such attribute'],
      ['[1].contains(1)', 'true'],
      ['1.contains(1)', TYPE],
      ['[1, 2].containsAll([])', 'true'],
      ['[1].containsAll([1, 2])', 'false'],
      ['[1].containsAll(1)', TYPE],
      ['[1].containsAny([3, 1])', 'true'],
      ['[1].containsAny([3])', 'false'],
      ['[].isEmpty()', 'true'],
      ['context.isEmpty()', TYPE],
      ['principal', 'User::"ann"'],
      ['action == Action::"read"', 'true'],
      ['resource.owner == principal', 'true'],
      ['resource.owner.boss.home.city', '"Bern"'],
      ['principal.none', 'no such attribute'],
      ['principal["odd name"]', '1'],
      ['User::"eve".age', 'no such entity'],
      ['1.age', TYPE],
      ['context.none', 'no such attribute'],
      ['context has n', 'true'],
      ['context has more.city', 'false'],
      ['principal has boss.home.city', 'true'],
      ['principal has boss.home.street', 'false'],
      ['principal has age.more', TYPE],
      ['User::"eve" has age', 'false'],
      ['principal has "odd name"', 'true'],
      ['1 has age', TYPE],
      ['principal in Group::"b"', 'true'],
      ['principal in principal', 'true'],
      ['principal in Group::"c"', 'false'],
      ['User::"eve" in User::"eve"', 'true'],
      ['User::"eve" in Group::"a"', 'false'],
      ['principal in [Group::"c", Group::"a"]', 'true'],
      ['principal in []', 'false'],
      ['principal in [principal, 1]', TYPE],
      ['principal in 1', TYPE],
      ['1 in principal', TYPE],
      ['principal is User', 'true'],
      ['principal is Doc', 'false'],
      ['1 is User', TYPE],
      ['principal is User in Group::"a"', 'true'],
      ['principal is Doc in 1', 'false'],
      ['principal is User in 1', TYPE],
      ['principal.getTag("tag")', '7'],
      ['principal.getTag("none")', 'no such tag'],
      ['User::"eve".getTag("tag")', 'no such entity'],
      ['principal.getTag(1)', TYPE],
      ['principal.hasTag("tag")', 'true'],
      ['principal.hasTag("none")', 'false'],
      ['User::"eve".hasTag("tag")', 'false'],
      ['context.hasTag("tag")', TYPE],
      ['principal.hasTag(1)', TYPE],
      ['principal.name like "A*"', 'true'],
      ['context.n like "A*"', TYPE],
      ['ip("127.0.0.1").isLoopback()', 'true'],
      ['ip(principal.name)', 'extension'],
      ['ip("nowhere")', 'extension'],
      ['ip()', 'wrong number of arguments'],
      ['ip("::1", "::1")', 'wrong number of arguments'],
      ['ip("::1").isInRange(ip("::/0"))', 'true'],
      ['ip("::1").isInRange()', 'wrong number of arguments'],
      ['decimal("1.0").lessThan(decimal(principal.name))', 'extension'],
      ['[decimal("1.0"), 1].contains(decimal("1.00"))', 'true'],
    ]
    for (const [text, expected] of rows) assert.equal(run(text), expected, text)
  })

  test('compileTest refuses what is no truth', () => {
    assert.throws(() => compileTest(parse('1'))(EVALUATION), EvaluationError)
    assert.throws(() => compileTest(parse('context.n'))(EVALUATION), EvaluationError)
    assert.equal(compileTest(parse('context.on'))(EVALUATION), true)
  })

  test('matchesPattern lets a wildcard stand for any text', () => {
    const rows: readonly (readonly [text: string, pattern: readonly string[], expected: boolean])[] = [
      ['', [''], true],
      ['a', [''], false],
      ['abc', ['abc'], true],
      ['abcd', ['abc'], false],
      ['', ['', ''], true],
      ['anything', ['', ''], true],
      ['abc', ['a', ''], true],
      ['abc', ['', 'c'], true],
      ['abc', ['', 'b'], false],
      ['abc', ['a', 'c'], true],
      ['a', ['a', 'a'], false],
      ['aba', ['ab', 'ba'], false],
      ['abcabc', ['', 'b', 'c', ''], true],
      ['abcabc', ['', 'cc', ''], false],
      ['aXbXc', ['a', 'X', 'X', 'c'], true],
      ['aXc', ['a', 'X', 'X', 'c'], false],
      ['😀', ['', '\ude00'], true],
      ['xb', ['a', 'b'], false],
      ['xbc', ['a', 'b', 'c'], false],
      ['ba', ['', 'b', ''], true],
      ['ba', ['', 'b', 'a'], true],
    ]
    for (const [text, pattern, expected] of rows)
      assert.equal(matchesPattern(text, pattern), expected, `${text} like ${pattern.join('*')}`)
  })
})

test('compileExpression leaves the error of a constant to the evaluation: a policy that errs is skipped, not refused', () => {
  for (const text of ['ip("none")', '[ip("none")]', '{a: decimal("1")}', 'ip("::1").isInRange(ip("none"))']) {
    const compiled = compileExpression(parse(text))
    assert.throws(() => compiled(EVALUATION), EvaluationError, text)
  }
})
