import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deceptionsIn } from './deceptive_text.ts'

const scope = (id: string): string => `forbid (principal == Service::"${id}", action, resource);`

const PLAIN: readonly [why: string, text: string][] = [
  ['ASCII', scope('batch')],
  ['words of one script each', scope('Привет πρόγραμμα hello')],
  ['Latin beside a script without look-alikes', scope('東京tower')],
  ['accents', scope('café naïve Ångström')],
  ['mixed letters in a comment', `// раypal\n${scope('a')}`],
  ['letters that are written as escapes', scope('\\u{440}\\u{430}ypal')],
]

for (const [why, text] of PLAIN)
  test(`deceptionsIn finds nothing: ${why}`, () => {
    assert.deepEqual(deceptionsIn(text), [])
  })

const DECEPTIVE: readonly [why: string, text: string, places: readonly number[]][] = [
  ['Cyrillic letters in a Latin word', scope('раypal'), [30]],
  ['a Greek letter in a Latin word', scope('αlpha'), [30]],
  ['a Cherokee letter in a Latin word', scope('ᎪBC'), [30]],
  ['a mark of direction in a string', scope('a\u202eb'), [32]],
  ['marks of direction in a comment', '// \u2066x\u2069\npermit (principal, action, resource);', [3, 5]],
]

for (const [why, text, places] of DECEPTIVE)
  test(`deceptionsIn finds its place: ${why}`, () => {
    assert.deepEqual(
      deceptionsIn(text).map(({ at }) => at),
      places,
    )
  })
