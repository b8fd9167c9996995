import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { EntityPart, EntityStore } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { Evaluation } from './evaluation.ts'
import { EMPTY_RECORD } from './policy_value.ts'
import { EntityValue, RecordValue } from './values.ts'

const ANN = { type: 'User', id: 'ann' }
const READ = { type: 'Action', id: 'read' }
const DOC = { type: 'Doc', id: 'd' }

function nodeOf(ref: { type: string; id: string }): EntityAccount {
  return new EntityAccount(ref, [], EMPTY_RECORD, EMPTY_RECORD)
}

suite('Evaluation', () => {
  test('an evaluation names all three, whether or not anything is known of them', () => {
    const known = new EntityStore(
      [new EntityPart([nodeOf(ANN), nodeOf(DOC)])],
      new EntityPart([nodeOf(READ)]),
    )
    const unknown = new EntityStore([], new EntityPart([]))
    for (const store of [known, unknown]) {
      const request = { principal: ANN, action: READ, resource: DOC, context: () => EMPTY_RECORD }
      const evaluation = new Evaluation(request, store)
      for (const [found, wanted] of [
        [evaluation.principal, ANN],
        [evaluation.action, READ],
        [evaluation.resource, DOC],
      ] as const) {
        assert.ok(found instanceof EntityValue)
        assert.deepEqual({ type: found.type, id: found.id }, wanted)
      }
      assert.equal(evaluation.find(evaluation.principal) !== undefined, store === known)
      assert.equal(evaluation.find(evaluation.resource) !== undefined, store === known)
      assert.equal(evaluation.find(new EntityValue('User', 'bob')), undefined)
      assert.deepEqual(
        evaluation.find(new EntityValue('User', 'ann'))?.account.ref,
        store === known ? ANN : undefined,
      )
    }
  })

  test('an evaluation reads the context once, and only when it is asked for', () => {
    let reads = 0
    const context = (): RecordValue => {
      reads += 1
      return new RecordValue(new Map())
    }
    const store = new EntityStore([], new EntityPart([]))
    const evaluation = new Evaluation({ principal: ANN, action: READ, resource: DOC, context }, store)
    assert.equal(reads, 0)
    assert.equal(evaluation.context, evaluation.context)
    assert.equal(reads, 1)
  })
})
