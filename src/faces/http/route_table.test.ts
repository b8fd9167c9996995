import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GuardedRoute } from '#door/guarded.ts'
import { RouteTable } from './route_table.ts'

function route(method: 'GET' | 'POST', path: string): GuardedRoute {
  const handle: GuardedRoute['handle'] = () => Promise.resolve({ kind: 'answer', status: 200, json: '{}' })
  return {
    name: `${method} ${path}`,
    listener: 'door',
    method,
    path,
    media: 'json',
    envelope: 'problem',
    credentialAt: 'headers',
    action: 'a:b',
    handle,
  }
}

const TABLE = new RouteTable([
  route('POST', '/v1/chat/completions'),
  route('GET', '/v1/models'),
  route('GET', '/v1/models/{model}'),
  route('POST', '/v1/keys/{kid}/revoke'),
  route('GET', '/v1/keys/{kid}/{what}'),
  route('GET', '/log/{log}/{bundle...}'),
])

function find(method: string, target: string): string {
  const found = TABLE.find(method, target, 'h')
  return `${found.route.name} ${JSON.stringify(found.params)} ${JSON.stringify(found.query)}`
}

test('find matches literal paths and {name} segments: decoded, with the query in order', () => {
  assert.equal(find('POST', '/v1/chat/completions'), 'POST /v1/chat/completions {} []')
  assert.equal(find('POST', '/v1/chat/completions?a=1'), 'POST /v1/chat/completions {} [["a","1"]]')
  assert.equal(find('GET', 'http://h/v1/models'), 'GET /v1/models {} []')
  assert.equal(find('GET', '/v1/models/my%20model'), 'GET /v1/models/{model} {"model":"my model"} []')
  assert.equal(find('POST', '/v1/keys/abc/revoke?x'), 'POST /v1/keys/{kid}/revoke {"kid":"abc"} [["x",""]]')
  assert.equal(find('GET', '/v1/keys/abc/uses'), 'GET /v1/keys/{kid}/{what} {"kid":"abc","what":"uses"} []')
})

test('find gives the rest of a path as one: decoded, at least one segment', () => {
  const name = 'GET /log/{log}/{bundle...}'
  assert.equal(find('GET', '/log/a/000'), `${name} {"log":"a","bundle":"000"} []`)
  assert.equal(find('GET', '/log/a/x001/x%32/3'), `${name} {"log":"a","bundle":"x001/x2/3"} []`)
  for (const target of ['/log/a', '/log/a/', '/log/a/b/', '/log'])
    assert.throws(() => find('GET', target), { code: 'route.unknown' }, target)
  assert.throws(() => find('GET', '/log/a/../b'), { code: 'target.invalid' })
  assert.throws(() => find('POST', '/log/a/b'), { code: 'method.wrong' })
})

test('find refuses what is in no list: by its code', () => {
  const cases: readonly (readonly [method: string, target: string, code: string])[] = [
    ['GET', '/v1/none', 'route.unknown'],
    ['GET', '/v1/models/', 'route.unknown'],
    ['GET', '/v1/models/a/b', 'route.unknown'],
    ['GET', '/V1/models', 'route.unknown'],
    ['GET', '/v1/%6dodels', 'route.unknown'],
    ['GET', '/v1/models/../chat', 'target.invalid'],
    ['GET', '/v1/models/%ff', 'target.invalid'],
    ['GET', '/v1/chat/completions', 'method.wrong'],
    ['DELETE', '/v1/models/a', 'method.wrong'],
  ]
  for (const [method, target, code] of cases) assert.throws(() => find(method, target), { code }, target)
})

test('find says which methods there are: for the Allow header', () => {
  assert.throws(() => find('PUT', '/v1/models'), { detail: { allow: 'GET' } })
})

test('RouteTable refuses two routes for one request: order must not decide', () => {
  assert.throws(() => new RouteTable([route('GET', '/a'), route('GET', '/a')]), TypeError)
  assert.throws(() => new RouteTable([route('GET', '/a/{x}'), route('GET', '/a/{y}')]), TypeError)
})
