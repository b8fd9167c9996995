import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isQuick } from '../../test/support/is_quick.ts'
import { SampledSearch } from './sampled_search.ts'
import { withoutSpace } from './without_space.ts'

const SEED = 20_261_122
const FORM = 'A1b2C3d4-e5F6g7H8'
const search = new SampledSearch([Buffer.from(FORM)])
const mayHold = (text: string): boolean => search.mayHold(Buffer.from(text))
const parted = (between: string): string => Array.from(FORM).join(between)

const HELD: readonly (readonly [why: string, text: string])[] = [
  ['alone', FORM],
  ['in the middle', `some text before ${FORM} and behind`],
  ['at the end', `before ${FORM}`],
  ['parted by spaces', `x ${parted(' ')} y`],
  ['parted by escaped line ends', `x ${parted('\\r\\n')} y`],
  ['parted by line ends that are escaped twice', `x ${parted('\\\\\\\\n')} y`],
  ['parted by much white space', `x ${parted(' '.repeat(1_000))} y`],
]

for (const [why, text] of HELD) {
  test(`mayHold holds for a form: ${why}`, () => {
    assert.equal(mayHold(text), true)
  })
}

test('mayHold does not hold for most of what holds no form', () => {
  assert.equal(mayHold(''), false)
  assert.equal(new SampledSearch([]).mayHold(Buffer.from('any text')), false)
  assert.equal(mayHold('Nothing of the kind stands here:\n it is the \\"usual\\" text.'), false)
})

test(`mayHold is never false for bytes that hold a form without what parts it (seed ${SEED})`, () => {
  const letter = fc.constantFrom('a', 'b', 'n', 'r', '\\', '7', 'é')
  const form = fc
    .string({ unit: letter, minLength: 8, maxLength: 30 })
    .map((text) => withoutSpace(Buffer.from(text)))
    .filter(({ length }) => length >= 8)
  const piece = fc.oneof(
    letter,
    fc.constantFrom(' ', ':', '\\n', '\\\\r', '\\\\\\t', '\\\\', '\u0000', 'x'.repeat(9)),
  )
  const around = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
  const between = fc.array(fc.constantFrom('', '', '', ' ', ':', '\\n', '\\\\\\r'), {
    minLength: 60,
    maxLength: 60,
  })
  let held = 0
  fc.assert(
    fc.property(
      fc.array(form, { minLength: 1, maxLength: 3 }),
      around,
      between,
      around,
      (forms, before, gaps, behind) => {
        const [first = Buffer.alloc(0)] = forms
        const planted = [...first].flatMap((byte, at) => [Buffer.from([byte]), Buffer.from(gaps[at] ?? '')])
        const bytes = Buffer.concat([Buffer.from(before), ...planted, Buffer.from(behind)])
        const joined = withoutSpace(bytes)
        if (!forms.some((one) => joined.includes(one))) return
        held += 1
        assert.ok(new SampledSearch(forms).mayHold(bytes))
      },
    ),
    { seed: SEED, numRuns: 5_000 },
  )
  assert.ok(held > 2_000, String(held))
})

test('mayHold takes time in proportion to the length, whatever it reads', () => {
  for (const piece of [
    ' ',
    '\\',
    '\\n',
    '\\\\ ',
    'a ',
    `a${' '.repeat(50)}`,
    `a${'\\'.repeat(50)}`,
    ':',
    'a',
  ]) {
    const bytes = Buffer.from(piece.repeat(Math.ceil(2_000_000 / piece.length)))
    assert.ok(
      isQuick(100, () => search.mayHold(bytes)),
      piece,
    )
  }
})
