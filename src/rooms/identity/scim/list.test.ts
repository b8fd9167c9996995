import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import { list, type Collection } from './list.ts'
import { parseListQuery } from './list_request.ts'
import { GROUP, USER, type ResourceType } from './resource_type.ts'

function collection(type: ResourceType, resources: readonly JsonObject[], weight = 1): Collection {
  const items = resources.map((resource) => ({ toResource: () => resource, weight }))
  return { type, candidates: () => [items.slice(0, 2), items.slice(2)] }
}

const NAMES = ['Cy', 'ann', 'Bob', 'dan']
const USERS = NAMES.map((userName, at) => ({
  id: String(at),
  userName,
  emails: [{ value: `${9 - at}` }, { value: `0${at}`, primary: at === 0 }],
  ...(at === 1 ? {} : { title: String(at) }),
}))

let pauses = 0
async function asked(query: string, ...collections: readonly Collection[]): Promise<JsonObject> {
  const pause = async (): Promise<void> => Promise.resolve(void (pauses += 1))
  return list(collections, parseListQuery([...new URLSearchParams(query)]), pause)
}

function idsOf({ Resources }: JsonObject): string {
  const found: JsonValue = Resources ?? []
  return isJsonArray(found) ? found.map((each) => (each as { id: string }).id).join('') : ''
}

test('list gives one page of what matches, in the order that is asked for', async () => {
  for (const [query, ids, total] of [
    ['', '0123', 4],
    ['startIndex=2&count=2', '12', 4],
    ['startIndex=9', '', 4],
    ['count=0', '', 4],
    ['filter=userName+co+"n"', '13', 2],
    ['filter=userName+co+"n"&startIndex=2', '3', 2],
    ['sortBy=userName', '1203', 4],
    ['sortBy=userName&sortOrder=descending', '3021', 4],
    ['sortBy=title', '0231', 4],
    ['sortBy=title&sortOrder=descending', '1320', 4],
    ['sortBy=emails', '0321', 4],
    ['sortBy=nobody', '0123', 4],
  ] as const) {
    const page = await asked(query, collection(USER, USERS))
    assert.equal(idsOf(page), ids, query)
    assert.deepEqual([page['totalResults'], page['itemsPerPage']], [total, ids.length], query)
  }
})

test('list takes several collections for one, and ends a page before it is too heavy', async () => {
  const groups = [{ id: 'x' }, { id: 'y' }, { id: 'z' }]
  assert.equal(idsOf(await asked('', collection(USER, USERS), collection(GROUP, groups))), '0123xyz')
  const heavy = collection(GROUP, groups, 15_000)
  const first = await asked('', heavy)
  assert.deepEqual([idsOf(first), first['itemsPerPage'], first['totalResults']], ['x', 1, 3])
  assert.equal(idsOf(await asked('startIndex=2', heavy)), 'y')
  assert.equal(idsOf(await asked('excludedAttributes=members', heavy)), 'xyz', 'without members it is light')
})

test('list gives way to other work as it goes', async () => {
  pauses = 0
  const many = Array.from({ length: 250 }, (_, at) => ({ id: String(at) }))
  await asked('filter=title+pr', collection(USER, many))
  assert.equal(pauses, 2)
})
