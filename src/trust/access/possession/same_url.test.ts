import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSameUrl } from './same_url.ts'

test('isSameUrl compares scheme, host, port and path, in their plain forms', () => {
  const url = 'https://gate.example/oauth/token'
  const cases: readonly (readonly [other: string, isSame: boolean])[] = [
    [url, true],
    ['HTTPS://GATE.example:443/oauth/token', true],
    ['https://gate.example/oauth/token?x=1', true],
    ['https://gate.example/oauth/token#x', true],
    ['https://gate.example/oauth/../oauth/token', true],
    ['https://gate.example/%6fauth/token', true],
    ['https://gate.example/oauth%2ftoken', false],
    ['https://gate.example/oauth/token/', false],
    ['https://gate.example/OAUTH/token', false],
    ['http://gate.example/oauth/token', false],
    ['https://gate.example:444/oauth/token', false],
    ['https://gate.example.evil/oauth/token', false],
    ['https://user@gate.example/oauth/token', false],
    ['https://:secret@gate.example/oauth/token', false],
    ['/oauth/token', false],
    ['', false],
    ['ftp://gate.example/oauth/token', false],
  ]
  for (const [other, isSame] of cases) assert.equal(isSameUrl(url, other), isSame, other)
  assert.equal(isSameUrl('', ''), false)
  assert.equal(isSameUrl('https://a.example/%2f', 'https://a.example/%2F'), true)
})
