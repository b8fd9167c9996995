import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAnswers, Load, restarted, verifiedEntries, workersOf } from '../support/fleet_scene.ts'
import { journey } from '../support/journey.ts'

/** Each worker is killed so often, which is less than it takes to be given up. */
const ROUNDS = 8

test(`every answer is on record after kill -9 of workers under load: ${ROUNDS} times each, on one ledger`, async () => {
  await journey(
    async ({ home, door, key }) => {
      await using load = new Load(door().door, (await key('demo')).key, 16)
      for (let round = 0; round < 2 * ROUNDS; round++) {
        // Another moment each round: while others start, under full load, right after a start.
        await load.more(40 * (1 + (round % 5)))
        const victim = (await workersOf(home))[round % 2]
        assert.ok(victim !== undefined)
        process.kill(victim.pid, 'SIGKILL')
        await restarted(home, victim.pid)
      }
      await load.more(200)
      await load.stop()
      assert.equal(await door().stop(), 0)
      const entries = await verifiedEntries(home)
      checkAnswers(entries, load.answered)
      const ends = entries.filter(({ shown }) => shown['what'] === 'worker:end')
      assert.equal(ends.length, 2 * ROUNDS)
    },
    { args: ['--workers', '2'] },
  )
})
