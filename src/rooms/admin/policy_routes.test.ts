import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import { openPolicies, type PolicyKeeper } from '#trust/access/policy_set.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { AdminBench, ENTRY_ID, faultCode } from '../../../test/support/admin_bench.ts'
import { PolicyAnswer, PolicyApplyAnswer, PolicyCheckAnswer } from './answers.ts'
import { applyPolicyRoute, checkPolicyRoute, showPolicyRoute } from './policy_routes.ts'

const OPERATOR = `@id("operator") permit (principal == System::"operator", action, resource);`
const MORE = `${OPERATOR}
@id("more") permit (principal is Service, action == Action::"model:infer", resource is Model);`
const BROKEN = 'permit (principal, action'
const LOCKING = '@id("nobody") permit (principal == Service::"x", action == Action::"model:infer", resource);'

interface Scene {
  readonly bench: AdminBench
  readonly policies: PolicyKeeper
  readonly parts: { readonly policies: PolicyKeeper; readonly changes: AdminBench['changes'] }
  readonly write: (text: string) => void
}

async function scene(t: TestContext): Promise<Scene> {
  const home = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const directory = join(home, 'policies')
  await mkdir(directory)
  const write = (text: string) => writeFileSync(join(directory, 'set.cedar'), text)
  write(OPERATOR)
  const stateDirectory = join(home, 'policy')
  const policies = await openPolicies({
    directory,
    stateDirectory,
    engine: cedarEngine,
    schema: SCHEMA,
    files: NODE_FILES,
  })
  if (policies.starting !== undefined) await policies.swap(policies.starting)
  const bench = new AdminBench(t)
  return { bench, policies, parts: { policies, changes: bench.changes }, write }
}

test('applyPolicyRoute puts the files in force, recorded before with both hashes', async (t) => {
  const { bench, policies, parts, write } = await scene(t)
  const before = policies.status().set
  write(MORE)
  const answer = PolicyApplyAnswer.parse((await bench.send(applyPolicyRoute(parts))).body)
  assert.deepEqual([answer.before, answer.after, answer.files], [before, policies.status().set, 1])
  const [change] = bench.recorder.entries
  assert.deepEqual([change?.kind, change?.id], ['change', ENTRY_ID])
  assert.deepEqual(change?.fields, { what: 'policy:change', before, after: answer.after, files: 1 })
})

const BAD: readonly (readonly [why: string, text: string, code: string])[] = [
  ['it does not parse', BROKEN, 'policy.invalid'],
  ['the operator could not come back', LOCKING, 'policy.locking'],
]
for (const [why, text, code] of BAD) {
  test(`applyPolicyRoute changes and records nothing: ${why}`, async (t) => {
    const { bench, policies, parts, write } = await scene(t)
    const before = policies.status().set
    write(text)
    assert.equal(await faultCode(() => bench.send(applyPolicyRoute(parts))), code)
    assert.equal(policies.status().set, before)
    assert.deepEqual(bench.recorder.entries, [])
    const shown = PolicyAnswer.parse((await bench.send(showPolicyRoute(parts))).body)
    assert.deepEqual([shown.state, shown.set, shown.problems.length], ['degraded', before, 1])
  })
}

test('applyPolicyRoute keeps the set in force: the ledger cannot record', async (t) => {
  const { bench, policies, parts, write } = await scene(t)
  const before = policies.status().set
  write(MORE)
  bench.recorder.isWritable = false
  assert.equal(await faultCode(() => bench.send(applyPolicyRoute(parts))), 'ledger.unwritable')
  assert.equal(policies.status().set, before)
})

test('checkPolicyRoute says what is wrong and where, and changes nothing', async (t) => {
  const { bench, policies, parts, write } = await scene(t)
  const before = policies.status()
  write(BROKEN)
  const answer = PolicyCheckAnswer.parse((await bench.send(checkPolicyRoute(parts))).body)
  assert.deepEqual([answer.valid, answer.set, answer.problems[0]?.file], [false, null, 'set.cedar'])
  assert.deepEqual(policies.status(), before)
})

test('checkPolicyRoute lists the policies of a good set', async (t) => {
  const { bench, parts, write } = await scene(t)
  write(MORE)
  const answer = PolicyCheckAnswer.parse((await bench.send(checkPolicyRoute(parts))).body)
  assert.deepEqual([answer.valid, answer.policies], [true, ['operator', 'more']])
})

test('showPolicyRoute shows the set in force', async (t) => {
  const { bench, policies, parts } = await scene(t)
  const shown = PolicyAnswer.parse((await bench.send(showPolicyRoute(parts))).body)
  assert.deepEqual([shown.state, shown.set], ['good', policies.status().set])
  assert.deepEqual(
    shown.files.map(({ name }) => name),
    ['set.cedar'],
  )
})
