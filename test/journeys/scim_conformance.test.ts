import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/gatehouse_process.ts'
import { journey } from '../support/journey.ts'

/** A Python that has scim2-tester and httpx2; GATEHOUSE_PYTHON names another one. */
const PYTHON = process.env['GATEHOUSE_PYTHON'] ?? 'python3'
const NEEDED = 'import scim2_tester, scim2_client.engines.httpx2'
const IS_THERE = spawnSync(PYTHON, ['-c', NEEDED]).status === 0
const WHY_NOT = 'Python has no scim2-tester: pip install scim2-tester httpx2, and name it by GATEHOUSE_PYTHON'

/** Removing `active` would have to mean something; an omission lets nobody in, so it is refused. */
const DEVIATIONS = [/^check_remove_attribute: Failed to remove attribute 'active'/]

test(
  'scim2-tester finds nothing but what is meant to be so',
  { skip: IS_THERE ? false : WHY_NOT },
  async () => {
    await journey(async ({ json }) => {
      const made = await json('scim', 'token')
      const script = path.join(ROOT, 'test/support/check_scim.py')
      const args = [script, String(made['base_url']), String(made['key'])]
      const { stdout, stderr } = spawnSync(PYTHON, args, { encoding: 'utf8' })
      const found = JSON.parse(stdout || `{"failed":[${JSON.stringify(stderr)}]}`) as {
        checks: number
        failed: string[]
      }
      const failed = found.failed.filter((each) => !DEVIATIONS.some((meant) => meant.test(each)))
      assert.deepEqual(failed, [])
      assert.ok(found.checks > 100, `${found.checks} checks`)
    })
  },
)
