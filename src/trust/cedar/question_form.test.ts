import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Question } from '#base/decider.ts'
import { QuestionForm } from './question_form.ts'
import { readSchema } from './read_schema.ts'

const FORM = new QuestionForm(
  readSchema(
    'entity User; entity Doc; action read appliesTo { principal: User, resource: Doc, context: ' +
      '{ n: Long, who?: User, all?: Set<User>, more?: { deep: Bool } } }; action group;',
  ),
)

const GOOD: Question = {
  principal: { type: 'User', id: 'a' },
  action: { type: 'Action', id: 'read' },
  resource: { type: 'Doc', id: 'd' },
  context: { n: 1 },
  entities: [],
}

test('check takes questions of the schema, and throws for all others', () => {
  const user = { type: 'User', id: 'b' }
  const rows: readonly (readonly [why: string, more: Partial<Question>, isGood: boolean])[] = [
    ['a question', {}, true],
    ['all of the context', { context: { n: 1, who: user, all: [user], more: { deep: true } } }, true],
    ['an unknown action', { action: { type: 'Action', id: 'write' } }, false],
    ['a group of actions', { action: { type: 'Action', id: 'group' } }, false],
    ['another principal', { principal: { type: 'Doc', id: 'd' } }, false],
    ['another resource', { resource: { type: 'User', id: 'd' } }, false],
    ['a fraction', { context: { n: 0.5 } }, false],
    ['a member missing', { context: { who: user } }, false],
    ['an entity of another type', { context: { n: 1, who: { type: 'Doc', id: 'd' } } }, false],
    ['an element of another type', { context: { n: 1, all: [user, 'x'] } }, false],
    ['a member of a member', { context: { n: 1, more: { deep: 1 } } }, false],
    ['a member that came with the prototype', { context: Object.create({ n: 1, other: 1 }) }, false],
  ]
  for (const [why, more, isGood] of rows) {
    const check = (): void => FORM.check({ ...GOOD, ...more })
    if (isGood) check()
    else assert.throws(check, { code: 'internal.bug' }, why)
  }
})

test('check takes a list only where the schema has a set, and no other thing for one', () => {
  const rows: readonly (readonly [why: string, context: Question['context'], isGood: boolean])[] = [
    ['an empty set', { n: 1, all: [] }, true],
    ['an empty list for an entity', { n: 1, who: [] }, false],
    ['an empty list for a record', { n: 1, more: [] }, false],
    ['an empty list for a number', { n: [] }, false],
    ['a record for a set', { n: 1, all: {} }, false],
    ['a text for a number', { n: '1' }, false],
    ['a number beyond 2^53', { n: 2 ** 53 }, false],
    ['a truth for an entity', { n: 1, who: true }, false],
    ['a member that the schema lacks', { n: 1, other: 1 }, false],
  ]
  for (const [why, context, isGood] of rows) {
    const check = (): void => FORM.check({ ...GOOD, context })
    if (isGood) check()
    else assert.throws(check, { code: 'internal.bug' }, why)
  }
})
