import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonOf } from '../../../../test/support/fault_reason.ts'
import { parseListQuery, parseSearch, parseSelection } from './list_request.ts'

const NOTHING = {
  filter: null,
  sortBy: null,
  isDescending: false,
  startIndex: 1,
  count: 100,
  attributes: null,
  excluded: null,
}
const SEARCH = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] }

test('parseListQuery reads what is asked: with bounds, and what nobody knows left out', () => {
  const cases: readonly (readonly [why: string, query: string, asked: object])[] = [
    ['nothing', '', {}],
    ['unknown ones', 'aadOptscim062020&x=1&x=2', {}],
    ['names in any case', 'STARTINDEX=7&Count=3', { startIndex: 7, count: 3 }],
    ['less than the first', 'startIndex=0', { startIndex: 1 }],
    ['far less', 'startIndex=-9', { startIndex: 1 }],
    ['a negative count', 'count=-1', { count: 0 }],
    ['none', 'count=0', { count: 0 }],
    ['more than a page', 'count=100000', { count: 200 }],
    ['empty ones', 'count=&filter=&startIndex=&attributes=', {}],
    [
      'order',
      'sortBy=name.familyName&sortOrder=Descending',
      { sortBy: 'name.familyName', isDescending: true },
    ],
    ['attributes', 'attributes=userName,emails.value', { attributes: ['userName', 'emails.value'] }],
    ['a filter', 'filter=title%20pr', { filter: 'title pr' }],
  ]
  for (const [why, query, asked] of cases)
    assert.deepEqual(parseListQuery([...new URLSearchParams(query)]), { ...NOTHING, ...asked }, why)
})

test('parseListQuery refuses what has not the form', () => {
  for (const [query, reason] of [
    ['filter=title', 'invalidFilter'],
    ['startIndex=x', 'invalidValue'],
    ['count=1.5', 'invalidValue'],
    ['count=9999999999', 'invalidValue'],
    ['sortOrder=up', 'invalidValue'],
    ['attributes=a&excludedAttributes=b', 'invalidValue'],
    ['count=1&COUNT=2', 'invalidSyntax'],
  ] as const)
    assert.equal(
      reasonOf(() => parseListQuery([...new URLSearchParams(query)])),
      reason,
      query,
    )
})

test('parseSearch reads the same from a body', () => {
  const body = {
    ...SEARCH,
    Filter: 'title pr',
    startIndex: 2,
    count: 5,
    attributes: ['userName'],
    sortOrder: 'descending',
  }
  const asked = { filter: 'title pr', startIndex: 2, count: 5, attributes: ['userName'], isDescending: true }
  assert.deepEqual(parseSearch(body), { ...NOTHING, ...asked })
  assert.equal(
    reasonOf(() => parseSearch({ filter: 'title pr' })),
    'invalidSyntax',
  )
  assert.equal(
    reasonOf(() => parseSearch({ ...SEARCH, filter: 1 })),
    'invalidValue',
  )
  assert.equal(
    reasonOf(() => parseSearch({ ...SEARCH, count: true })),
    'invalidValue',
  )
  assert.equal(
    reasonOf(() => parseSearch({ ...SEARCH, attributes: [1] })),
    'invalidValue',
  )
  assert.equal(
    reasonOf(() => parseSearch({ ...SEARCH, count: 1, COUNT: 2 })),
    'invalidSyntax',
  )
})

test('parseSelection takes no notice of what is for lists', () => {
  assert.deepEqual(
    parseSelection([
      ['filter', 'x'],
      ['excludedAttributes', 'members'],
    ]),
    {
      attributes: null,
      excluded: ['members'],
    },
  )
})
