import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readForm } from './read_form.ts'

function read(text: string): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(readForm(Buffer.from(text, 'latin1')))
}

test('readForm reads names and values, in order, without those that are empty', () => {
  const cases: readonly (readonly [text: string, form: object])[] = [
    ['', {}],
    ['a=1', { a: ['1'] }],
    ['a=1&b=2&a=3', { a: ['1', '3'], b: ['2'] }],
    ['a=1+2%2B3', { a: ['1 2+3'] }],
    ['%61=%C3%A9', { a: ['é'] }],
    ['a=b=c', { a: ['b=c'] }],
    ['a=&b&=x', { '': ['x'] }],
    ['__proto__=x&constructor=y', { ['__proto__']: ['x'], constructor: ['y'] }],
  ]
  for (const [text, form] of cases) assert.deepEqual(Object.entries(read(text)), Object.entries(form), text)
})

test('readForm refuses what two programs could read differently', () => {
  for (const text of [
    'a=%',
    'a=%zz',
    'a=%ff',
    'a=%C3',
    'a=%ED%A0%80',
    'a=\xe9',
    'a=b c',
    'a=b\n',
    'a=\0',
    '%=1',
  ])
    assert.throws(() => read(text), { code: 'input.invalid' }, JSON.stringify(text))
})

test('readForm reads so many fields and bytes', () => {
  assert.equal(
    Object.keys(read(Array.from({ length: 64 }, (_, at) => `a${String(at)}=x`).join('&'))).length,
    64,
  )
  assert.throws(() => read('&'.repeat(64)), { code: 'input.invalid' })
  assert.throws(() => read(`a=${'x'.repeat(32_767)}`), { code: 'input.too_large' })
})
