import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { Sealed } from '#base/sealed.ts'
import type { Caller, Credential } from '#trust/access/caller.ts'
import { keyCaller, UNLIMITED } from '#trust/access/caller_facts.ts'
import { newKeyText, newKid } from '#trust/access/key.ts'
import { unproven } from '#trust/access/unproven.ts'
import type { SentProven } from './messages.ts'
import { RemoteAuthenticator } from './remote_authenticator.ts'

const AT = '192.0.2.7'
const BEARER: Credential = { kind: 'bearer', token: new Sealed('gate_live_text') }
const PRESENTED: Credential = {
  kind: 'presented',
  tokens: [{ scheme: 'dpop', token: new Sealed('a.b.c') }],
  proof: { jwt: new Sealed('p.q.r'), method: 'GET', url: 'https://gate/' },
  certificate: undefined,
}

/** A writer that says what the test says, and what it was asked. */
class Scene {
  readonly asked: string[] = []
  readonly told: string[] = []
  now = 1_000
  answer: SentProven | Fault = proven('demo', 1)
  /** Runs while the writer is asked. */
  meanwhile: () => void = () => undefined
  readonly authenticator: RemoteAuthenticator

  constructor() {
    this.authenticator = new RemoteAuthenticator({
      clock: { now: () => this.now, monotonic: () => this.now },
      issuers: new Set(['https://idp.example']),
      link: {
        ask: async (name) => {
          this.asked.push(name)
          const { answer } = this
          await Promise.resolve()
          this.meanwhile()
          if (answer instanceof Fault) throw answer
          return JSON.parse(JSON.stringify(answer))
        },
        tell: (name) => void this.told.push(name),
      },
    })
  }

  async prove(credential: Credential = BEARER, address = AT) {
    return await this.authenticator.authenticate(credential, address)
  }
}

function proven(name: string, version: number, more: Partial<SentProven> = {}): SentProven {
  const ref = { type: 'Service', id: name }
  const caller: Caller = keyCaller({ ref, entities: [], space: 'default' }, 'kid', UNLIMITED, undefined)
  return { caller, version, until: 6_000, ...more }
}

test('a key is asked about once, and known until its time is over', async () => {
  const scene = new Scene()
  const first = await scene.prove()
  scene.now = 5_999
  const again = scene.authenticator.authenticate(BEARER, AT)
  assert.ok(!(again instanceof Promise), 'what is known takes no turn')
  assert.equal(again.caller, first.caller)
  assert.ok(Object.isFrozen(first.caller) && Object.isFrozen(first.caller.ref))
  scene.now = 6_000
  await scene.prove()
  assert.deepEqual(scene.asked, ['prove', 'prove'])
})

test('another address is another question: a key may hold for one and not for the other', async () => {
  const scene = new Scene()
  await scene.prove()
  scene.answer = unproven('key.address_outside')
  await assert.rejects(scene.prove(BEARER, '198.51.100.1'), Fault)
})

test('forget asks again: the same object for the same caller, another one for one that has changed', async () => {
  const scene = new Scene()
  const first = await scene.prove()
  scene.authenticator.forget()
  assert.equal((await scene.prove()).caller, first.caller)
  scene.authenticator.forget()
  scene.answer = proven('demo', 2)
  assert.notEqual((await scene.prove()).caller, first.caller)
})

test('an answer that was on its way when something changed is not kept', async () => {
  const scene = new Scene()
  scene.meanwhile = () => scene.authenticator.forget()
  await scene.prove()
  scene.meanwhile = () => undefined
  scene.answer = unproven('key.revoked')
  await assert.rejects(scene.prove(), Fault)
})

test('requests that come together ask once, but none joins a question from before a change', async () => {
  const scene = new Scene()
  await Promise.all([scene.prove(), scene.prove(), scene.prove()])
  assert.equal(scene.asked.length, 1)
  scene.authenticator.forget()
  const before = scene.prove()
  scene.authenticator.forget()
  await Promise.all([before, scene.prove()])
  assert.equal(scene.asked.length, 3)
})

test('recheck asks only after a change, and throws what the writer says', async () => {
  const scene = new Scene()
  const held = await scene.prove()
  assert.equal(held.recheck(), held.caller)
  scene.authenticator.forget()
  assert.equal(await held.recheck(), held.caller)
  scene.authenticator.forget()
  scene.answer = unproven('key.revoked')
  await assert.rejects(async () => held.recheck(), Fault)
})

test('what shows a possession is asked about each time, kept in the writer, and given back at the end', async () => {
  const scene = new Scene()
  scene.answer = proven('demo', 1, { kept: 9 })
  const held = await scene.prove(PRESENTED)
  await scene.prove(PRESENTED)
  scene.authenticator.forget()
  assert.equal(await held.recheck(), held.caller)
  held.end?.()
  assert.deepEqual(scene.asked, ['prove', 'prove', 'recheck'])
  assert.deepEqual(scene.told, ['proofEnded'])
})

test('looksReal knows the form of keys and the issuers of tokens: no proof of anything', () => {
  const { authenticator } = new Scene()
  const claims = (iss: string): string => Buffer.from(JSON.stringify({ iss })).toString('base64url')
  const header = Buffer.from('{"alg":"RS256"}').toString('base64url')
  const looks = (text: string): boolean =>
    authenticator.looksReal({ kind: 'bearer', token: new Sealed(text) })
  assert.equal(looks(newKeyText({ environment: 'live', kid: newKid() })), true)
  assert.equal(looks('gate_live_wrong'), false)
  assert.equal(looks(`${header}.${claims('https://idp.example')}.AAAA`), true)
  assert.equal(looks(`${header}.${claims('https://other.example')}.AAAA`), false)
  assert.equal(looks('no.token'), false)
  assert.equal(authenticator.looksReal({ kind: 'none' }), false)
  assert.equal(authenticator.looksReal(PRESENTED), false)
})
