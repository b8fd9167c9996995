import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reasonOf } from '../../../../test/support/fault_reason.ts'
import { COMPARISONS, printFilter, type Filter } from './filter.ts'
import { parseFilter, parseTargetPath } from './filter_reader.ts'

const SEED = 20_261_122

test('parseFilter reads the grammar of RFC 7644: printed again it is what was meant', () => {
  const cases: readonly (readonly [text: string, printed: string])[] = [
    ['userName eq "bjensen"', 'userName eq "bjensen"'],
    ['userName Eq "john"', 'userName eq "john"'],
    ['name.familyName co "O\'Malley"', 'name.familyName co "O\'Malley"'],
    [
      'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"',
      'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"',
    ],
    ['title pr', 'title pr'],
    ['title PR', 'title pr'],
    ['meta.lastModified gt "2011-05-13T04:42:34Z"', 'meta.lastModified gt "2011-05-13T04:42:34Z"'],
    ['title pr and userType eq "Employee"', 'title pr and userType eq "Employee"'],
    ['a pr or b pr and c pr', 'a pr or (b pr and c pr)'],
    ['(a pr or b pr) and c pr', '(a pr or b pr) and c pr'],
    ['a pr AND b pr aNd c pr', 'a pr and b pr and c pr'],
    ['not (a pr)', 'not (a pr)'],
    ['NOT(a pr)', 'not (a pr)'],
    [
      'userType ne "E" and not (emails co "x" or emails.value co "y")',
      'userType ne "E" and not (emails co "x" or emails.value co "y")',
    ],
    ['emails[type eq "work" and value co "@x"]', 'emails[type eq "work" and value co "@x"]'],
    ['emails[type eq "work"] or ims[ type eq "xmpp" ]', 'emails[type eq "work"] or ims[type eq "xmpp"]'],
    ['emails[type eq "work"].value eq "x"', 'emails[type eq "work" and value eq "x"]'],
    ['emails[not (type eq "work")]', 'emails[not (type eq "work")]'],
    ['active eq true', 'active eq true'],
    ['active eq TRUE', 'active eq true'],
    ['a eq null', 'a eq null'],
    ['a gt -12.5e1', 'a gt -125'],
    ['a eq "\\u00e9 \\" ] ) and"', 'a eq "é \\" ] ) and"'],
    ['  a   eq   1  ', 'a eq 1'],
    ['members.$ref eq "x"', 'members.$ref eq "x"'],
    ['a eq ""', 'a eq ""'],
  ]
  for (const [text, printed] of cases) {
    const filter = parseFilter(text)
    assert.equal(printFilter(filter), printed, text)
    assert.deepEqual(parseFilter(printed), filter, text)
  }
})

test('parseFilter refuses what is no filter: invalidFilter', () => {
  const deep = (levels: number): string => '('.repeat(levels) + 'a pr' + ')'.repeat(levels)
  assert.equal(
    reasonOf(() => parseFilter(deep(16))),
    'none',
  )
  for (const text of [
    '',
    ' ',
    'a',
    'a eq',
    'a eq ',
    'a eq b',
    'a is "b"',
    'eq "b"',
    'a eq "b',
    'a eq "b" and',
    'a eq "b" or or c pr',
    'and a pr',
    'not a pr',
    'not pr',
    '(a pr',
    'a pr)',
    '()',
    'a[b pr',
    'a[]',
    'a.b[c pr]',
    'a[b[c pr]]',
    'a[b pr].c',
    'a[b pr].c.d eq 1',
    'a[b pr]c eq 1',
    'a.b.c eq 1',
    'a. eq 1',
    '.a eq 1',
    '1a eq 1',
    'a eq 01',
    'a eq 1e999',
    'a eq 0x1',
    "a eq 'b'",
    'a eq "\n"',
    'a eq "\\ud800"',
    'a eq "\\x"',
    'a\teq 1',
    'a eq "b"c pr',
    'a pr b pr',
    'http://x:a pr',
    'urn::a',
    deep(17),
    `a eq "${'x'.repeat(2_048)}"`,
  ])
    assert.equal(
      reasonOf(() => parseFilter(text)),
      'invalidFilter',
      text.slice(0, 80),
    )
})

test('parseTargetPath reads the paths of a PATCH', () => {
  const read = (text: string): string => {
    const { path, filter } = parseTargetPath(text)
    return `${path.urn ?? ''}|${path.name}|${path.sub ?? ''}|${filter === undefined ? '' : printFilter(filter)}`
  }
  for (const [text, expected] of [
    ['members', '|members||'],
    ['name.familyName', '|name|familyName|'],
    ['addresses[type eq "work"]', '|addresses||type eq "work"'],
    ['addresses[type eq "work"].streetAddress', '|addresses|streetAddress|type eq "work"'],
    ['members[value eq "1" or value eq "2"]', '|members||value eq "1" or value eq "2"'],
    ['urn:x:2.0:User:department', 'urn:x:2.0:User|department||'],
    ['urn:x:2.0:User', 'urn:x:2.0|User||'],
  ] as const)
    assert.equal(read(text), expected)
  for (const text of ['', ' a', 'a ', 'a b', 'a.b.c', 'a[', 'a[b pr]c', 'a[b pr].', 'a.b[c pr]', '$', 'a pr'])
    assert.equal(
      reasonOf(() => parseTargetPath(text)),
      'invalidPath',
      text,
    )
})

/** Objects as literals are. */
const OWN = { noNullPrototype: true }
const name = fc
  .stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,8}$/)
  .filter((text) => !/^(and|or|not|pr)$/i.test(text))
const path = fc.record(
  {
    urn: fc.option(fc.constantFrom('urn:ietf:params:scim:schemas:core:2.0:User', 'urn:x:y'), {
      nil: undefined,
    }),
    name,
    sub: fc.option(name, { nil: undefined }),
  },
  OWN,
)
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true }).filter((number) => !Object.is(number, -0)),
  fc.boolean(),
  fc.constant(null),
)

function filters(attribute: typeof path, hasValues: boolean): fc.Arbitrary<Filter> {
  const { tree } = fc.letrec<{ tree: Filter; leaf: Filter }>((tie) => ({
    leaf: fc.oneof(
      fc.record(
        {
          kind: fc.constant('compare' as const),
          path: attribute,
          comparison: fc.constantFrom(...COMPARISONS),
          value,
        },
        OWN,
      ),
      fc.record({ kind: fc.constant('present' as const), path: attribute }, OWN),
    ),
    tree: fc.oneof(
      { maxDepth: 4, depthIdentifier: String(hasValues) },
      tie('leaf'),
      fc.record(
        {
          kind: fc.constantFrom('and' as const, 'or' as const),
          parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
        },
        OWN,
      ),
      fc.record({ kind: fc.constant('not' as const), part: tie('tree') }, OWN),
      ...(hasValues
        ? [
            fc.record(
              {
                kind: fc.constant('values' as const),
                path: attribute.map((each) => ({ ...each, sub: undefined })),
                part: filters(attribute, false),
              },
              OWN,
            ),
          ]
        : []),
    ),
  }))
  return tree
}

test('parseFilter gives the filter that printFilter printed', () => {
  const property = fc.property(filters(path, true), (filter) => {
    const text = printFilter(filter)
    fc.pre(text.length <= 2_048)
    assert.deepEqual(parseFilter(text), filter)
  })
  fc.assert(property, { seed: SEED, numRuns: 2_000 })
})

test('parseFilter and parseTargetPath throw nothing but input.invalid, whatever they read', () => {
  const piece = fc.constantFrom(
    'a',
    ' ',
    'eq',
    'and',
    'not',
    '(',
    ')',
    '[',
    ']',
    '"',
    '\\',
    '.',
    ':',
    'urn:',
    '1',
    'pr',
    'é',
  )
  const property = fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
    for (const read of [parseFilter, parseTargetPath]) reasonOf(() => read(pieces.join('')))
  })
  fc.assert(property, { seed: SEED, numRuns: 5_000 })
})
