import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('Turns lets one piece of work run per turn of the event loop, first come first served', async () => {
  const turns = new Turns()
  const done: string[] = []
  let isOver = false
  const loop = (): void => {
    done.push('|')
    if (!isOver) setImmediate(loop)
  }
  const work = async (name: string): Promise<void> => {
    for (let piece = 0; piece < 3; piece++) {
      await turns.next()
      done.push(name)
    }
  }
  setImmediate(loop)
  await Promise.all([work('a'), work('b'), work('c')])
  isOver = true
  assert.equal(done.join('').replaceAll('|', ''), 'abcabcabc')
  assert.doesNotMatch(done.join(''), /[abc]{2}/)
})

test('Turns serves again after a pause', async () => {
  const turns = new Turns()
  await turns.next()
  await new Promise((resolve) => setImmediate(resolve))
  await turns.next()
})
