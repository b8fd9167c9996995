import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from '#faces/cli/commands/all.ts'
import { ROOT } from '../support/gatehouse_process.ts'
import { checksTable, commandsPage, faultsPage } from './generated.ts'

/** With GATEHOUSE_WRITE_DOCS set the pages are written instead of compared. */
const WRITES = (process.env['GATEHOUSE_WRITE_DOCS'] ?? '') !== ''

const PAGES: readonly (readonly [file: string, page: () => string])[] = [
  ['docs/reference/faults.md', faultsPage],
  ['docs/reference/commands.md', () => commandsPage(COMMANDS)],
]

for (const [file, page] of PAGES) {
  test(`${file} says what the source says`, () => {
    const path = join(ROOT, file)
    if (WRITES) writeFileSync(path, page())
    assert.equal(readFileSync(path, 'utf8'), page(), 'run: GATEHOUSE_WRITE_DOCS=1 npm test -- generated')
  })
}

/** Pages that hold a part of the source among text of their own. */
const PARTS: readonly (readonly [file: string, part: () => string])[] = [
  ['docs/how-to/read-doctor.md', checksTable],
  [
    'docs/reference/policy-schema.md',
    () => readFileSync(join(ROOT, 'policies/gatehouse.cedarschema'), 'utf8'),
  ],
]

for (const [file, part] of PARTS) {
  test(`${file} holds what the source says`, () => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    assert.ok(text.includes(part()), `it should hold:\n${part()}`)
  })
}
