import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from '#faces/cli/commands/all.ts'
import { noExchangeRoute } from '../../src/rooms/identity/exchange_route.ts'
import { allRoutes } from '../../src/main_routes.ts'
import { ROOT } from '../support/gatehouse_process.ts'
import { checksTable, commandsPage, faultsPage, refusalReasonsPage } from './generated.ts'

/** With GATEHOUSE_WRITE_DOCS set the pages are written instead of compared. */
const WRITES = (process.env['GATEHOUSE_WRITE_DOCS'] ?? '') !== ''

const PAGES: readonly (readonly [file: string, page: () => string])[] = [
  ['docs/reference/faults.md', faultsPage],
  ['docs/reference/refusal-reasons.md', refusalReasonsPage],
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

test('docs/reference/routes.md lists every route with its action, and no other', () => {
  const stub = {} as never
  const config = { identity: { scim: {} } }
  const home = { config, callers: stub, keys: stub, ledger: stub, policies: stub, directory: '/' } as never
  const shared = {
    home,
    door: stub,
    clock: stub,
    catalogue: stub,
    limits: stub,
    health: stub,
    held: stub,
    logs: stub,
  }
  const routes = allRoutes({ ...shared, exchange: noExchangeRoute })
  const wanted = routes.map(({ method, path, action }) => `| \`${method} ${path}\` | \`${action}\` |`)
  const text = readFileSync(join(ROOT, 'docs/reference/routes.md'), 'utf8')
  const listed = [...text.matchAll(/^\| `(?:GET|POST|PUT|PATCH|DELETE) \/\S+` \| `\w+:[\w-]+` \|/gm)].map(
    ([row]) => row,
  )
  assert.deepEqual(listed.sort(), wanted.sort())
})
