import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findImports } from './imports.ts'

const CASES: readonly (readonly [why: string, source: string, expected: readonly string[]])[] = [
  ['named', `import { a, type B } from './a.ts'`, ['value ./a.ts']],
  ['default and star', `import d, * as all from "x"`, ['value x']],
  ['over lines', `import {\n  a,\n  b as c,\n} from './a.ts'\nlet x = 1`, ['value ./a.ts']],
  ['for effect', `import './effect.ts'`, ['value ./effect.ts']],
  ['type', `import type { A } from './a.ts'`, ['type ./a.ts']],
  ['a default export named type', `import type from './a.ts'`, ['value ./a.ts']],
  [
    'a binding named from',
    `import { from } from './a.ts'; import from from './b.ts'`,
    ['value ./a.ts', 'value ./b.ts'],
  ],
  ['a string name', `import { 'a-b' as c } from './a.ts'`, ['value ./a.ts']],
  ['attributes', `import data from './a.json' with { type: 'json' }`, ['value ./a.json']],
  ['export from', `export { a } from './a.ts'; export * from './b.ts'`, ['value ./a.ts', 'value ./b.ts']],
  [
    'export type from',
    `export type { A } from './a.ts'; export type * from './b.ts'`,
    ['type ./a.ts', 'type ./b.ts'],
  ],
  ['export without from', `export { a }\nconst from = 'x'\nexport const b = { from: 'y' }`, []],
  ['export type alias', `export type A = { from: 'x' }`, []],
  ['dynamic', `const a = await import('./a.ts')`, ['dynamic ./a.ts']],
  ['dynamic with a plain template', 'await import(`./a.ts`)', ['dynamic ./a.ts']],
  ['dynamic, spread', `f(...import('./a.ts'))`, ['dynamic ./a.ts']],
  ['dynamic over a comment', `import(/* why */ './a.ts')`, ['dynamic ./a.ts']],
  ['type position', `let a: import('./a.ts').A`, ['dynamic ./a.ts']],
  ['computed', `import('./' + name)`, ['computed import()']],
  ['computed by template', 'import(`./${name}.ts`)', ['computed import()']],
  ['inside a substitution', "const a = `x ${await import('./a.ts')} y`", ['dynamic ./a.ts']],
  ['inside nested templates', "const a = `x ${`${import('./a.ts')}`} import('./no.ts')`", ['dynamic ./a.ts']],
  ['worker', `new Worker(new URL('./w.ts', import.meta.url))`, ['worker ./w.ts']],
  ['worker without a dot', `new Worker(new URL('w.ts', import.meta.url))`, ['worker ./w.ts']],
  ['another URL', `new URL('./w.ts', base)`, []],
  ['require', `const a = require('x')`, ['require require']],
  [
    'made require',
    `import { createRequire } from 'node:module'`,
    ['value node:module', 'require createRequire'],
  ],
  ['built-in by name', `process.getBuiltinModule('fs')`, ['require getBuiltinModule']],
  ['import equals', `import fs = require('fs')`, ['require import =', 'require require']],
  ['meta', `import.meta.dirname`, []],
  ['a member named import', `a.import('./a.ts'); const b = { import: 'x', export: 'y' }`, []],
  ['line comment', `// import './a.ts'\n`, []],
  ['block comment', `/* import './a.ts'\n export * from './b.ts' */`, []],
  ['string', `const a = "import './a.ts'"`, []],
  ['template', "const a = `import './a.ts'`", []],
  ['regular expression with a quote', `const a = /['"]/; import './a.ts'`, ['value ./a.ts']],
  [
    'regular expression with a slash in a class',
    `const a = /[/'"]/.test(x)\nimport './a.ts'`,
    ['value ./a.ts'],
  ],
  ['regular expression after a condition', `if (x) /'/.test(y)\nimport './a.ts'`, ['value ./a.ts']],
  ['division', `const a = b / c; const d = "/"; import './a.ts'`, ['value ./a.ts']],
  ['division after brackets', `const a = f(1) / 2 + x[0] / 3 // '\nimport './a.ts'`, ['value ./a.ts']],
  ['escaped quote', `const a = 'it\\'s'; import './a.ts'`, ['value ./a.ts']],
  ['hash-bang', `#!/usr/bin/env node'\nimport './a.ts'`, ['value ./a.ts']],
  ['escaped specifier', `import '.\\/a.ts'`, ['value ./a.ts']],
]

test('findImports finds every form and nothing else', async (t) => {
  for (const [why, source, expected] of CASES) {
    await t.test(why, () => {
      const found = findImports(source).map(({ kind, specifier }) => `${kind} ${specifier}`)
      assert.deepEqual(found, expected)
    })
  }
})

test('findImports says the line', () => {
  assert.equal(findImports(`\n\nconst a = 1\nimport './a.ts'`)[0]?.line, 4)
})
