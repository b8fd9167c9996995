import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { SearchQueue, type Asker } from './search_queue.ts'

/** A queue whose searches write down their names and end when they are told to. */
class Bench {
  readonly ran: string[] = []
  readonly #queue = new SearchQueue()
  readonly #held = Promise.withResolvers<undefined>()

  /** Runs until `release`. */
  hold(asker: Asker = {}): Promise<unknown> {
    return this.#queue.run(async () => await this.#held.promise, asker)
  }

  release(): void {
    this.#held.resolve(undefined)
  }

  async search(name: string, asker: Asker = {}): Promise<void> {
    await this.#queue.run(async () => void this.ran.push(name), asker)
  }
}

const isExceeded = (thrown: unknown): boolean => thrown instanceof Fault && thrown.code === 'load.exceeded'

test('run takes an urgent search before all that wait, else in the order they came', async () => {
  const bench = new Bench()
  const rows: readonly (readonly [string, Asker])[] = [
    ['first', { caller: 'a' }],
    ['second', { caller: 'b' }],
    ['urgent', { isUrgent: true }],
    ['third', {}],
    ['urgent too', { isUrgent: true }],
  ]
  const all = [bench.hold(), ...rows.map(async ([name, asker]) => await bench.search(name, asker))]
  bench.release()
  await Promise.all(all)
  assert.deepEqual(bench.ran, ['urgent', 'urgent too', 'first', 'second', 'third'])
})

test('run keeps the urgent lane free of others: theirs is full', async () => {
  const bench = new Bench()
  const all = [bench.hold()]
  for (let at = 1; at < LIMITS.entrySearches; at += 1) all.push(bench.search('other'))
  await assert.rejects(bench.search('other'), isExceeded)
  all.push(bench.search('urgent', { isUrgent: true }))
  bench.release()
  await Promise.all(all)
  assert.equal(bench.ran[0], 'urgent')
})

test('run bounds the urgent lane too', async () => {
  const bench = new Bench()
  const urgent = { isUrgent: true }
  const all = [bench.hold(urgent)]
  for (let at = 1; at < LIMITS.entrySearches; at += 1) all.push(bench.search('urgent', urgent))
  await assert.rejects(bench.search('urgent', urgent), isExceeded)
  bench.release()
  await Promise.all(all)
})

test('run bounds what one caller has waiting, leaves room to others, and forgets what is done', async () => {
  const bench = new Bench()
  const caller = 'Service::"busy"'
  const all = [bench.hold({ caller })]
  for (let at = 1; at < LIMITS.entrySearchesPerCaller; at += 1) all.push(bench.search('busy', { caller }))
  await assert.rejects(bench.search('busy', { caller }), isExceeded)
  all.push(bench.search('other', { caller: 'Service::"other"' }))
  bench.release()
  await Promise.all(all)
  await bench.search('again', { caller })
  assert.deepEqual(bench.ran.slice(-2), ['other', 'again'])
})

test('run goes on after a search that failed', async () => {
  const queue = new SearchQueue()
  const asker = { caller: 'a' }
  const failed = queue.run(async () => Promise.reject(new Error('no')), asker)
  const next = queue.run(async () => Promise.resolve(7), asker)
  await assert.rejects(failed, /no/)
  assert.equal(await next, 7)
})
