import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { parsePolicies } from './parse_policy.ts'
import type { Policy } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'
import { bareTree } from '../../../test/support/cedar_tree.ts'

const ANY = 'permit (principal, action, resource)'

function policyOf(text: string): Policy {
  const { policies, problems } = parsePolicies(text)
  assert.deepEqual(problems, [], text)
  return policies[0] ?? assert.fail('no policy')
}

/** Accepted condition bodies. */
function body(text: string): Policy['conditions'][number]['body'] {
  return policyOf(`${ANY} when { ${text} };`).conditions[0]?.body ?? assert.fail('no condition')
}

function problemsOf(text: string): readonly SyntaxProblem[] {
  return parsePolicies(text).problems
}

suite('parse_policy', () => {
  test('parsePolicies reads effects, annotations, scopes and conditions', () => {
    const text =
      '@id("a\\u{41}") @note @if("x") // a comment\nforbid (principal is Gate::User in Group::"g", action in ' +
      '[Action::"r", N::Action::"w",], resource == Doc::"d",) when { true } unless { false };'
    const policy = policyOf(text)
    assert.equal(policy.effect, 'forbid')
    assert.deepEqual(
      [...policy.annotations],
      [
        ['id', 'aA'],
        ['note', undefined],
        ['if', 'x'],
      ],
    )
    const places = {
      principal: text.indexOf('Gate'),
      action: text.indexOf('[A'),
      resource: text.indexOf('Doc'),
    }
    assert.deepEqual(policy.principal, {
      kind: 'is in',
      type: 'Gate::User',
      entity: { type: 'Group', id: 'g' },
      at: places.principal,
    })
    assert.deepEqual(policy.action, {
      kind: 'in',
      entities: [
        { type: 'Action', id: 'r' },
        { type: 'N::Action', id: 'w' },
      ],
      at: places.action,
    })
    assert.deepEqual(policy.resource, {
      kind: 'equal',
      entity: { type: 'Doc', id: 'd' },
      at: places.resource,
    })
    assert.deepEqual(
      policy.conditions.map(({ kind }) => kind),
      ['when', 'unless'],
    )
  })

  test('parsePolicies reads what brackets may stand around, and slots', () => {
    const policy = policyOf(
      'permit (principal in ((?principal)), action == (Action::"r"), resource is Doc in ?resource);',
    )
    assert.deepEqual('entity' in policy.principal && policy.principal.entity, { slot: 'principal' })
    assert.deepEqual('entity' in policy.resource && policy.resource.entity, { slot: 'resource' })
    assert.deepEqual(policyOf('permit (principal, action in ([Action::"r"]), resource);').action, {
      kind: 'in',
      entities: [{ type: 'Action', id: 'r' }],
      at: 29,
    })
  })

  test('parsePolicies binds operators as Cedar does', () => {
    const rows: readonly (readonly [why: string, text: string, same: string])[] = [
      ['and before or', 'true || false && true', 'true || (false && true)'],
      ['comparison before and', '1 < 2 && 3 < 4', '(1 < 2) && (3 < 4)'],
      ['times before plus', '1 + 2 * 3 == 7', '(1 + (2 * 3)) == 7'],
      ['signs before times', '-context.a * 2 == 0', '(-(context.a)) * 2 == 0'],
      ['access before signs', '!context.a.b', '!((context.a).b)'],
      ['an index is an access', 'context["a"]', 'context.a'],
      [
        'if reaches to the end',
        'if true then false else true || true',
        'if true then false else (true || true)',
      ],
      ['commas may end lists', '[1, 2,].contains(1,)', '[1, 2].contains(1)'],
      ['names of fields', '{"a": 1, b: 2} == {a: 1, "b": 2,}', '{a: 1, b: 2} == {"a": 1, "b": 2}'],
      [
        'a variable as a name',
        'principal::"x" == {principal: context.resource}',
        '(principal::"x") == {"principal": context["resource"]}',
      ],
      ['white space of Unicode', 'true\u00a0&&\u2003true\u0085', 'true && true'],
    ]
    for (const [why, text, same] of rows) assert.deepEqual(bareTree(body(text)), bareTree(body(same)), why)
  })

  test('parsePolicies keeps literals exact', () => {
    const rows: readonly (readonly [text: string, value: unknown])[] = [
      ['9007199254740991', 9_007_199_254_740_991],
      ['9007199254740993', 9_007_199_254_740_993n],
      ['-9223372036854775808', -9_223_372_036_854_775_808n],
      ['- 1', -1],
      ['00000000000000000000000000012', 12],
      ['"\\n\\r\\t\\0\\\\\\\'\\"\\x41\\u{1f_600}é"', '\n\r\t\0\\\'"A😀é'],
      ['"a\nb"', 'a\nb'],
    ]
    for (const [text, value] of rows) assert.deepEqual(literal(text), value, text)
    assert.deepEqual(body('"x" like "a*\\*\\u{2a}b"').kind, 'like')
    const like = body('"x" like "a*\\*\\u{2a}b"')
    assert.deepEqual(like.kind === 'like' && like.pattern, ['a', '*', 'b'])
  })

  test('parsePolicies tells the place of what is wrong, and what was expected there', () => {
    const when = `${ANY} when { `.length
    const rows: readonly (readonly [why: string, text: string, at: number, says: RegExp])[] = [
      ['no effect', 'allow (principal, action, resource);', 0, /expected "permit" or "forbid", found allow/],
      ['cut short', 'permit (', 8, /expected "principal", found the end/],
      ['the wrong variable', 'permit (action, principal, resource);', 8, /expected "principal"/],
      ['no end', ANY, ANY.length, /expected "when", "unless" or ";"/],
      ['two of one annotation', `@a @b @a ${ANY};`, 6, /@a stands twice/],
      ['one equals sign', 'permit (principal = User::"a", action, resource);', 18, /expected ","/],
      ['is and equals', 'permit (principal is User == User::"a", action, resource);', 26, /expected ","/],
      [
        'a list for a principal',
        'permit (principal in [User::"a"], action, resource);',
        21,
        /expected an entity/,
      ],
      ['the wrong slot', 'permit (principal == ?resource, action, resource);', 21, /expected an entity/],
      ['a slot for an action', 'permit (principal, action == ?action, resource);', 29, /expected an entity/],
      ['no action', 'permit (principal, action == User::"a", resource);', 29, /type Action/],
      ['a type for an action', 'permit (principal, action is Action, resource);', 26, /expected ","/],
      ['a slot in a condition', `${ANY} when { principal == ?principal };`, when + 13, /only in the scope/],
      ['nothing in braces', `${ANY} when { };`, when, /expected an expression/],
      ['two comparisons', `${ANY} when { 1 < 2 < 3 };`, when + 6, /one comparison/],
      ['division', `${ANY} when { 4 / 2 == 2 };`, when + 2, /expected "}"/],
      ['a variable that is none', `${ANY} when { foo };`, when, /no variable or function foo/],
      ['a function that is none', `${ANY} when { foo(1) };`, when, /no variable or function foo/],
      ['a method as a function', `${ANY} when { contains(1) };`, when, /no variable or function/],
      ['a function as a method', `${ANY} when { "1.0".decimal() };`, when + 5, /no method decimal/],
      ['a method that is none', `${ANY} when { [1].first() };`, when + 3, /no method first/],
      ['a parameter too many', `${ANY} when { [1].isEmpty(1) };`, when + 3, /takes 0 parameters/],
      ['a parameter too few', `${ANY} when { [1].contains() };`, when + 3, /takes 1 parameter/],
      ['a call of what is no function', `${ANY} when { principal(1) };`, when + 9, /cannot be called/],
      ['a number in an index', `${ANY} when { context[1] };`, when + 8, /attribute between quotes/],
      ['a reserved attribute', `${ANY} when { context.in };`, when + 8, /name of an attribute/],
      ['a reserved name', `${ANY} when { context.__cedar };`, when + 8, /name of an attribute/],
      ['a reserved field', `${ANY} when { {if: 1} == {} };`, when + 1, /name of a field/],
      ['a field twice', `${ANY} when { {a: 1, "a": 2} == {} };`, when + 7, /twice/],
      ['a text with a path', `${ANY} when { context has "a".b };`, when + 15, /expected "}"/],
      ['a bracket after has', `${ANY} when { context has (a) };`, when + 12, /name of an attribute/],
      ['no pattern', `${ANY} when { "a" like "a" + "b" };`, when + 13, /expected "}"/],
      ['a variable as a pattern', `${ANY} when { "a" like context.a };`, when + 9, /a pattern/],
      ['too many signs', `${ANY} when { !!!!!true };`, when, /at most 4 signs/],
      ['mixed signs', `${ANY} when { !-1 };`, when + 1, /expected an expression/],
      ['an integer too large', `${ANY} when { 9223372036854775808 == 1 };`, when, /64 bits/],
      ['a large one under an access', `${ANY} when { -9223372036854775808.a };`, when + 1, /64 bits/],
      ['an integer too small', `${ANY} when { -9223372036854775809 == 1 };`, when + 1, /64 bits/],
      ['a very long integer', `${ANY} when { ${'9'.repeat(5_000)} == 1 };`, when, /64 bits/],
      ['a text without its end', `${ANY} when { "abc };`, when, /closing "/],
      ['a text that ends in an escape', `${ANY} when { "abc\\`, when, /closing "/],
      ['an escaped line end', `${ANY} when { "a\\\nb" == "" };`, when + 2, /line end/],
      ['an escape that is none', `${ANY} when { "ab\\q" == "" };`, when + 3, /expected an escape/],
      ['a star in a text', `${ANY} when { "\\*" == "" };`, when + 1, /expected an escape/],
      ['beyond ASCII in two digits', `${ANY} when { "\\x80" == "" };`, when + 1, /expected an escape/],
      ['no digits', `${ANY} when { "\\u{}" == "" };`, when + 1, /expected an escape/],
      ['a surrogate', `${ANY} when { "\\u{d800}" == "" };`, when + 1, /expected an escape/],
      ['beyond Unicode', `${ANY} when { "\\u{110000}" == "" };`, when + 1, /expected an escape/],
      ['seven digits', `${ANY} when { "\\u{0000041}" == "" };`, when + 1, /expected an escape/],
      ['a bare carriage return', `${ANY} when { "a\rb" == "" };`, when + 2, /carriage return/],
      ['a character without meaning', `${ANY} when { true & false };`, when + 5, /no meaning/],
      ['a byte order mark', `\ufeff${ANY};`, 0, /no meaning/],
      ['a question mark alone', `${ANY} when { ? };`, when, /expected an expression/],
      ['a path as a variable', `${ANY} when { a::b };`, when, /no variable or function a::b/],
      ['an entity by a record', `${ANY} when { User::{id: "a"} };`, when + 6, /entity id/],
    ]
    for (const [why, text, at, says] of rows) {
      const [problem] = problemsOf(text)
      assert.ok(problem instanceof SyntaxProblem, why)
      assert.equal(problem.at, at, `${why}: ${problem.message}`)
      assert.match(problem.message, says, why)
    }
  })

  test('parsePolicies goes on behind the next semicolon', () => {
    const { policies, problems } = parsePolicies(`permit (oops); ${ANY}; forbid ("; " a); @id("z") ${ANY};`)
    assert.equal(policies.length, 2)
    assert.deepEqual(
      problems.map(({ at }) => at),
      [8, 61],
    )
  })

  test('parsePolicies stops at a depth, wherever it comes from', () => {
    const depth = LIMITS.expressionDepth
    const deep: readonly (readonly [why: string, text: (levels: number) => string])[] = [
      ['brackets', (levels) => `${'('.repeat(levels)}true${')'.repeat(levels)}`],
      ['sets', (levels) => `${'['.repeat(levels)}1${']'.repeat(levels)} == 1`],
      ['records', (levels) => `${'{a: '.repeat(levels)}1${'}'.repeat(levels)} == 1`],
      ['attributes', (levels) => `context${'.a'.repeat(levels)}`],
      ['attributes that may be there', (levels) => `context has a${'.a'.repeat(levels)}`],
      ['alternatives', (levels) => `${'if true then true else '.repeat(levels)}true`],
      ['methods', (levels) => `context.a${'.contains(1)'.repeat(levels)}`],
      ['calls in calls', (levels) => `${'ip('.repeat(levels)}""${')'.repeat(levels)}`],
    ]
    for (const [why, text] of deep) {
      assert.equal(problemsOf(`${ANY} when { ${text(depth - 10)} };`).length, 0, why)
      for (const levels of [depth + 10, 10_000]) {
        const [problem] = problemsOf(`${ANY} when { ${text(levels)} };`)
        assert.match(problem?.message ?? 'none', /at most 200/, `${why} ${levels}`)
      }
    }
    const chains = ['true && ', 'true || ', '1 + ', '1 * ']
    for (const chain of chains)
      assert.equal(problemsOf(`${ANY} when { ${chain.repeat(10_000)}1 };`).length, 0, chain)
  })
})

function literal(text: string): unknown {
  const found = body(`[${text}]`)
  assert.ok(found.kind === 'set')
  const [element] = found.elements
  return element?.kind === 'literal' ? element.value : undefined
}
