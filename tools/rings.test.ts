import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { checkRings, type Problem } from './rings.ts'
import type { Rules } from './rings_rules.ts'

type Tree = Readonly<Record<string, string>>

const RULES: Rules = {
  rings: ['base', 'trust', 'faces'],
  folders: {
    '.': { from: [] },
    base: { from: [] },
    'trust/access': { from: ['base', 'trust/access/providers/all.ts'] },
    'trust/access/providers': { from: ['base/clock.ts', 'trust/access/provider.ts'], alone: true },
    'trust/ledger': { from: ['base'] },
    faces: { from: ['base', 'trust'] },
  },
  reserved: { 'main.ts': { importers: [], reason: 'test' } },
  dynamic: ['faces'],
  testHelpers: ['test/support'],
  packages: { zod: { places: ['faces'], reason: 'test' } },
  builtIns: {
    'node:fs': { places: ['base/files.ts'], reason: 'test' },
    'node:path': { places: 'anywhere', reason: 'test' },
  },
  alone: { verifier: { builtIns: ['node:fs'], reason: 'test' } },
}

const GOOD: Tree = {
  'package.json': '{"dependencies":{"zod":"1"},"devDependencies":{"fast-check":"1"}}',
  'src/main.ts': `import '#faces/run.ts'\nimport './settings.ts'`,
  'src/settings.ts': '',
  'src/base/clock.ts': '',
  'src/base/files.ts': `import fs from 'node:fs'`,
  'src/trust/access/access.ts': `import { all } from './providers/all.ts'`,
  'src/trust/access/provider.ts': `import type { A } from '#base/clock.ts'\nimport path from 'node:path'`,
  'src/trust/access/providers/all.ts': `import './key.ts'`,
  'src/trust/access/providers/key.ts': `import '../provider.ts'\nimport '#base/clock.ts'`,
  'src/trust/ledger/ledger.ts': `import '#base/files.ts'\nnew URL('../../../README.md', import.meta.url)`,
  'src/trust/ledger/ledger.test.ts': `import './ledger.ts'\nimport '../../../test/support/disk.ts'\nimport 'fast-check'`,
  'src/faces/run.ts': `import 'zod'\nimport '#trust/access/access.ts'\nawait import('#trust/ledger/ledger.ts')`,
  'test/support/disk.ts': '',
  'verifier/verify.mjs': `import fs from 'node:fs'`,
  'verifier/README.md': 'import x',
}

function check(changes: Tree, rules: Rules = RULES): Problem[] {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rings-'))
  try {
    for (const [file, text] of Object.entries({ ...GOOD, ...changes })) {
      fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
      fs.writeFileSync(path.join(root, file), text)
    }
    return checkRings(root, rules)
  } finally {
    fs.rmSync(root, { recursive: true })
  }
}

const BAD: readonly (readonly [rule: Problem['rule'], why: string, changes: Tree])[] = [
  ['upward', 'a lower ring imports a higher one', { 'src/base/clock.ts': `import '#faces/run.ts'` }],
  ['upward', 'only as a type', { 'src/base/clock.ts': `import type { A } from '#faces/run.ts'` }],
  ['upward', 'by a relative path', { 'src/base/clock.ts': `export * from '../faces/run.ts'` }],
  ['upward', 'in a test', { 'src/base/clock.test.ts': `import '#faces/run.ts'` }],
  ['upward', 'as a worker', { 'src/base/clock.ts': `new URL('../faces/run.ts', import.meta.url)` }],
  ['sibling', 'a room imports another', { 'src/trust/ledger/ledger.ts': `import '#trust/access/access.ts'` }],
  ['sibling', 'in a test', { 'src/trust/ledger/ledger.test.ts': `import '#trust/access/access.ts'` }],
  [
    'sibling',
    'into its plug-ins',
    { 'src/trust/ledger/ledger.ts': `import '#trust/access/providers/all.ts'` },
  ],
  [
    'narrow',
    'a lower file that is not listed',
    { 'src/trust/access/providers/key.ts': `import '#base/files.ts'` },
  ],
  ['narrow', 'a plug-in beside the list', { 'src/trust/access/access.ts': `import './providers/key.ts'` }],
  [
    'alone',
    'a plug-in imports another',
    {
      'src/trust/access/providers/oidc.ts': '',
      'src/trust/access/providers/key.ts': `import './oidc.ts'`,
    },
  ],
  [
    'cycle',
    'of two files',
    { 'src/base/clock.ts': `import './files.ts'`, 'src/base/files.ts': `import './clock.ts'` },
  ],
  [
    'cycle',
    'of three, one step only a type',
    {
      'src/base/clock.ts': `import './a.ts'`,
      'src/base/a.ts': `import type { B } from './b.ts'`,
      'src/base/b.ts': `export { c } from './clock.ts'`,
    },
  ],
  ['cycle', 'a file with itself', { 'src/base/clock.ts': `import './clock.ts'` }],
  ['folder without a rule', 'a new room', { 'src/trust/vault/key.ts': '' }],
  ['folder without a rule', 'a new folder in a room', { 'src/trust/ledger/tiles/tile.ts': '' }],
  ['package not listed', 'in no list', { 'src/faces/run.ts': `import 'left-pad'\nimport 'zod'` }],
  ['package not listed', 'listed for another ring', { 'src/base/clock.ts': `import { z } from 'zod/v4'` }],
  [
    'package not listed',
    'a development package outside tests',
    { 'src/base/clock.ts': `import 'fast-check'` },
  ],
  ['package not used', 'nobody imports it', { 'src/faces/run.ts': '' }],
  ['package not used', 'a restricted built-in nobody needs', { 'src/base/files.ts': '' }],
  ['package not used', 'not installed any more', { 'package.json': '{}' }],
  [
    'dependency not listed',
    'installed for running',
    { 'package.json': '{"dependencies":{"zod":"1","ms":"1"}}' },
  ],
  ['built-in', 'outside its places', { 'src/base/clock.ts': `import { readFileSync } from 'node:fs'` }],
  ['built-in', 'its promises', { 'src/base/clock.ts': `import { readFile } from 'node:fs/promises'` }],
  ['built-in', 'in no list', { 'src/base/clock.ts': `import vm from 'node:vm'` }],
  ['package not listed', 'a built-in without its prefix', { 'src/base/clock.ts': `import fs from 'fs'` }],
  [
    'not alone',
    'a line of Gatehouse',
    { 'verifier/verify.mjs': `import fs from 'node:fs'\nimport '../src/main.ts'` },
  ],
  ['not alone', 'a package', { 'verifier/verify.mjs': `import fs from 'node:fs'\nimport 'zod'` }],
  ['not alone', 'another built-in', { 'verifier/verify.mjs': `import fs from 'node:fs'\nimport 'node:net'` }],
  ['not alone', 'later on', { 'verifier/verify.mjs': `import fs from 'node:fs'\nawait import('node:fs')` }],
  ['package not used', 'a built-in that is listed for it', { 'verifier/verify.mjs': '' }],
  ['reserved', 'main is imported', { 'src/faces/run.ts': `import 'zod'\nimport '../main.ts'` }],
  [
    'reserved',
    'the configuration is imported',
    { 'src/config.ts': '', 'src/base/clock.ts': `import '../config.ts'` },
  ],
  [
    'reserved',
    'only as a type, in a test',
    { 'src/base/clock.test.ts': `import type { A } from '#main.ts'` },
  ],
  ['reserved', 'main by another file of src', { 'src/config.ts': `import './main.ts'` }],
  ['dynamic', 'outside its places', { 'src/base/clock.ts': `const a = await import('./files.ts')` }],
  ['around', 'a computed import', { 'src/faces/run.ts': `import 'zod'\nawait import(name)` }],
  ['around', 'require', { 'src/base/clock.ts': `const fs = process.getBuiltinModule('node:fs')` }],
  ['missing', 'the file is not there', { 'src/base/clock.ts': `import './gone.ts'` }],
  ['outside', 'beyond src', { 'src/base/clock.ts': `import '../../test/support/disk.ts'` }],
  ['outside', 'a test beyond its helpers', { 'src/base/clock.test.ts': `import '../../tools/rings.ts'` }],
  ['outside', 'source imports a test', { 'src/trust/ledger/ledger.ts': `import './ledger.test.ts'` }],
]

test('checkRings passes: a tree that keeps every rule', () => {
  assert.deepEqual(check({}), [])
})

test('checkRings fails: one bad tree per rule', async (t) => {
  for (const [rule, why, changes] of BAD) {
    await t.test(`${rule}: ${why}`, () => {
      const found = check(changes)
      assert.ok(
        found.some((problem) => problem.rule === rule),
        JSON.stringify(found),
      )
    })
  }
})

test('checkRings fails: a rule that matches nothing or allows what the rings forbid', async (t) => {
  const folders = (changes: Rules['folders']): Rules => ({
    ...RULES,
    folders: { ...RULES.folders, ...changes },
  })
  const cases: readonly (readonly [rule: Problem['rule'], why: string, rules: Rules])[] = [
    ['rule without a folder', 'its folder is gone', folders({ 'trust/vault': { from: [] } })],
    [
      'rule without a folder',
      'it lists a file that is gone',
      folders({ 'trust/ledger': { from: ['base/gone.ts'] } }),
    ],
    [
      'rule without a folder',
      'a reserved file is gone',
      { ...RULES, reserved: { 'x.ts': { importers: [], reason: '' } } },
    ],
    ['rule without a folder', 'a place of import() is gone', { ...RULES, dynamic: ['faces', 'cli'] }],
    ['upward', 'it lists a higher ring', folders({ base: { from: ['trust'] } })],
    [
      'sibling',
      'it lists a sibling',
      folders({ 'trust/ledger': { from: ['base', 'trust/access/access.ts'] } }),
    ],
    ['sibling', 'it lists its whole ring', folders({ 'trust/ledger': { from: ['base', 'trust'] } })],
  ]
  for (const [rule, why, rules] of cases) {
    await t.test(`${rule}: ${why}`, () => {
      const found = check({}, rules)
      assert.ok(
        found.some((problem) => problem.rule === rule),
        JSON.stringify(found),
      )
    })
  }
})
