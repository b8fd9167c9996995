import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlaceholder, urlPasswords } from './url_passwords.ts'

const FOUND: readonly (readonly [why: string, text: string, passwords: readonly string[]])[] = [
  ['nothing', 'no URL here', []],
  ['one URL', 'a://b:cdef@h', ['cdef']],
  ['two URLs with a space between', 'a://b:cdef@h a://b:ghij@h', ['cdef', 'ghij']],
  ['two URLs with a comma between', 'a://b:cdef@h,a://b:ghij@h', ['cdef', 'ghij']],
  ['the one behind many without', `${'http://host,'.repeat(600)}a://b:cdef@h`, ['cdef']],
  ['the one behind many with a placeholder', `${'a://user:pass@h '.repeat(600)}a://b:cdef@h`, ['cdef']],
  ['passwords that overlap, as one', 'a://b:c/d@e://f:ghij@k', ['c/d@e://f:ghij']],
  ['a password at the end of what is looked at', `a://b:${'cde'.repeat(169)}@h`, ['cde'.repeat(169)]],
  ['a password beyond what is looked at', `a://b:${'cde'.repeat(170)}@h`, []],
  ['a sign before the colon alone', 'a://b@h:cdef/x', []],
  ['a colon behind the end', 'a://b c:defg@h', []],
]

for (const [why, text, passwords] of FOUND) {
  test(`urlPasswords finds: ${why}`, () => {
    assert.deepEqual(
      urlPasswords(text).map(([start, end]) => text.slice(start, end)),
      passwords,
    )
  })
}

test('isPlaceholder knows what manuals write', () => {
  for (const text of ['', 'ab', 'password', 'TOKEN', '${PW}', '<pw>', 'xxxx', '...', 'abababab'])
    assert.ok(isPlaceholder(text), text)
  for (const text of ['abc', 'passwords', 'ab$']) assert.ok(!isPlaceholder(text), text)
})
