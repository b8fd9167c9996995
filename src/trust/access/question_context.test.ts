import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertFrozen } from '../../../test/support/assert_frozen.ts'
import type { Assurance } from './caller.ts'
import { contextOf } from './question_context.ts'

const ASSURANCE: Assurance = Object.freeze({
  aal: 2,
  via: 'token',
  binding: 'dpop',
  amr: Object.freeze(['hwk', 'pin']),
  acr: 'urn:two',
  authTime: 1_790_000_000,
})
const FACTS = {
  aal: 2,
  via: 'token',
  binding: 'dpop',
  amr: ['hwk', 'pin'],
  actors: [],
  acr: 'urn:two',
  auth_time: 1_790_000_000,
}

test('contextOf says how sure we are, by key or not, and what was found', () => {
  const rows: readonly (readonly [kid: string | undefined, findings: readonly string[]])[] = [
    ['k', []],
    [undefined, []],
    ['k', ['credential.pem']],
  ]
  for (const [kid, findings] of rows)
    assert.deepEqual(contextOf({ assurance: ASSURANCE, kid }, findings), {
      findings,
      via_key: kid !== undefined,
      assurance: FACTS,
    })
})

test('contextOf leaves out what nobody said', () => {
  const assurance = { ...ASSURANCE, acr: undefined, authTime: undefined }
  const { acr: _acr, auth_time: _time, ...rest } = FACTS
  assert.deepEqual(contextOf({ assurance, kid: 'k' }, [])['assurance'], rest)
})

test('contextOf gives the same frozen object for what cannot change, and reads again what can', () => {
  const context = contextOf({ assurance: ASSURANCE, kid: 'k' }, [])
  assertFrozen(context)
  assert.equal(contextOf({ assurance: ASSURANCE, kid: 'other' }, []), context)
  const open: { -readonly [Name in keyof Assurance]: Assurance[Name] } = { ...ASSURANCE }
  contextOf({ assurance: open, kid: 'k' }, [])
  open.aal = 1
  assert.deepEqual(contextOf({ assurance: open, kid: 'k' }, [])['assurance'], { ...FACTS, aal: 1 })
})
