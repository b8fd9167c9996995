import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
import { errorType, refusalError } from './refusal_error.ts'

const ID = 'AbCdEfGhIjKlMnOp'

test('refusalError says code, sentence, entry and hint, and nothing of the detail: for every code', () => {
  for (const code of Object.keys(FAULTS) as FaultCode[]) {
    const { status, title, hint } = FAULTS[code]
    const fault = new Fault(code, { reason: 'planted' }, { cause: 'planted' })
    const told = refusalError({ fault, id: ID })
    assert.deepEqual(told, {
      code,
      message: title,
      status,
      gatehouse: {
        type: `urn:gatehouse:${code}`,
        title,
        status,
        code,
        entry: ID,
        hint: hint.replace('ENTRY', ID),
      },
    })
  }
})

test('refusalError says the sentence of the fault, but none to those who are not proven', () => {
  const told = refusalError({ fault: new Fault('upstream.rejected', {}, { say: 'Ours.' }), id: ID })
  assert.deepEqual([told.message, told.gatehouse['detail']], ['Ours.', 'Ours.'])
  const unknown = refusalError({ fault: new Fault('caller.unknown', {}, { say: 'It expired.' }), id: ID })
  assert.deepEqual(
    [unknown.message, unknown.gatehouse['detail']],
    [FAULTS['caller.unknown'].title, undefined],
  )
})

test('errorType gives the types of the APIs', () => {
  const types = [500, 502, 401, 403, 429, 400, 422].map((status) => errorType(status, 'api_error'))
  assert.deepEqual(types, [
    'api_error',
    'api_error',
    'authentication_error',
    'permission_error',
    'rate_limit_error',
    'invalid_request_error',
    'invalid_request_error',
  ])
  assert.equal(errorType(503, 'server_error'), 'server_error')
})
