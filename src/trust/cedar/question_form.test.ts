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
