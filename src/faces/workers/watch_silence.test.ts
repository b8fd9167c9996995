import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SILENT_LOOKS, watchSilence } from './watch_silence.ts'

const CASES: readonly (readonly [why: string, spokenAt: readonly number[], endsAt: number])[] = [
  ['it never spoke', [], SILENT_LOOKS],
  ['it spoke at last', [9], 9 + SILENT_LOOKS],
  ['it spoke now and then', [8, 17, 26], 26 + SILENT_LOOKS],
  ['it spoke too late', [11], SILENT_LOOKS],
]

for (const [why, spokenAt, endsAt] of CASES)
  test(`watchSilence ends a channel after so long a silence, and no earlier: ${why}`, () => {
    let end = 0
    let look = 0
    const channel = {
      get heard(): number {
        return spokenAt.filter((at) => at <= look).length
      },
      giveUp: () => void (end ||= look),
    }
    const watch = watchSilence(channel)
    for (look = 1; look < 60; look++) watch()
    assert.equal(end, endsAt)
  })
