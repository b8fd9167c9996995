import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { withFileFaults } from './file_faults.ts'

const THROWN: readonly (readonly [why: string, thrown: Error, says: RegExp | undefined])[] = [
  ['a full disk', Object.assign(new Error('x'), { code: 'ENOSPC', path: '/mnt/a' }), /^\/mnt\/a: ENOSPC\.$/],
  ['no place is known', Object.assign(new Error('x'), { code: 'EIO' }), /^the disk: EIO\.$/],
  ['a fault of ours', new Fault('backup.key'), undefined],
  ['a mistake of ours', new TypeError('x'), undefined],
]
for (const [why, thrown, says] of THROWN)
  test(`withFileFaults tells what the file system refused, and where: ${why}`, async () => {
    await assert.rejects(
      withFileFaults(async () => Promise.reject(thrown)),
      (told: unknown) => {
        if (says === undefined) return told === thrown
        return told instanceof Fault && told.code === 'copy.failed' && says.test(told.say ?? '')
      },
    )
  })

test('withFileFaults gives what the work gives', async () => {
  assert.equal(await withFileFaults(async () => Promise.resolve(5)), 5)
})
