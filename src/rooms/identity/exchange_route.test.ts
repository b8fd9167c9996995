import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import type { Credential, Possession } from '#trust/access/caller.ts'
import { NO_POSSESSION } from '#door/route.ts'
import { credentialInForm } from './exchange_request.ts'
import { noExchangeRoute } from './exchange_route.ts'

test('noExchangeRoute says that it is off, and takes no credential from a body', () => {
  const route = noExchangeRoute()
  assert.equal(route.credentialIn, undefined)
  assert.throws(() => route.parse({ params: {}, query: [], body: new Uint8Array(0) }), {
    code: 'exchange.off',
  })
})

const CERTIFICATE = { thumbprint: 't', subject: '', uris: [], dnsNames: [], emails: [], notAfter: 0 }
const PROOF = { jwt: new Sealed('p'), method: 'POST', url: '' }

function print(credential: Credential): string {
  if (credential.kind === 'subject') return `subject ${credential.token.open((text) => text)}`
  if (credential.kind !== 'presented') return credential.kind
  const tokens = credential.tokens.map(({ token, owner }) => `${String(owner)}:${token.open((text) => text)}`)
  return [...tokens, ...(credential.certificate === undefined ? [] : ['certificate'])].join(' ')
}

test('credentialInForm finds the one credential of a form: that of the client, of the actor, or the subject', () => {
  const certified: Possession = { proof: undefined, certificate: CERTIFICATE }
  const cases: readonly (readonly [form: string, shown: Possession, expected: string])[] = [
    ['', NO_POSSESSION, 'none'],
    ['subject_token=s', NO_POSSESSION, 'subject s'],
    ['subject_token=s&actor_token=a', NO_POSSESSION, 'subject a'],
    ['subject_token=s&client_id=ci', NO_POSSESSION, 'subject s'],
    ['subject_token=s&client_id=ci&client_secret=k', NO_POSSESSION, 'ci:k'],
    ['subject_token=s&client_id=ci', certified, 'certificate'],
    ['subject_token=s', certified, 'subject s'],
    ['subject_token=s&client_id=ci&client_secret=k', certified, 'ci:k certificate'],
  ]
  for (const [form, shown, expected] of cases)
    assert.equal(print(credentialInForm(Buffer.from(form), shown)), expected, form)
  const bound = credentialInForm(Buffer.from('subject_token=s'), { proof: PROOF, certificate: CERTIFICATE })
  assert.ok(bound.kind === 'subject')
  assert.deepEqual([bound.proof, bound.certificate], [PROOF, CERTIFICATE])
  for (const form of ['client_secret=k', 'subject_token=a&subject_token=b', 'client_id=a&client_id=a', 'a=%'])
    assert.throws(() => credentialInForm(Buffer.from(form), NO_POSSESSION), { code: 'input.invalid' }, form)
})
