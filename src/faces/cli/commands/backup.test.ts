import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTemporary } from '#base/files.ts'
import { stateCopyFor } from './backup.ts'

test('stateCopyFor gives each folder a name of its own: two runs at once must not replace what the other one reads', () => {
  const names = ['/copies/a', '/copies/b', '/copies/a'].map(stateCopyFor)
  assert.notEqual(names[0], names[1])
  assert.equal(names[0], names[2], 'what a killed run has left is replaced')
  assert.ok(names.every(isTemporary), 'no backup holds it')
})
