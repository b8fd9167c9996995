import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthAnswer } from '#rooms/admin/answers.ts'
import { outsideOf, toldBy } from './gather_facts.ts'

type Holder = HealthAnswer['ledger']['outside']['holders'][number]

function holder(name: string, problem: string | null, contradicts: boolean): Holder {
  return { kind: 'git', name, entries: null, at: null, problem, contradicts }
}

const ROLLED_BACK = 'holds 9 entries of this log, of which 3 are here: it was rolled back'

test('toldBy tells evidence from an outage by what the holder says of itself: never by its words', () => {
  const holders = [
    holder('a', null, false),
    holder('b', ROLLED_BACK, true),
    // The words of the other end of a transport, which may be any.
    holder('c', 'git push fails: it was rolled back', false),
  ]
  const none = { quorum: 0, witnessed: null, witnessed_at: null, anchored: null, anchored_at: null }
  const problems = ['the disk is slow', `b ${ROLLED_BACK}`, 'c git push fails: it was rolled back']
  assert.deepEqual(toldBy({ problems, outside: { ...none, holders } }), {
    notices: ['the disk is slow', 'c git push fails: it was rolled back'],
    contradictions: [`b ${ROLLED_BACK}`],
  })
  assert.deepEqual(toldBy(undefined), { notices: [], contradictions: [] })
})

test('outsideOf counts files on the disk of the ledger only where nothing else holds a checkpoint', () => {
  const none = { quorum: 0, witnessed: null, witnessed_at: null, anchored: null, anchored_at: null }
  const near: Holder = { ...holder('near', null, false), kind: 'file', entries: 27 }
  const git: Holder = { ...holder('elsewhere', null, false), entries: 17 }
  const told = { outside: undefined, origins: [], agreeing: ['near'], near: { names: ['near'], isAll: true } }
  const facts = (holders: readonly Holder[]) => {
    const health = { ledger: { entries: 28, outside: { ...none, holders: [...holders] } } }
    const { anchored, near: files } = outsideOf(told, undefined, health)
    return [anchored?.entries, files.isAll]
  }
  assert.deepEqual(facts([near, git]), [17, false])
  assert.deepEqual(facts([near]), [27, true])
  assert.deepEqual(facts([near, { ...git, entries: null }]), [27, true])
})
