import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Cursor } from './cursor.ts'
import { parsePolicies } from './parse_policy.ts'
import { SyntaxProblem } from './syntax_problem.ts'

function problem(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof SyntaxProblem) return `${error.at}: ${error.message}`
    throw error
  }
  return 'none'
}

suite('Cursor', () => {
  test('a cursor takes words and marks, and never what stands between quotes', () => {
    const cursor = new Cursor('when "when" ( "("')
    assert.deepEqual([cursor.isWord('when'), cursor.isMark('when'), cursor.take('when')], [true, false, true])
    assert.deepEqual(
      [cursor.isWord('when'), cursor.isMark('when'), cursor.take('when')],
      [false, false, false],
    )
    cursor.next()
    assert.deepEqual([cursor.isMark('('), cursor.isWord('('), cursor.take('(')], [true, false, true])
    assert.deepEqual([cursor.isMark('('), cursor.isWord('('), cursor.take('(')], [false, false, false])
  })

  test('a cursor stays at the end', () => {
    const cursor = new Cursor('a')
    assert.equal(cursor.ahead(1).kind, 'end')
    assert.equal(cursor.ahead(9).kind, 'end')
    cursor.next()
    for (let step = 0; step < 3; step++) assert.deepEqual(cursor.next(), { kind: 'end', text: '', at: 1 })
    cursor.skipPolicy()
    assert.deepEqual(cursor.token, { kind: 'end', text: '', at: 1 })
  })

  test('refuse shows what was found, cut short', () => {
    const rows: readonly (readonly [why: string, text: string, says: string])[] = [
      ['a word', 'abc d', '0: expected x, found abc'],
      ['a long word', 'a'.repeat(99), `0: expected x, found ${'a'.repeat(32)}`],
      ['a text, with its quotes', '  "abc"', '2: expected x, found "abc"'],
      ['a long text', `"${'a'.repeat(99)}"`, `0: expected x, found "${'a'.repeat(32)}"`],
      ['a text that says it is the end', '"end"', '0: expected x, found "end"'],
      ['the end', ' ', '1: expected x, found the end'],
    ]
    for (const [why, text, says] of rows)
      assert.equal(
        problem(() => new Cursor(text).refuse('x')),
        says,
        why,
      )
  })

  test('list takes a comma behind the last item, and no other way to leave one out', () => {
    const list = (text: string): string[] => {
      const cursor = new Cursor(text)
      return cursor.list(']', () => cursor.expectName('a name'))
    }
    assert.deepEqual(list(']'), [])
    assert.deepEqual(list('a, b]'), ['a', 'b'])
    assert.deepEqual(list('a, b,]'), ['a', 'b'])
    assert.match(
      problem(() => list('a b]')),
      /^2: expected "," or "\]", found b/,
    )
    for (const text of [',]', 'a,,b]', 'a "]"', 'a'])
      assert.notEqual(
        problem(() => list(text)),
        'none',
        text,
      )
  })

  test('parsePolicies takes nothing between quotes for a word, a mark or a slot', () => {
    const spoiled = [
      '"permit" (principal, action, resource);',
      'permit "(" principal, action, resource);',
      'permit ("principal", action, resource);',
      'permit (principal "==" User::"a", action, resource);',
      'permit (principal "in" User::"a", action, resource);',
      'permit (principal == "?principal", action, resource);',
      'permit (principal == User "::" "a", action, resource);',
      'permit (principal, action, resource) "when" { true };',
      'permit (principal, action, resource) when "{" true };',
      'permit (principal, action, resource) when { 1 "==" 1 };',
      'permit (principal, action, resource) when { 1 == 1 "<" 2 };',
      'permit (principal, action, resource) when { true "&&" true };',
      'permit (principal, action, resource) when { "!" true };',
      'permit (principal, action, resource) when { "if" true then true else true };',
      'permit (principal, action, resource) when { context "." a };',
      'permit (principal, action, resource) when { context "has" a };',
      'permit (principal, action, resource) ";"',
    ]
    for (const text of spoiled) {
      const { policies, problems } = parsePolicies(text)
      assert.deepEqual([policies.length, problems.length], [0, 1], text)
    }
  })

  test('parsePolicies takes only entities of a type Action for actions', () => {
    for (const type of ['Actions', 'ActionX', 'N::Actions', 'Action::N', 'MyAction', 'action'])
      for (const scope of [`== ${type}::"a"`, `in ${type}::"a"`, `in [Action::"b", ${type}::"a"]`])
        assert.equal(
          parsePolicies(`permit (principal, action ${scope}, resource);`).policies.length,
          0,
          scope,
        )
    for (const type of ['Action', 'N::Action', 'N::M::Action'])
      assert.equal(parsePolicies(`permit (principal, action == ${type}::"a", resource);`).policies.length, 1)
  })
})
