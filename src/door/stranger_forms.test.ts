import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StrangerForms } from './stranger_forms.ts'

const LIMITS = { forms: 3, formsPerBlock: 2, formBytes: 100 }

test('StrangerForms takes so many forms at once, and so many of one source block', () => {
  const forms = new StrangerForms(LIMITS)
  const first = forms.open('192.0.2.1')
  forms.open('192.0.2.2')
  assert.throws(() => forms.open('192.0.2.3'), { code: 'load.exceeded' })
  forms.open('198.51.100.1')
  assert.throws(() => forms.open('203.0.113.1'), { code: 'load.exceeded', retryAfterSeconds: 1 })
  first.release()
  forms.open('192.0.2.3')
  assert.equal(forms.count, 3)
})

test('StrangerForms gives each form a few bytes, in pieces or at once', () => {
  const forms = new StrangerForms(LIMITS)
  const memory = forms.open('192.0.2.1')
  assert.equal(memory.caller, undefined)
  memory.claim(60)
  memory.claim(40)
  assert.throws(() => memory.claim(1), { code: 'input.too_large' })
  memory.release()
  assert.throws(() => forms.open('192.0.2.1').claim(101), { code: 'input.too_large' })
})

test('StrangerForms forgets blocks that have no forms', () => {
  const forms = new StrangerForms(LIMITS)
  for (let block = 0; block < 1_000; block++) forms.open(`10.0.${String(block % 256)}.1`).release()
  assert.equal(forms.count, 0)
})
