import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
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
  const reply = replyOf({ kind: 'answer', status: 201, json }, { id: ID, envelope: 'openai', media: 'json' })
  assert.equal(reply.body, json)
  assert.equal(reply.status, 201)
  assert.equal(header(reply.headers, 'content-length'), '21')
  assert.equal(header(reply.headers, 'content-type'), 'application/json')
  assert.equal(header(reply.headers, 'cache-control'), 'no-store')
  assert.equal(header(reply.headers, 'x-request-id'), ID)
})

test('replyOf says where what was made is, in the media type of SCIM', () => {
  const headers = { location: '/scim/v2/Users/1', etag: 'W/"1"' }
  const reply = replyOf(
    { kind: 'answer', status: 201, json: '{}', headers },
    { id: ID, envelope: 'scim', media: 'scim' },
  )
  assert.equal(header(reply.headers, 'content-type'), 'application/scim+json')
  assert.equal(header(reply.headers, 'location'), headers.location)
  assert.equal(header(reply.headers, 'etag'), headers.etag)
})

test('replyOf sends no length and no type of nothing: RFC 9110 section 8.6', () => {
  const reply = replyOf(
    { kind: 'answer', status: 204, json: '' },
    { id: ID, envelope: 'scim', media: 'scim' },
  )
  assert.equal(header(reply.headers, 'content-length'), undefined)
  assert.equal(header(reply.headers, 'content-type'), undefined)
  assert.equal(header(reply.headers, 'x-request-id'), ID)
})

test('problemBody is an error of SCIM: its type is the reason of the fault, nothing else of the detail is there', () => {
  const say = 'The filter is not valid.'
  const fault = new Fault('input.invalid', { reason: 'invalidFilter', asked: 'secret' }, { say })
  assert.deepEqual(problemBody({ fault, stage: 'parse', id: ID, envelope: 'scim' }), {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: '400',
    scimType: 'invalidFilter',
    detail: `${say} (Entry ${ID}.)`,
  })
  const denied = new Fault('action.denied', { reason: 'policy.silent' })
  const body = problemBody({ fault: denied, stage: 'authorize', id: ID, envelope: 'scim' })
  assert.deepEqual([body['status'], body['scimType']], ['403', undefined])
  const early = refusalReply({
    fault: new Fault('route.unknown'),
    stage: 'receive',
    id: ID,
    envelope: 'scim',
  })
  assert.equal(header(early.headers, 'content-type'), 'application/scim+json')
  assert.doesNotMatch(early.body, /Entry/)
})

test('problemBody is an error of OAuth', () => {
  for (const [fault, error] of [
    [new Fault('caller.unknown', { reason: 'key.wrong' }), 'invalid_client'],
    [new Fault('action.denied'), 'invalid_target'],
    [new Fault('input.invalid', {}, { say: 'The field "scope" is not valid.' }), 'invalid_request'],
    [new Fault('grant.invalid'), 'invalid_grant'],
    [new Fault('scope.wider'), 'invalid_scope'],
    [new Fault('nonce.needed'), 'use_dpop_nonce'],
    [new Fault('load.exceeded'), 'temporarily_unavailable'],
    [new Fault('internal.bug'), 'server_error'],
  ] as const) {
    const body = problemBody({ fault, stage: 'parse', id: ID, envelope: 'oauth' })
    assert.equal(body['error'], error)
    const { error_description: description } = body
    assert.ok(typeof description === 'string' && /^[ !#-[\]-~]+$/.test(description), 'RFC 6749 section 5.2')
    assert.deepEqual([body['code'], body['entry']], [fault.code, ID])
  }
})
