import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawBanner } from './banner.ts'
import { painter } from './style.ts'
import type { FirstStart, ServingDoor } from './world.ts'

const PLAIN = painter({ isTty: false, env: {} })
const KEY = 'gate_live_KKKKKKKKKKKK_secret_crc'

const door = (
  first: FirstStart | undefined,
  metrics: string | null = 'http://127.0.0.1:4402',
): ServingDoor => ({
  facts: {
    door: 'http://127.0.0.1:4400',
    admin: 'http://127.0.0.1:4401',
    metrics,
    home: '/srv/gate',
    pid: 7,
  },
  first,
  stopped: Promise.resolve(),
  close: async () => Promise.resolve(),
})

const linesOf = (serving: ServingDoor): readonly string[] => drawBanner(serving, PLAIN, true).split('\n')

test('drawBanner prints the first key on a line of its own, and three commands to copy', () => {
  const lines = linesOf(door({ made: ['keys'], key: KEY, keyPath: undefined, logKeys: ['log+key'] }))
  assert.equal(lines.filter((line) => line === KEY).length, 1)
  const commands = lines.filter((line) => line.startsWith('curl ') || line.startsWith('./gatehouse why'))
  assert.equal(commands.length, 3)
  assert.match(commands[0] ?? '', /"model":"echo"/)
  assert.doesNotMatch(commands[1] ?? '', /"model":"echo"/)
})

test('drawBanner prints only where the key is: it may not be printed', () => {
  const text = drawBanner(
    door({ made: ['keys'], key: undefined, keyPath: '/srv/gate/first-key', logKeys: [] }),
    PLAIN,
    true,
  )
  assert.ok(text.includes('/srv/gate/first-key'))
  assert.doesNotMatch(text, /gate_(live|test)_/)
})

test('drawBanner says nothing of a first start on a later one, and leaves out a listener that is off', () => {
  const lines = linesOf(door(undefined, null))
  assert.equal(lines[0], 'The door is open.')
  assert.ok(!lines.some((line) => line.includes('metrics')))
})

test('drawBanner says how to put a real provider behind the door: one variable or four lines', () => {
  const lines = linesOf(door(undefined))
  assert.ok(lines.some((line) => line.includes('OPENAI_API_KEY')))
  const start = lines.indexOf('models:')
  assert.deepEqual(lines.slice(start + 4, start + 5), [''])
})

test('drawBanner names the home in what is to copy: it is not the default one', () => {
  assert.ok(drawBanner(door(undefined), PLAIN, false).includes('./gatehouse why ID --home /srv/gate'))
  assert.ok(linesOf(door(undefined)).includes('./gatehouse why ID'))
})
