import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { CallerMemory, StrangerMemory } from '#base/memory.ts'
import type { JsonObject } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import {
  CALLER,
  decider,
  meterOf,
  MemoryRecorder,
  proven,
  StillClock,
} from '../../test/support/door_parts.ts'
import type { Credential } from '#trust/access/caller.ts'
import { guarded, type DoorParts } from './door.ts'
import { always } from './inspection_actions.ts'
import { Inspector } from './inspector.ts'
import { NO_LIMITS } from './limits/limiter.ts'
import { NO_POSSESSION, type Incoming, type Route } from './route.ts'

const AUDIENCE = { type: 'Audience', id: 'payments' }

/** A route whose credential is its whole body. */
function scene(charge?: number) {
  const recorder = new MemoryRecorder()
  const charged: string[] = []
  const memories: (CallerMemory | StrangerMemory)[] = []
  const parts: DoorParts = {
    clock: new StillClock(),
    authenticator: {
      authenticate: (credential) => {
        const text = credential.kind === 'subject' ? credential.token.open((token) => token) : credential.kind
        if (text !== 'good' && text !== 'bearer') throw new Fault('caller.unknown', { reason: 'token.form' })
        return proven(CALLER)
      },
      looksReal: () => false,
    },
    policies: { current: () => decider(() => true) },
    meter: meterOf(4),
    limits: NO_LIMITS,
    inspector: new Inspector({
      detectors: [],
      actions: { request: always('pass'), response: always('pass') },
      encoded: 'pass',
    }),
    recorder,
    guard: {
      charge: (address) => {
        charged.push(address)
        return charge
      },
      chargeKey: () => undefined,
      chargeCaller: () => undefined,
    },
    observe: () => undefined,
  }
  const route: Route<JsonObject> = {
    name: 'exchange',
    listener: 'door',
    method: 'POST',
    path: '/oauth/token',
    media: 'form',
    envelope: 'oauth',
    credentialIn: (body, possession) => {
      const text = Buffer.from(body).toString()
      if (text === 'malformed') throw new Fault('input.invalid')
      return { kind: 'subject', token: new Sealed(text), ...possession }
    },
    action: 'token:exchange',
    record: 'grouped',
    inspect: { request: { exempt: 'a test' }, response: { exempt: 'a test' } },
    parse: ({ body }) => ({ text: Buffer.from(body).toString() }),
    target: () => ({ ref: AUDIENCE, entities: [], known: true }),
    act: async (_permit, input, { possession, address }) => {
      assert.equal(possession, NO_POSSESSION)
      return Promise.resolve({ kind: 'whole', status: 200, body: { ...input, address }, facts: {} })
    },
  }
  const send = async (text: string, credential: Credential = { kind: 'none' }): Promise<string> => {
    const incoming: Incoming = {
      id: 'entry00000000001',
      credential,
      address: '192.0.2.7',
      params: {},
      query: [],
      body: async (memory) => {
        memories.push(memory)
        memory.claim(text.length)
        return Promise.resolve(Buffer.from(text))
      },
      onAbort: () => undefined,
      onEnd: (listener) => listener(),
    }
    const outcome = await guardedRoute.handle(incoming)
    if (outcome.kind === 'refusal') return `${outcome.stage} ${outcome.fault.code}`
    return outcome.kind === 'answer' ? outcome.json : 'a stream'
  }
  const guardedRoute = guarded(parts, route)
  return { send, recorder, charged, memories, guardedRoute }
}

test('a credential in the body proves the caller, in memory of strangers, and the whole pipeline follows', async () => {
  const { send, recorder, memories, guardedRoute } = scene()
  assert.equal(guardedRoute.credentialAt, 'body')
  assert.equal(await send('good'), '{"text":"good","address":"192.0.2.7"}')
  assert.deepEqual(
    memories.map(({ caller }) => caller),
    [undefined],
  )
  assert.deepEqual(recorder.kinds(), ['intent', 'outcome'])
  assert.equal(recorder.entries[0]?.fields['caller'], 'Service::"demo"')
  assert.equal(typeof recorder.entries[0]?.fields['content'], 'string')
})

test('a credential in the headers counts alone: then the body is read as any other', async () => {
  const { send, memories } = scene()
  const bearer: Credential = { kind: 'bearer', token: new Sealed('x') }
  assert.equal(await send('bad', bearer), '{"text":"bad","address":"192.0.2.7"}')
  assert.deepEqual(
    memories.map(({ caller }) => caller),
    ['Service::"demo"'],
  )
  assert.equal(await send('good', { kind: 'malformed' }), 'authenticate caller.unknown')
})

test('whatever a stranger is refused for is charged to its source and recorded', async () => {
  const { send, charged, recorder } = scene()
  assert.equal(await send('bad'), 'authenticate caller.unknown')
  assert.equal(await send('malformed'), 'authenticate input.invalid')
  assert.equal(await send('x'.repeat(LIMITS.formBytes + 1)), 'authenticate input.too_large')
  assert.equal(charged.length, 3)
  assert.deepEqual(recorder.kinds(), ['refusal', 'refusal', 'refusal'])
  const over = scene(5)
  assert.equal(await over.send('malformed'), 'authenticate source.throttled')
  assert.deepEqual(over.recorder.kinds(), [])
})

test('forms give their memory back, whatever becomes of them', async () => {
  const { send } = scene()
  for (let count = 0; count < LIMITS.strangerFormsPerBlock * 2; count++)
    for (const text of ['good', 'bad', 'malformed'])
      assert.notEqual(await send(text), 'authenticate load.exceeded')
})
