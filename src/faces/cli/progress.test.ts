import assert from 'node:assert/strict'
import { test } from 'node:test'
import { worldWithout } from '../../../test/support/cli_world.ts'
import type { Call } from './command.ts'
import { printBytes, progressOf } from './progress.ts'

const BYTES = [
  [0, '0 bytes'],
  [1_023, '1023 bytes'],
  [1_024, '1.0 KiB'],
  [1_536 * 1_024, '1.5 MiB'],
  [3 * 1_024 ** 3, '3.0 GiB'],
  [5_000 * 1_024 ** 4, '5000.0 TiB'],
] as const
for (const [bytes, text] of BYTES)
  test(`printBytes prints what people read: ${bytes}`, () => assert.equal(printBytes(bytes), text))

for (const isJson of [false, true])
  test(`progressOf tells once a second on standard error, and programs nothing: json ${isJson}`, () => {
    let now = 0
    const lines: string[] = []
    const clock = { now: () => 0, monotonic: () => now }
    const world = worldWithout({ clock, stderr: { write: (text) => void lines.push(text) } })
    const tell = progressOf({ world, isJson } as Call)
    for (now = 0; now < 2_500; now += 100) tell(() => `at ${now}`)
    assert.deepEqual(lines, isJson ? [] : ['at 1000\n', 'at 2000\n'])
  })
