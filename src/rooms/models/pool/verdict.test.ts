import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultDetail } from '#base/fault.ts'
import { FAULTS, isFaultCode, type FaultCode } from '#base/fault_table.ts'
import { verdictOn, type Verdict } from './verdict.ts'

const VERDICTS: readonly (readonly [
  code: FaultCode,
  detail: FaultDetail,
  member: Verdict['member'],
  mayRetry: boolean,
])[] = [
  ['upstream.failed', {}, 'fails', true],
  ['upstream.failed', { upstream_status: 503 }, 'fails', true],
  ['upstream.failed', { upstream_error: 'overloaded_error' }, 'fails', true],
  ['upstream.failed', { upstream_error: 'invalid_request_error' }, 'works', false],
  ['upstream.failed', { upstream_error: 'context_length_exceeded' }, 'works', false],
  ['upstream.slow', { reason: 'UND_ERR_CONNECT_TIMEOUT' }, 'fails', true],
  ['upstream.slow', { reason: 'UND_ERR_HEADERS_TIMEOUT' }, 'fails', true],
  ['upstream.slow', { reason: 'total_timeout' }, 'fails', true],
  ['upstream.slow', { reason: 'UND_ERR_BODY_TIMEOUT' }, 'fails', false],
  ['upstream.slow', { reason: 'total_timeout_in_body' }, 'unknown', false],
  ['upstream.slow', { reason: 'pool_timeout' }, 'fails', false],
  ['upstream.limited', {}, 'works', true],
  ['upstream.invalid', {}, 'fails', false],
  ['upstream.unauthorized', {}, 'fails', false],
  ['upstream.unconfigured', {}, 'fails', false],
  ['upstream.oversized', {}, 'works', false],
  ['upstream.rejected', {}, 'works', false],
  ['api.unsupported', {}, 'unknown', false],
  ['input.aborted', {}, 'unknown', false],
  ['load.exceeded', {}, 'unknown', false],
  ['action.denied', {}, 'unknown', false],
  ['internal.bug', {}, 'unknown', false],
]

for (const [code, detail, member, mayRetry] of VERDICTS) {
  test(`verdictOn says ${member}${mayRetry ? ', and to try again' : ''}: ${code} ${JSON.stringify(detail)}`, () => {
    assert.deepEqual(verdictOn(new Fault(code, detail)), { member, mayRetry })
  })
}

test('verdictOn has nothing tried again but what the table says', () => {
  const may = Object.keys(FAULTS).filter((code) => isFaultCode(code) && verdictOn(new Fault(code)).mayRetry)
  assert.deepEqual(may, ['upstream.failed', 'upstream.limited'])
})
