import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminBench } from '../../../../test/support/admin_bench.ts'
import { certificateCallers } from './certificate_callers.ts'

const CERTIFICATE = { thumbprint: 't', subject: '', uris: [], dnsNames: [], emails: [], notAfter: 0 }

test('certificateCallers gives callers of the directory as they are at each look', (t) => {
  const { directory } = new AdminBench(t)
  const named = certificateCallers(directory)
  assert.throws(() => named('ci', CERTIFICATE), { detail: { reason: 'certificate.unmapped' } })
  const ci = directory.createCaller({ name: 'ci', kind: 'Service', createdBy: '' }).make()
  const { caller, recheck } = named('ci', CERTIFICATE)
  assert.deepEqual(caller.ref, { type: 'Service', id: 'ci' })
  assert.deepEqual([caller.assurance.via, caller.assurance.binding], ['certificate', 'mtls'])
  assert.deepEqual(caller.evidence, { via: 'certificate', certificate: 't' })
  assert.equal(recheck(), caller, 'the same while nothing changes')
  directory.giveRole(ci, 'lead').make()
  const changed = recheck()
  assert.notEqual(changed, caller)
  assert.ok(changed.entities.some(({ ref }) => ref.type === 'Role'))
  directory.setActive(ci, false).make()
  assert.throws(() => recheck(), { detail: { reason: 'caller.disabled' } })
  directory.deleteCaller(ci).make()
  assert.throws(() => recheck(), { detail: { reason: 'certificate.unmapped' } })
})
