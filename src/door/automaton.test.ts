import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LIMITS } from '#base/limits.ts'
import { Automaton } from './automaton.ts'
import {
  accepted,
  anyCase,
  either,
  literal,
  marked,
  one,
  optional,
  repeat,
  sequence,
  unitsBeside,
  unitsOf,
  type Pattern,
} from './pattern.ts'

const SEED = 20_261_122
const LIVE = 1
const END = 2

/** The bits after each character. */
function bitsOf(pattern: Pattern, text: string): readonly number[] {
  const automaton = new Automaton([accepted(END, marked(LIVE, pattern))])
  let state = automaton.start
  return Array.from({ length: text.length }, (_, at) => {
    state = automaton.step(state, automaton.classes[text.charCodeAt(at)] ?? 0)
    return state.bits
  })
}

const CASES: readonly (readonly [why: string, pattern: Pattern, text: string, bits: string])[] = [
  ['a literal', literal('abc'), 'xabcab', '011211'],
  ['a literal that begins again inside', literal('aab'), 'aaab', '1112'],
  ['any case', anyCase('ab'), 'AbaB', '1212'],
  ['one of some', one(unitsOf('a-c_-')), 'a_-d', '2220'],
  ['one beside some', sequence(one(unitsBeside(unitsOf('b-y'))), literal('!')), 'abz!', '1013'],
  ['a sequence of nothing', sequence(), 'a', '0'],
  ['one or the other', either(literal('ab'), literal('ac')), 'acab', '1212'],
  ['any number of times', sequence(literal('a'), repeat(one(unitsOf('0-9')))), 'a12b', '3330'],
  ['at least twice', sequence(repeat(literal('a'), 2), literal('b')), 'abaab', '10112'],
  ['two or three times', sequence(repeat(literal('a'), 2, 3), literal('b')), 'aaaab', '11112'],
  ['never', sequence(repeat(literal('a'), 0, 0), literal('b')), 'ab', '02'],
  ['perhaps', sequence(literal('a'), optional(literal('b')), literal('c')), 'acabc', '12112'],
  ['perhaps nothing', sequence(optional(literal('a')), optional(literal('b'))), 'ba', '23'],
]

for (const [why, pattern, text, bits] of CASES) {
  test(`Automaton follows: ${why}`, () => {
    assert.equal(bitsOf(pattern, text).join(''), bits)
  })
}

test('Automaton accepts where the regular expression matches', () => {
  const pattern = sequence(
    either(literal('ab'), repeat(one(unitsOf('bc')), 1, 2)),
    repeat(literal('a')),
    optional(literal('c')),
    literal('b'),
  )
  const expression = /(?:ab|[bc]{1,2})a*c?b$/
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 12 }), (text) => {
      const accepts = bitsOf(pattern, text).map((bits) => (bits & END) !== 0)
      for (let end = 1; end <= text.length; end++)
        assert.equal(accepts[end - 1], expression.test(text.slice(0, end)))
    }),
    { seed: SEED, numRuns: 3_000 },
  )
})

test('Automaton forgets its states when there are too many, and goes on', () => {
  const pattern = sequence(literal('a'), repeat(one(unitsOf('ab')), 14, 14), literal('c'))
  const automaton = new Automaton([accepted(END, marked(LIVE, pattern))])
  let state = automaton.start
  const text: string[] = []
  let seed = SEED
  for (let at = 0; at < 30_000; at++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    text.push(at % 40 === 39 ? 'c' : seed > 1_000_000_000 ? 'a' : 'b')
    state = automaton.step(state, automaton.classes[text[at]?.charCodeAt(0) ?? 0] ?? 0)
    assert.equal((state.bits & END) !== 0, text[at] === 'c' && text[at - 15] === 'a')
    assert.ok(automaton.size <= LIMITS.automatonStates)
  }
})

test('Automaton tells no more than 256 classes apart', () => {
  const patterns = Array.from({ length: 300 }, (_, at) => one([[at, at]]))
  assert.throws(() => new Automaton(patterns), RangeError)
})
