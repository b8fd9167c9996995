import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, FAULTS, type FaultCode } from '#base/fault.ts'
import { problemBody } from './problem.ts'
import { refusalReply, replyOf } from './reply.ts'

const ID = 'AbCdEfGhIjKlMnOp'

test('problemBody is an RFC 9457 problem: with the stage, the entry, the hint and how to ask', () => {
  const fault = new Fault('action.denied', { reason: 'policy.forbids' }, { say: 'Ours.' })
  assert.deepEqual(problemBody({ fault, stage: 'authorize', id: ID, envelope: 'problem' }), {
    type: 'urn:gatehouse:action.denied',
    title: FAULTS['action.denied'].title,
    status: 403,
    detail: 'Ours.',
    code: 'action.denied',
    stage: 'authorize',
    entry: ID,
    hint: FAULTS['action.denied'].hint.replace('ENTRY', ID),
    ask: `Ask an operator of this door for access, and give the entry id ${ID}.`,
  })
})

test('problemBody puts the problem inside the error envelope of OpenAI: with its types', () => {
  const types: readonly (readonly [code: FaultCode, type: string])[] = [
    ['caller.unknown', 'authentication_error'],
    ['action.denied', 'permission_error'],
    ['input.invalid', 'invalid_request_error'],
    ['route.unknown', 'invalid_request_error'],
    ['source.throttled', 'rate_limit_error'],
    ['upstream.failed', 'server_error'],
  ]
  for (const [code, type] of types) {
    const body = problemBody({ fault: new Fault(code), stage: 'authenticate', id: ID, envelope: 'openai' })
    assert.deepEqual(body, {
      error: {
        message: FAULTS[code].title,
        type,
        param: null,
        code,
        gatehouse: problemBody({
          fault: new Fault(code),
          stage: 'authenticate',
          id: ID,
          envelope: 'problem',
        }),
      },
    })
  }
})

test('problemBody tells of a throttled source the same wherever it was stopped: no step is shown', () => {
  const fault = new Fault('source.throttled', {}, { retryAfterSeconds: 1 })
  const told = (['receive', 'authenticate'] as const).map((stage) =>
    problemBody({ fault, stage, id: ID, envelope: 'openai' }),
  )
  assert.deepEqual(told[0], told[1])
})

test('problemBody is the same for every reason of caller.unknown: nothing helps those who guess', () => {
  const faults = [
    new Fault('caller.unknown', { reason: 'key.expired' }),
    new Fault('caller.unknown', { reason: 'key.wrong' }, { say: 'The key expired.' }),
  ]
  const bodies = faults.map((fault) =>
    problemBody({ fault, stage: 'authenticate', id: ID, envelope: 'openai' }),
  )
  assert.deepEqual(bodies[0], bodies[1])
})

test('problemBody names an entry only where there is one', () => {
  const entryOf = (code: FaultCode, stage: 'receive' | 'authenticate'): unknown =>
    problemBody({ fault: new Fault(code), stage, id: ID, envelope: 'problem' })['entry']
  assert.equal(entryOf('caller.unknown', 'authenticate'), ID)
  assert.equal(entryOf('source.throttled', 'authenticate'), undefined)
  assert.equal(entryOf('ledger.unwritable', 'authenticate'), undefined)
  assert.equal(entryOf('route.unknown', 'receive'), undefined)
})

test('problemBody never shows the detail of a fault: for every code and both envelopes', () => {
  const secret = 'canary-7Wm2Zr9Tk4'
  for (const code of Object.keys(FAULTS) as FaultCode[])
    for (const envelope of ['openai', 'problem'] as const) {
      const fault = new Fault(
        code,
        { reason: secret, allow: 'GET', deep: { value: secret } },
        { cause: secret },
      )
      const reply = refusalReply({ fault, stage: 'act', id: ID, envelope })
      assert.ok(!JSON.stringify(reply).includes(secret), code)
      assert.equal(reply.status, FAULTS[code].status)
    }
})

function header(headers: readonly string[], name: string): string | undefined {
  const at = headers.indexOf(name)
  return at < 0 ? undefined : headers[at + 1]
}

test('refusalReply sets the headers that a status needs', () => {
  const reply = (fault: Fault): readonly string[] =>
    refusalReply({ fault, stage: 'receive', id: ID, envelope: 'problem' }).headers
  assert.equal(header(reply(new Fault('caller.unknown')), 'www-authenticate'), 'Bearer realm="gatehouse"')
  assert.equal(header(reply(new Fault('load.exceeded', {}, { retryAfterSeconds: 7 })), 'retry-after'), '7')
  assert.equal(header(reply(new Fault('method.wrong', { allow: 'GET, POST' })), 'allow'), 'GET, POST')
  assert.equal(header(reply(new Fault('upstream.unconfigured')), 'x-should-retry'), 'false')
  assert.equal(header(reply(new Fault('upstream.failed')), 'x-should-retry'), undefined)
  assert.equal(header(reply(new Fault('route.unknown')), 'content-type'), 'application/problem+json')
  assert.equal(header(reply(new Fault('route.unknown')), 'allow'), undefined)
})

test('replyOf sends the JSON of an answer as it is: its hash stands in the ledger', () => {
  const json = '{"text":"é","n":1.0}'
  const reply = replyOf({ kind: 'answer', status: 201, json }, { id: ID, envelope: 'openai' })
  assert.equal(reply.body, json)
  assert.equal(reply.status, 201)
  assert.equal(header(reply.headers, 'content-length'), '21')
  assert.equal(header(reply.headers, 'content-type'), 'application/json')
  assert.equal(header(reply.headers, 'cache-control'), 'no-store')
  assert.equal(header(reply.headers, 'x-request-id'), ID)
})
