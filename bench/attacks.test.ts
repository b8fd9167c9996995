import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attacksOn } from './attack_cases.ts'
import { TOKEN } from './attack_harms.ts'
import { AttackProvider } from './attack_provider.ts'
import type { Seen } from './attack_stage.ts'
import { verdictOn } from './attacks.ts'
import { UPSTREAM_KEY } from './contestants.ts'

const NOTHING: Seen = {
  status: 200,
  head: 'HTTP/1.1 200 OK',
  body: '',
  bytes: 0,
  ms: 1,
  isOver: true,
  received: [],
  heard: [],
  written: 0,
  leftMs: 0,
  grownMb: 0,
}
const ERROR = '{"error":{"message":"no","type":"invalid_request_error","code":"input.invalid"}}'

test('verdictOn tells what happened', () => {
  const cases: readonly (readonly [
    why: string,
    seen: Partial<Seen>,
    harm: string | undefined,
    expected: object,
  ])[] = [
    ['a harm goes before all', { status: 403 }, 'it leaked', { outcome: 'harm', what: 'it leaked (403)' }],
    ['a refusal', { status: 400, body: ERROR }, undefined, { outcome: 'refused', what: '400 input.invalid' }],
    ['nothing came', { status: Number.NaN }, undefined, { outcome: 'refused', what: 'no answer' }],
    ['a good answer', { body: '{"error":null}' }, undefined, { outcome: 'served', what: '200' }],
    [
      'a stream that was cut',
      { body: `data: {}\n\ndata: ${ERROR}\n\n` },
      undefined,
      { outcome: 'cut', what: '200 input.invalid' },
    ],
    [
      'the caller left',
      { isOver: false, leftMs: 7 },
      undefined,
      { outcome: 'served', what: '200, provider free after 7 ms' },
    ],
  ]
  for (const [why, seen, harm, expected] of cases)
    assert.deepEqual(verdictOn({ ...NOTHING, ...seen }, { harm: () => harm }), expected, why)
})

const piece = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`
const request = (body: string) => ({ url: '/v1/chat/completions', headers: { cookie: 'a=b' }, body })

test('attacksOn knows each harm when it sees it, and none where there is none', () => {
  const attacks = attacksOn(new AttackProvider())
  const cases: readonly (readonly [name: RegExp, seen: Partial<Seen>, harm: RegExp])[] = [
    [/in a header/, { heard: ['POST / HTTP/1.1'] }, /inner host was called$/],
    [/deprecated/, { heard: [`authorization: ${UPSTREAM_KEY}`] }, /with the key/],
    [/second model/, { received: [request('{"model":"forbidden"}')] }, /other model/],
    [/repeats its key/, { body: UPSTREAM_KEY }, /key of the provider/],
    [/cookies/, { received: [request('{}')] }, /cookie/],
    [/denied answer, whole/, { status: 446, body: TOKEN }, /refusal repeats/],
    [/two chunks/, { body: piece(TOKEN.slice(0, 20)) + piece(TOKEN.slice(20)) }, /token got out/],
    [/one character/, { body: TOKEN.slice(0, 15).split('').map(piece).join('') }, /a part/],
    [/comes whole/, { body: piece('a good day') }, /not whole/],
    [/hangs up/, { leftMs: undefined }, /went on/],
    [/says nothing/, { isOver: false, ms: 6_000 }, /open after 6.0 s/],
  ]
  for (const [name, seen, harm] of cases) {
    const one = attacks.find((candidate) => name.test(candidate.name))
    assert.ok(one !== undefined, String(name))
    assert.match(one.harm({ ...NOTHING, ...seen }) ?? '', harm, one.name)
  }
  const good = { ...NOTHING, body: `${piece('a good day to you')}data: [DONE]\n\n` }
  for (const { name, harm } of attacks) assert.equal(harm(good), undefined, name)
  assert.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length)
})
