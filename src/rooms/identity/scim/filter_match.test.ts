import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reasonOf } from '../../../../test/support/fault_reason.ts'
import type { JsonObject } from '#base/json.ts'
import { matcherOf } from './filter_match.ts'
import { parseFilter } from './filter_reader.ts'
import { USER } from './resource_type.ts'

const SEED = 20_261_122
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const BARBARA: JsonObject = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
  id: '2819c223',
  externalId: 'Ext-1',
  userName: 'BJensen@example.com',
  name: { familyName: 'Jensen', givenName: 'Barbara' },
  title: 'Guide',
  active: true,
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@home.example', type: 'home' },
  ],
  meta: { lastModified: '2026-05-13T04:42:34.000Z', resourceType: 'User' },
  [ENTERPRISE]: { department: 'Tours', manager: { value: 'm-1' } },
}

function matches(text: string): boolean | string {
  let isMatch = false
  const reason = reasonOf(() => (isMatch = matcherOf(USER, parseFilter(text))(BARBARA)))
  return reason === 'none' ? isMatch : reason
}

test('matcherOf compares as the schema of an attribute says', () => {
  const cases: readonly (readonly [why: string, text: string, expected: boolean | string])[] = [
    ['names in any case', 'USERNAME eq "bjensen@example.com"', true],
    ['values in any case', 'userName eq "BJENSEN@EXAMPLE.COM"', true],
    ['a composed and a decomposed letter', 'title ne "Gui\u0301de"', true],
    ['caseExact: id', 'id eq "2819C223"', false],
    ['caseExact: externalId', 'externalId eq "ext-1"', false],
    ['caseExact: the same', 'externalId eq "Ext-1"', true],
    ['a URN in front', 'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "bj"', true],
    ['a URN in other cases', 'URN:IETF:params:scim:schemas:core:2.0:user:userName sw "bj"', true],
    ['an extension', `${ENTERPRISE}:department eq "tours"`, true],
    ['a part in an extension', `${ENTERPRISE}:manager.value eq "m-1"`, true],
    ['the value of a complex attribute', `${ENTERPRISE}:manager eq "m-1"`, true],
    ['an extension is there', `${ENTERPRISE} pr`, true],
    ['an unknown schema', 'urn:x:department eq "tours"', false],
    ['co', 'userName co "JENSEN"', true],
    ['ew', 'userName ew ".COM"', true],
    ['sw of another', 'userName sw "x"', false],
    ['ne', 'userName ne "x"', true],
    ['any of several values', 'emails.value ew "HOME.example"', true],
    ['the value without its name', 'emails co "babs"', true],
    ['ne of any value', 'emails.type ne "work"', true],
    ['one value as a whole', 'emails[type eq "work" and value co "babs"]', false],
    ['one value as a whole, the right one', 'emails[type eq "home" and value co "babs"]', true],
    ['and over several values', 'emails.type eq "work" and emails.value co "babs"', true],
    ['Microsoft: a part after brackets', 'emails[type eq "work"].value eq "bjensen@example.com"', true],
    ['present', 'title pr', true],
    ['not present', 'nickName pr', false],
    ['a complex one is present', 'name pr', true],
    ['unknown', 'nobody eq "x"', false],
    ['unknown is not equal', 'nobody ne "x"', true],
    ['unknown is null', 'nobody eq null', true],
    ['null', 'nickName eq null', true],
    ['not null', 'title ne null', true],
    ['a complex one is null', 'name eq null', false],
    ['nothing is not equal', 'nickName ne "x"', true],
    ['nothing is not less', 'nickName lt "x"', false],
    ['a boolean', 'active eq true', true],
    ['a boolean as text', 'active eq "True"', true],
    ['a boolean is not', 'active ne false', true],
    ['a boolean in a value', 'emails[primary eq true and type eq "work"]', true],
    ['a missing boolean', 'emails[primary eq false]', false],
    ['times', 'meta.lastModified gt "2026-05-13T04:42:33Z"', true],
    ['times in another zone', 'meta.lastModified eq "2026-05-13T06:42:34+02:00"', true],
    ['times, not before', 'meta.lastModified lt "2026-05-13T04:42:34Z"', false],
    ['a time as text', 'meta.lastModified sw "2026"', true],
    ['order of texts', 'title ge "GUIDE" and title le "guide"', true],
    ['order', 'title gt "f" and title lt "h"', true],
    ['not', 'not (title pr)', false],
    ['or', 'title eq "x" or active eq true', true],
    ['and binds closer', 'active eq true or active eq false and title eq "x"', true],
    ['order of a boolean', 'active gt false', 'invalidFilter'],
    ['a boolean as another text', 'active eq "yes"', 'invalidFilter'],
    ['a text as a number', 'title eq 1', 'invalidFilter'],
    ['order of null', 'title gt null', 'invalidFilter'],
    ['no time', 'meta.lastModified gt "yesterday"', 'invalidFilter'],
    ['a complex one without a value', 'name eq "x"', 'invalidFilter'],
    ['brackets on a text', 'title[value eq "x"]', 'invalidFilter'],
    ['brackets on what is unknown', 'nobody[value eq "x"]', false],
  ]
  for (const [why, text, expected] of cases) assert.equal(matches(text), expected, why)
})

/** The same meaning in the plainest words, for filters over a few attributes. */
function slowly(text: string, user: JsonObject): boolean {
  const emails = (user['emails'] ?? []) as readonly Record<string, string>[]
  const lower = (value: unknown): string => String(value).toLowerCase()
  const simple = (clause: string): boolean => {
    const [path = '', comparison = '', quoted = ''] = clause.split(' ')
    const isMail = path.startsWith('emails')
    const held: unknown[] = isMail ? emails.map((mail) => mail[path.split('.')[1] ?? '']) : [user[path]]
    const present = held.filter((each) => each !== undefined)
    if (comparison === 'pr') return present.length > 0
    const asked = lower(quoted.slice(1, -1))
    if (present.length === 0) return comparison === 'ne'
    return present.some((each) => {
      const is = lower(each)
      if (comparison === 'eq') return is === asked
      if (comparison === 'ne') return is !== asked
      if (comparison === 'co') return is.includes(asked)
      if (comparison === 'sw') return is.startsWith(asked)
      if (comparison === 'ew') return is.endsWith(asked)
      if (comparison === 'gt') return is > asked
      if (comparison === 'ge') return is >= asked
      return comparison === 'lt' ? is < asked : is <= asked
    })
  }
  return text.split(' or ').some((part) =>
    part.split(' and ').every((clause) => {
      const inner = /^not \((.*)\)$/.exec(clause)?.[1]
      return inner === undefined ? simple(clause) : !simple(inner)
    }),
  )
}

test('matcherOf agrees with a slow reference', () => {
  const word = fc.constantFrom('a', 'A', 'ab', 'B', 'work', 'home', 'b')
  const clause = fc
    .tuple(
      fc.constantFrom('userName', 'title', 'emails.value', 'emails.type', 'nickName'),
      fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'),
      word,
      fc.boolean(),
    )
    .map(([path, comparison, asked, isNot]) => {
      const text = comparison === 'pr' ? `${path} pr` : `${path} ${comparison} "${asked}"`
      return isNot ? `not (${text})` : text
    })
  const chain = fc
    .array(fc.array(clause, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((ors) => ors.map((ands) => ands.join(' and ')).join(' or '))
  const email = fc.record({ value: word, type: word }, { requiredKeys: ['value'] })
  const user = fc.record(
    { userName: word, title: word, emails: fc.array(email, { minLength: 1, maxLength: 3 }) },
    { requiredKeys: ['userName'] },
  )
  const property = fc.property(chain, user, (text, resource) => {
    assert.equal(matcherOf(USER, parseFilter(text))(resource), slowly(text, resource), text)
  })
  fc.assert(property, { seed: SEED, numRuns: 5_000 })
})
