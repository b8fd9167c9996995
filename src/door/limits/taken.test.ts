import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { mayBeTaken } from './taken.ts'

test('mayBeTaken is false only where the provider cannot have worked on a request', () => {
  const cases: readonly (readonly [why: string, fault: Fault, isTaken: boolean])[] = [
    ['no key', new Fault('upstream.unconfigured'), false],
    ['rejected with 400', new Fault('upstream.rejected', { upstream_status: 400 }), false],
    ['our key is not accepted', new Fault('upstream.unauthorized', { upstream_status: 401 }), false],
    ['limited', new Fault('upstream.limited', { upstream_status: 429 }), false],
    ['unavailable', new Fault('upstream.failed', { upstream_status: 503 }), false],
    ['overloaded', new Fault('upstream.failed', { upstream_status: 529 }), false],
    ['an error within the server', new Fault('upstream.failed', { upstream_status: 500 }), true],
    ['a gateway in front of it', new Fault('upstream.failed', { upstream_status: 502 }), true],
    ['nobody listens', new Fault('upstream.failed', { reason: 'ECONNREFUSED' }), false],
    ['the connection broke', new Fault('upstream.failed', { reason: 'ECONNRESET' }), true],
    ['no connection in time', new Fault('upstream.slow', { reason: 'UND_ERR_CONNECT_TIMEOUT' }), false],
    ['no answer in time', new Fault('upstream.slow', { reason: 'UND_ERR_HEADERS_TIMEOUT' }), true],
    ['an answer that cannot be read', new Fault('upstream.invalid', { reason: 'answer_shape' }), true],
    ['the caller went away', new Fault('input.aborted', { reason: 'caller.gone' }), true],
    ['no member of a pool', new Fault('upstream.failed', { reason: 'no_member' }), false],
    ['a request that cannot be carried', new Fault('api.unsupported'), false],
    ['an answer that cannot be carried', new Fault('api.unsupported', { taken: true }), true],
    ['a mistake of ours', new Fault('internal.bug'), true],
  ]
  for (const [why, fault, isTaken] of cases) assert.equal(mayBeTaken(fault), isTaken, why)
})
