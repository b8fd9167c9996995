import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, rig, STRANGER } from '../../../test/support/http_rig.ts'

const DOCUMENTS = new Map([['/.well-known/jwks.json', () => '{"keys":[]}']])

test('documents are open to all, by GET and HEAD at their very path, and nothing else is', async (t) => {
  const { ask } = await rig(t, { documents: DOCUMENTS })
  const cases: readonly (readonly [line: string, status: number])[] = [
    ['GET /.well-known/jwks.json', 200],
    ['POST /.well-known/jwks.json', 404],
    ['GET /.well-known/jwks.json?x', 404],
    ['GET /.well-known/', 404],
  ]
  for (const [line, status] of cases) {
    const reply = await ask(`${line} HTTP/1.1\r\n${STRANGER}\r\n`)
    assert.equal(reply.status, status, line)
  }
  const { body } = await ask(`GET /.well-known/jwks.json HTTP/1.1\r\n${STRANGER}\r\n`)
  assert.equal(body, '{"keys":[]}')
  const closed = await rig(t)
  assert.equal((await closed.ask(`GET /.well-known/jwks.json HTTP/1.1\r\n${STRANGER}\r\n`)).status, 404)
})

test('documents are not sent again to whoever has them', async (t) => {
  const { ask } = await rig(t, { documents: DOCUMENTS })
  const get = async (tags: string) =>
    await ask(`GET /.well-known/jwks.json HTTP/1.1\r\n${STRANGER}If-None-Match: ${tags}\r\n\r\n`)
  const whole = await get('"other"')
  const tag = whole.headers.get('etag') ?? assert.fail('no tag')
  assert.deepEqual([whole.status, whole.body], [200, '{"keys":[]}'])
  for (const tags of [tag, `"other", W/${tag}`, '*']) {
    const held = await get(tags)
    assert.deepEqual([held.status, held.body, held.headers.get('etag')], [304, '', tag], tags)
    assert.equal(held.headers.get('cache-control'), 'public, max-age=300')
  }
})

test('documents are not for a source that is over its limit', async (t) => {
  const { ask, guard } = await rig(t, { documents: DOCUMENTS })
  while (guard.charge('127.0.0.1') === undefined);
  const reply = await ask(`GET /.well-known/jwks.json HTTP/1.1\r\n${STRANGER}\r\n`)
  assert.deepEqual([reply.status, codeOf(reply)], [429, 'source.throttled'])
})

test('whoever sends a proof learns the next nonce, answered or refused', async (t) => {
  const { ask } = await rig(t, { proofNonce: () => 'next', origin: 'https://gate.example' })
  for (const line of ['GET /v1/show/x', 'GET /nowhere', 'POST /v1/refuse']) {
    const head = `${line} HTTP/1.1\r\n${STRANGER}Authorization: DPoP real\r\n`
    const shown = await ask(`${head}DPoP: p\r\n\r\n`)
    assert.equal(shown.headers.get('dpop-nonce'), 'next', line)
    const plain = await ask(`${head}\r\n`)
    assert.equal(plain.headers.get('dpop-nonce'), undefined, line)
  }
})
