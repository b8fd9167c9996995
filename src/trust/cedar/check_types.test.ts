import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { TypeChecker } from './check_types.ts'
import { parsePolicies } from './parse_policy.ts'
import { readSchema } from './read_schema.ts'

const SCHEMA = `
  type Pair = { size: Long, name?: String };
  entity Group in [Group];
  entity Color enum ["red", "blue"];
  entity Bare;
  entity User in [Group] = {
    name: String, age?: Long, boss?: User, pair: Pair, color: Color, sizes: Set<Long>, groups: Set<Group>,
    price: decimal, from: ipaddr, born: datetime, ttl: duration, on: Bool,
  } tags String;
  entity Doc in [Doc] = { owner: User };
  action all;
  action some in [all];
  action read in [some] appliesTo { principal: User, resource: Doc, context: { on: Bool, late?: Bool } };
  action write in [all] appliesTo { principal: [User, Group], resource: [Doc, User], context: {} };
  action nobody;
  namespace N { entity Other; action go appliesTo { principal: Other, resource: Other }; }
`
const checker = new TypeChecker(readSchema(SCHEMA))

/** `good`, `impossible` with a reason, or the columns of its problems. */
function verdict(text: string): string {
  const { policies, problems } = parsePolicies(text)
  assert.deepEqual(problems, [], text)
  const [policy] = policies
  assert.ok(policy !== undefined)
  const { problems: found, impossible } = checker.check(policy)
  if (found.length > 0) return `at ${[...new Set(found.map(({ at }) => at))].join(', ')}`
  return impossible === undefined ? 'good' : `impossible ${impossible}`
}

type Row = readonly [why: string, condition: string, verdict: string]

/** Conditions in one environment; what is expected counts columns from the condition. */
function check(rows: readonly Row[]): void {
  const start = 'permit (principal, action == Action::"read", resource) when { '
  for (const [why, condition, expected] of rows) {
    const found = verdict(`${start}${condition} };`).replaceAll(
      /\d+/g,
      (at) => `${Number(at) - start.length}`,
    )
    assert.equal(found, expected.replace('never', 'impossible conditions'), `${why}: ${condition}`)
  }
}

suite('TypeChecker', () => {
  test('check infers the types of literals and variables', () => {
    check([
      ['a truth', 'context.on', 'good'],
      ['a condition must be a truth', '1', 'at 0'],
      ['a text is no truth', '"true"', 'at 0'],
      ['what is always true', 'true', 'good'],
      ['what is always false', 'false', 'never'],
      ['a principal is no truth', 'principal', 'at 0'],
      ['a record is no truth', 'context', 'at 0'],
    ])
  })

  test('check looks at both sides of && and ||, but not at what is never reached', () => {
    check([
      ['the left of &&', '1 && true', 'at 0'],
      ['the right of &&', 'context.on && 1', 'at 14'],
      ['the third of &&', 'context.on && context.on && 1', 'at 28'],
      ['behind false', 'false && 1', 'never'],
      ['before false', '1 == principal.name && false', 'at 14'],
      ['&& false', 'context.on && false', 'never'],
      ['the left of ||', '1 || true', 'at 0'],
      ['the right of ||', 'context.on || 1', 'at 14'],
      ['behind true', 'true || 1', 'good'],
      ['behind what is always true', 'principal is User || 1', 'good'],
      ['|| true', '(context.on || true) || 1', 'good'],
      ['false || false', '(false || false) && 1', 'never'],
      ['a negation', '!context.on', 'good'],
      ['a negation of no truth', '!1', 'at 1'],
      ['a negation of true', '!true && 1', 'never'],
      ['a negation of false', '!false || 1', 'good'],
    ])
  })

  test('check gives if the type of both branches', () => {
    check([
      ['the test must be a truth', 'if 1 then true else true', 'at 3'],
      ['branches of two types', 'if context.on then true else 1', 'at 29'],
      ['branches of two entity types', '(if context.on then principal else resource) == principal', 'at 35'],
      ['branches of one type', '(if context.on then 1 else 2) == 3', 'good'],
      ['only the first is reached', 'if true then context.on else 1', 'good'],
      ['only the second is reached', 'if false then 1 else context.on', 'good'],
      ['both are always false', 'if context.on then false else false', 'never'],
      ['one is always false', 'if context.on then false else true', 'good'],
    ])
  })

  test('check wants a test before an attribute that may be absent', () => {
    check([
      ['without a test', 'principal.age == 1', 'at 9'],
      ['behind &&', 'principal has age && principal.age == 1', 'good'],
      ['behind two of them', 'principal has age && context.on && principal.age == 1', 'good'],
      ['written otherwise', 'principal has "age" && principal["age"] == 1', 'good'],
      ['before it', 'principal.age == 1 && principal has age', 'at 9'],
      ['of another entity', 'User::"a" has age && principal.age == 1', 'at 30'],
      ['of a literal entity', 'User::"a" has age && User::"a".age == 1', 'good'],
      ['another attribute', 'principal has boss && principal.age == 1', 'at 31'],
      ['behind ||', 'principal has age || principal.age == 1', 'at 30'],
      ['both of || show it', '(principal has age || principal has age) && principal.age == 1', 'good'],
      ['one of || shows it', '(principal has age || context.on) && principal.age == 1', 'at 46'],
      ['|| with nothing', '(principal has age || false) && principal.age == 1', 'good'],
      ['|| before nothing', '(false || principal has age) && principal.age == 1', 'good'],
      ['a negation shows nothing', '!(!(principal has age)) && principal.age == 1', 'at 36'],
      ['the branch of a test', 'if principal has age then principal.age == 1 else false', 'good'],
      ['the other branch', 'if principal has age then false else principal.age == 1', 'at 46'],
      [
        'both branches show it',
        '(if context.on then principal has age else principal has age) && principal.age == 1',
        'good',
      ],
      [
        'one branch shows it',
        '(if context.on then principal has age else false) && principal.age == 1',
        'at 62',
      ],
      [
        'the test shows it',
        '(if principal has age then true else principal has age) && principal.age == 1',
        'good',
      ],
      ['a test that is true', '(if true then principal has age else false) && principal.age == 1', 'good'],
      ['a comparison shows nothing', '(principal has age) == true && principal.age == 1', 'at 40'],
      ['of the context', 'context has late && context.late', 'good'],
      ['in a record', 'principal.pair has name && principal.pair.name == "a"', 'good'],
      ['a path', 'principal has boss.age && principal.boss.age == 1', 'good'],
      ['a part of a path', 'principal has boss.age && principal.boss has boss', 'good'],
      ['a longer path', 'principal has boss && principal.boss.age == 1', 'at 36'],
    ])
    const two = 'permit (principal, action == Action::"read", resource) when { principal has age } '
    assert.equal(verdict(`${two} when { principal.age == 1 };`), 'good', 'a condition shows it to the next')
    assert.equal(
      verdict(`${two.replace('when', 'unless')} when { principal.age == 1 };`),
      `at ${two.length + 19}`,
      '"unless" shows nothing',
    )
  })

  test('check knows what has and what has not an attribute', () => {
    check([
      ['no such attribute', 'principal.none == 1', 'at 9'],
      ['no such attribute of a record', 'context.none == 1', 'at 7'],
      ['an action has none', 'action.name == "a"', 'at 6'],
      ['an integer has none', '1.name == "a"', 'at 0'],
      ['has of no attribute', 'principal has none', 'never'],
      ['has of no attribute in a path', 'principal has pair.none.more && 1', 'never'],
      ['has of an action', 'action has name', 'never'],
      ['has of a text', 'principal has name.more', 'at 0'],
      ['a record has what it must have', 'context has on || 1', 'good'],
      ['an entity may be absent', 'principal has name || 1', 'at 22'],
      ['known twice', 'principal has age && (principal has age || 1)', 'good'],
      ['a field of a record in the policy', '{a: principal}.a.name == "a"', 'good'],
      ['no field of a record in the policy', '{a: principal}.b', 'at 14'],
    ])
  })

  test('check wants a test before a tag', () => {
    check([
      ['without a test', 'principal.getTag("a") == "x"', 'at 9'],
      ['with a test', 'principal.hasTag("a") && principal.getTag("a") == "x"', 'good'],
      ['of another tag', 'principal.hasTag("b") && principal.getTag("a") == "x"', 'at 34'],
      ['of another entity', 'User::"a".hasTag("a") && principal.getTag("a") == "x"', 'at 34'],
      [
        'a name that is worked out',
        'principal.hasTag(principal.name) && principal.getTag(principal.name) == "x"',
        'good',
      ],
      ['known twice', 'principal.hasTag("a") && (principal.hasTag("a") || 1)', 'good'],
      ['an attribute is no tag', 'principal has age && principal.getTag("age") == "x"', 'at 30'],
      ['the type of tags', 'principal.hasTag("a") && principal.getTag("a") == 1', 'at 50'],
      ['no text', 'principal.hasTag(1)', 'at 17'],
      ['no entity', 'context.hasTag("a")', 'at 0'],
      ['a type without tags', 'resource.hasTag("a")', 'never'],
      ['getTag of a type without tags', 'resource.getTag("a") == "x"', 'at 8'],
      ['an action', 'action.hasTag("a")', 'never'],
    ])
  })

  test('check compares what may be equal', () => {
    check([
      ['a text and an integer', 'principal.name == 1', 'at 18'],
      ['and not equal', 'principal.name != 1', 'at 18'],
      ['two literals', '1 == "a"', 'never'],
      ['two literals that differ', '1 != 2 || principal', 'good'],
      ['the same literal', '"a" == "a" || principal', 'good'],
      ['entities of two types', 'principal == resource', 'never'],
      ['entities of two types, not equal', 'principal != resource || 1', 'good'],
      ['two literal entities', 'User::"a" == User::"b"', 'never'],
      ['an entity and a literal', 'principal == User::"b"', 'good'],
      ['an entity and a text', 'principal == "a"', 'at 13'],
      ['the action', 'action == Action::"read" || 1', 'good'],
      ['another action', 'action == Action::"write"', 'never'],
      ['a group of actions', 'action != Action::"all" || 1', 'good'],
      ['sets', 'principal.sizes == [1]', 'good'],
      ['sets of other types', 'principal.sizes == ["a"]', 'at 19'],
      ['records', '{a: 1, b: true} == {b: false, a: 2}', 'good'],
      ['records of other fields', '{a: 1} == {b: 1}', 'at 10'],
      ['records of more fields', '{a: 1} == {a: 1, b: 1}', 'at 10'],
      ['records of other types', '{a: 1} == {a: "x"}', 'at 10'],
      ['a field that may be absent', 'principal.pair == {size: 1, name: "a"}', 'at 18'],
      ['extension values', 'principal.price == decimal("1.0")', 'good'],
      ['extension values of other types', 'principal.price == ip("::1")', 'at 19'],
    ])
  })

  test('check orders integers and times', () => {
    check([
      ['integers', 'principal.pair.size < 1', 'good'],
      ['a text', 'principal.name <= 1', 'at 9'],
      ['beside a text', '1 > principal.name', 'at 13'],
      ['moments', 'principal.born >= datetime("2024-01-01")', 'good'],
      ['durations', 'principal.ttl < duration("1h")', 'good'],
      ['a moment and a duration', 'principal.born < principal.ttl', 'at 26'],
      ['decimals have methods instead', 'principal.price < principal.price', 'at 9'],
      ['addresses', 'principal.from < principal.from', 'at 9'],
    ])
  })

  test('check counts with integers only', () => {
    check([
      ['a sum', '1 + principal.pair.size * 2 - 3 == 4', 'good'],
      ['the first', 'principal.name + 1 == 2', 'at 9'],
      ['the last', '1 + 2 - principal.name == 2', 'at 17'],
      ['a product', '1 * true == 2', 'at 4'],
      ['a negative', '-principal.pair.size == 1', 'good'],
      ['a negative text', '-principal.name == 1', 'at 10'],
    ])
  })

  test('check asks the schema what can be in what', () => {
    check([
      ['a type that may be', 'principal in Group::"a"', 'good'],
      ['itself', 'principal in principal', 'good'],
      ['a type that never is', 'principal in Doc::"a"', 'never'],
      ['the other way around', 'Group::"a" in principal', 'never'],
      ['a set', 'principal in principal.groups', 'good'],
      ['a set of literals', 'principal in [Group::"a", Group::"b"]', 'good'],
      ['a set of a type that never is', 'principal in [Doc::"a"]', 'never'],
      ['a mixed set', 'principal in [Group::"a", User::"b"]', 'at 26'],
      ['no entity', 'principal.name in Group::"a"', 'at 9'],
      ['in no entity', 'principal in 1', 'at 13'],
      ['in a set of no entities', 'principal in [1]', 'at 13'],
      ['the action in its group', 'action in Action::"all" || 1', 'good'],
      ['the action in one of two', 'action in [Action::"nobody", Action::"some"] || 1', 'good'],
      ['the action in another group', 'action in Action::"nobody"', 'never'],
      ['an action in itself', 'action in action || 1', 'good'],
      ['a literal action', 'Action::"write" in Action::"some"', 'never'],
      ['an action by its type', '(if context.on then action else Action::"all") in Action::"nobody"', 'good'],
      ['an action in an entity', 'action in principal', 'never'],
      ['an action of another namespace', 'action in N::Action::"go"', 'never'],
    ])
  })

  test('check knows the type of every entity', () => {
    check([
      ['its type', 'principal is User || 1', 'good'],
      ['another type', 'principal is Group', 'never'],
      ['in a group', 'principal is User in Group::"a"', 'good'],
      ['in what it never is in', 'principal is User in Doc::"a"', 'never'],
      ['in what is no entity', 'principal is User in 1', 'at 21'],
      ['not reached', 'principal is Group in 1', 'never'],
      ['no entity', 'principal.name is User', 'at 9'],
      ['the type of actions', 'action is Action || 1', 'good'],
      ['another type of actions', 'action is N::Action', 'never'],
    ])
  })

  test('check wants sets of one type, with something in them', () => {
    check([
      ['an empty set', 'principal.sizes == []', 'at 19'],
      ['an empty set in a set', '[[1], []].isEmpty()', 'at 6'],
      ['two types', '[1, "a"].isEmpty()', 'at 4'],
      ['a later type', '[1, 2, 3, "a"].isEmpty()', 'at 10'],
      ['truths', '[true, context.on].contains(false)', 'good'],
      ['contains', 'principal.sizes.contains(1)', 'good'],
      ['contains of another type', 'principal.sizes.contains("a")', 'at 25'],
      ['contains of no set', 'principal.contains(1)', 'at 0'],
      ['containsAll', 'principal.sizes.containsAll([1])', 'good'],
      ['containsAll of an element', 'principal.sizes.containsAll(1)', 'at 28'],
      ['containsAny of another type', 'principal.sizes.containsAny(["a"])', 'at 28'],
      ['isEmpty', 'principal.sizes.isEmpty()', 'good'],
      ['isEmpty of no set', 'principal.isEmpty()', 'at 0'],
      ['like', 'principal.name like "a*"', 'good'],
      ['like of no text', '1 like "a"', 'at 0'],
    ])
  })

  test('check gives functions what they take, and makes values of literals only', () => {
    check([
      ['a decimal', 'principal.price.lessThan(decimal("1.0"))', 'good'],
      ['no decimal', 'principal.price.lessThan(decimal("1.00000"))', 'at 33'],
      ['no address', 'ip("1.2.3").isIpv4()', 'at 3'],
      ['a text that is worked out', 'ip(principal.name).isIpv4()', 'at 12'],
      ['no text', 'decimal(1) == principal.price', 'at 8'],
      ['too many', 'ip("::1", "::1").isIpv4()', 'at 0'],
      ['too many of a method', 'principal.from.isIpv4(1)', 'at 14'],
      ['of another type', 'principal.price.isIpv4()', 'at 9'],
      ['another operand', 'principal.from.isInRange("::1")', 'at 25'],
      [
        'a moment',
        'principal.born.offset(principal.ttl).toTime() < principal.born.durationSince(principal.born)',
        'good',
      ],
      ['a day', 'principal.born.toDate() == principal.born', 'good'],
      ['an integer of a duration', 'principal.ttl.toDays() + principal.ttl.toMilliseconds() == 1', 'good'],
    ])
  })

  test('check finds names that the schema does not have, also where nothing is reached', () => {
    check([
      ['a type', 'principal is None', 'at 0'],
      ['an entity', 'principal == None::"a"', 'at 13'],
      ['behind false', 'false && principal is None', 'at 9'],
      ['an action', 'action == Action::"none"', 'at 10'],
      ['an action of another namespace', 'action == N::Action::"read"', 'at 10'],
      ['one of a few entities', 'principal.color == Color::"red"', 'good'],
      ['none of a few entities', 'principal.color == Color::"green"', 'at 19'],
    ])
  })

  test('check looks at a policy where its scope lets it through', () => {
    const rows: readonly (readonly [why: string, policy: string, verdict: string])[] = [
      ['everywhere', 'permit (principal, action, resource);', 'good'],
      ['nothing that all have', 'permit (principal, action, resource) when { context.on };', 'at 51'],
      [
        'an action that has it',
        'permit (principal, action == Action::"read", resource) when { context.on };',
        'good',
      ],
      [
        'a group that has it',
        'permit (principal, action in Action::"some", resource) when { context.on };',
        'good',
      ],
      [
        'a group that has it not',
        'permit (principal, action in Action::"all", resource) when { context.on };',
        'at 68',
      ],
      [
        'the type of a principal',
        'permit (principal is User, action, resource) when { principal.on };',
        'good',
      ],
      ['a principal', 'permit (principal == User::"a", action, resource) when { principal.on };', 'good'],
      [
        'what only a user is in',
        'permit (principal in User::"a", action, resource) when { principal.on };',
        'good',
      ],
      [
        'a type of what is in a group',
        'permit (principal is User in Group::"a", action, resource) when { principal.on };',
        'good',
      ],
      [
        'what others are in, too',
        'permit (principal in Group::"a", action, resource) when { principal.on };',
        'at 67',
      ],
      [
        'the type of a resource',
        'permit (principal, action, resource is Doc) when { resource.owner == User::"a" };',
        'good',
      ],
      [
        'two types of resources',
        'permit (principal, action == Action::"write", resource) when { resource.owner == User::"a" };',
        'at 71',
      ],
      [
        'a test of the type',
        'permit (principal, action, resource) when { resource is Doc && resource.owner == User::"a" };',
        'good',
      ],
      [
        'a test of the action',
        'permit (principal, action, resource) when { action == Action::"read" && context.on };',
        'good',
      ],
      [
        'two conditions',
        'permit (principal, action, resource) when { resource is Doc } when { resource.owner is User };',
        'good',
      ],
      [
        '"unless"',
        'permit (principal, action, resource) unless { resource is Doc && resource.owner is Bare };',
        'good',
      ],
      [
        'an action that nobody may ask for',
        'forbid (principal, action == Action::"nobody", resource);',
        'impossible scope',
      ],
      [
        'a principal that asks for nothing',
        'forbid (principal is Bare, action, resource);',
        'impossible scope',
      ],
      [
        'a resource that nobody asks for',
        'forbid (principal, action, resource in Bare::"a");',
        'impossible scope',
      ],
      [
        'types of two namespaces',
        'forbid (principal is User, action, resource is N::Other);',
        'impossible scope',
      ],
      ['no action', 'forbid (principal, action in [], resource);', 'at 29'],
      ['no action for nobody', 'forbid (principal is Bare, action in [], resource);', 'impossible scope'],
      [
        'actions of two types',
        'forbid (principal, action in [Action::"read", N::Action::"go"], resource);',
        'at 29',
      ],
      ['two actions', 'forbid (principal, action in [Action::"read", Action::"write"], resource);', 'good'],
      [
        'never by its conditions',
        'forbid (principal, action, resource) when { principal == resource && action == Action::"read" };',
        'impossible conditions',
      ],
      ['no type', 'forbid (principal is None, action, resource == None::"a");', 'at 21, 47'],
      ['no action of ours', 'forbid (principal, action in [Action::"none"], resource);', 'at 29'],
      [
        'a template',
        'permit (principal == ?principal, action == Action::"read", resource in ?resource) when { context.on };',
        'good',
      ],
      [
        'a template of a type',
        'permit (principal is User in ?principal, action, resource == ?resource) when { principal.on };',
        'good',
      ],
    ]
    for (const [why, policy, expected] of rows) assert.equal(verdict(policy), expected, why)
  })

  test('check says what was expected, what was found, and for which request', () => {
    const [policy] = parsePolicies(
      'permit (principal, action, resource) when { principal.name == resource };',
    ).policies
    assert.ok(policy !== undefined)
    assert.deepEqual(
      checker.check(policy).problems.map(({ message }) => message),
      [
        'expected String, found Doc (where User asks for "read" of Doc)',
        'expected String, found User (where User asks for "write" of User)',
        'Group has no attribute "name" (where Group asks for "write" of Doc)',
        'N::Other has no attribute "name" (where N::Other asks for "go" of N::Other)',
      ],
    )
  })
})
