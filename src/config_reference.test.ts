import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { configReference } from './config_reference.ts'

const FILE = new URL('../docs/reference/configuration.md', import.meta.url)

test('configReference is what docs/reference/configuration.md says: written anew with GATEHOUSE_WRITE_DOCS=1', () => {
  if (process.env['GATEHOUSE_WRITE_DOCS'] === '1') writeFileSync(FILE, configReference())
  assert.equal(readFileSync(FILE, 'utf8'), configReference())
})

test('configReference gives every field its reason: an unexplained setting is not ready', () => {
  const rows = configReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  assert.ok(rows.length > 30)
  for (const row of rows) {
    const why = row.split('|').at(-2)?.trim() ?? ''
    assert.ok(why !== '' || /\.provider`/.test(row), row)
  }
})
