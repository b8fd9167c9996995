import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { checkHeader } from './check_header.ts'

const RULES = { algorithms: new Set(['ES256']), types: new Set(['at+jwt', 'none']) }

for (const [why, header, outcome] of [
  ['a good one', { alg: 'ES256', kid: 'a', typ: 'at+jwt' }, 'a'],
  ['a type in other letters', { alg: 'ES256', kid: 'a', typ: 'AT+JWT' }, 'a'],
  ['a whole media type', { alg: 'ES256', kid: 'a', typ: 'Application/at+jwt' }, 'a'],
  ['no type, where that is taken', { alg: 'ES256', kid: 'a' }, 'a'],
  ['no key', { alg: 'ES256' }, undefined],
  ['keys that nobody reads', { alg: 'ES256', kid: 'a', jku: 'x', jwk: {}, x5u: 'x', x5c: [] }, 'a'],
  ['no algorithm', {}, 'token.algorithm'],
  ['none', { alg: 'none' }, 'token.algorithm'],
  ['a name that all objects have', { alg: 'constructor' }, 'token.algorithm'],
  ['another algorithm', { alg: 'RS256' }, 'token.algorithm'],
  ['an algorithm in a list', { alg: ['ES256'] }, 'token.algorithm'],
  ['a demand', { alg: 'ES256', crit: ['x'] }, 'token.critical'],
  ['no encoding', { alg: 'ES256', b64: false }, 'token.critical'],
  ['another type', { alg: 'ES256', typ: 'jwt' }, 'token.type'],
  ['a type that is no text', { alg: 'ES256', typ: 1 }, 'token.type'],
  ['an empty type', { alg: 'ES256', typ: '' }, 'token.type'],
  ['a key that is a number', { alg: 'ES256', kid: 1 }, 'token.key_unknown'],
  ['a key without a name', { alg: 'ES256', kid: '' }, 'token.key_unknown'],
] satisfies readonly (readonly [string, JsonObject, string | undefined])[])
  test(`checkHeader gives ${String(outcome)}: ${why}`, () => {
    let found: unknown
    try {
      found = checkHeader(header, RULES).kid
    } catch (thrown) {
      assert.ok(thrown instanceof Fault && thrown.code === 'caller.unknown')
      found = thrown.detail['reason']
    }
    assert.equal(found, outcome)
  })
