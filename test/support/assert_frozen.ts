import assert from 'node:assert/strict'

/** Fails when anything in the value could still be changed. */
export function assertFrozen(value: unknown, path = 'the value'): void {
  if (typeof value !== 'object' || value === null) return
  assert.ok(Object.isFrozen(value), `${path} is not frozen`)
  for (const [name, inner] of Object.entries(value)) assertFrozen(inner, `${path}.${name}`)
}
