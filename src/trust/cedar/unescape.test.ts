import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SyntaxProblem } from './syntax_problem.ts'
import { unescapePattern, unescapeString } from './unescape.ts'

/** Where the problem is, counted from the opening quote at 0. */
function refusedAt(run: () => unknown): number | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.at
    throw error
  }
}

suite('unescape', () => {
  test('unescapeString reads the escapes of Cedar', () => {
    const rows: readonly (readonly [raw: string, text: string])[] = [
      ['', ''],
      ['plain *', 'plain *'],
      [String.raw`\n\r\t\0\\\'\"`, '\n\r\t\0\\\'"'],
      [String.raw`a\x41b\x7fc`, 'aAb\x7fc'],
      [String.raw`\u{0}\u{41}\u{000041}\u{0_0_41}`, '\0AAA'],
      [String.raw`\u{d7ff}\u{e000}\u{10ffff}`, '\u{d7ff}\u{e000}\u{10ffff}'],
      [String.raw`\u{1F600}`, '😀'],
      ['line\nend', 'line\nend'],
    ]
    for (const [raw, text] of rows) assert.equal(unescapeString(raw, 0), text, raw)
  })

  test('unescapeString refuses all others, at their place', () => {
    const escapes = [
      '\\a',
      '\\*',
      '\\x80',
      '\\x4',
      '\\xg0',
      '\\u41',
      '\\u{}',
      '\\u{_1}',
      '\\u{d800}',
      '\\u{dfff}',
    ]
    const more = ['\\u{110000}', '\\u{0000041}', '\\u{41', '\\u{g}', '\\N', '\r']
    for (const raw of [...escapes, ...more])
      assert.equal(
        refusedAt(() => unescapeString(`ab${raw}`, 0)),
        3,
        raw,
      )
    assert.equal(
      refusedAt(() => unescapeString('a\\q', 100)),
      102,
    )
  })

  test('unescapePattern tells wildcards from stars: no other escape is one', () => {
    const rows: readonly (readonly [raw: string, pattern: readonly string[]])[] = [
      ['', ['']],
      ['abc', ['abc']],
      ['*', ['', '']],
      ['a*b**c', ['a', 'b', '', 'c']],
      [String.raw`a\*b`, ['a*b']],
      [String.raw`\**\*`, ['*', '*']],
      [String.raw`a\nb\x41\u{42}`, ['a\nbAB']],
      [String.raw`a\\*b`, ['a\\', 'b']],
      // The reference looks at the character, however it was written.
      [String.raw`a\u{2a}b\x2ac`, ['a', 'b', 'c']],
    ]
    for (const [raw, pattern] of rows) assert.deepEqual(unescapePattern(raw, 0), pattern, raw)
  })
})
