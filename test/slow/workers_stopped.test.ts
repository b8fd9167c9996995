import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { LIMITS } from '#base/limits.ts'
import {
  checkAnswers,
  Load,
  NewConnections,
  OneConnection,
  restarted,
  verifiedEntries,
  workersOf,
} from '../support/fleet_scene.ts'
import { journey } from '../support/journey.ts'

/** Until a worker is asked again how it is, and on a busy machine. */
const SLACK_MS = 6_000

/** Opens connections for so long. */
async function openMany(clients: NewConnections, ms: number): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until) {
    if (clients.waiting < 32) clients.open()
    await setTimeout(5)
  }
}

test('a worker that is stopped for a while goes on; one that stays so is replaced, and no connection waits longer', async () => {
  await journey(
    async ({ home, door, key }) => {
      const text = (await key('demo')).key
      await using load = new Load(door().door, text, 8)
      const clients = new NewConnections(door().door, text)
      const [victim] = await workersOf(home)
      assert.ok(victim !== undefined)
      process.kill(victim.pid, 'SIGSTOP')
      await openMany(clients, 2_000)
      process.kill(victim.pid, 'SIGCONT')
      await clients.over(SLACK_MS)
      assert.deepEqual(
        (await workersOf(home)).map(({ restarts }) => restarts),
        [0, 0],
      )
      process.kill(victim.pid, 'SIGSTOP')
      const noticed = restarted(home, victim.pid)
      await openMany(clients, 2_000)
      await clients.over(LIMITS.workerHungMs + SLACK_MS)
      await noticed
      await load.more(100)
      await load.stop()
      assert.equal(await door().stop(), 0)
      const entries = await verifiedEntries(home)
      checkAnswers(entries, [...load.answered, ...clients.answered])
      const ends = entries.filter(({ shown }) => shown['what'] === 'worker:end')
      assert.deepEqual(
        ends.map(({ shown }) => shown['reason']),
        ['SIGKILL'],
      )
    },
    { args: ['--workers', '2'] },
  )
})

/** Kills in a row, each while connections are opened as fast as they are taken. */
const KILLS = 6

test('no connection hangs, and no answer is lost, while workers are killed and connections opened', async () => {
  await journey(
    async ({ home, door, key }) => {
      const clients = new NewConnections(door().door, (await key('demo')).key)
      for (let kill = 0; kill < KILLS; kill++) {
        const victim = (await workersOf(home))[kill % 2]
        assert.ok(victim !== undefined)
        const opening = openMany(clients, 300)
        await setTimeout(100 + 17 * kill)
        process.kill(victim.pid, 'SIGKILL')
        await opening
        await clients.over(SLACK_MS)
        await restarted(home, victim.pid)
      }
      assert.ok(clients.answered.length > KILLS)
      assert.equal(await door().stop(), 0)
      checkAnswers(await verifiedEntries(home), clients.answered)
    },
    { args: ['--workers', '2'] },
  )
})

test('a writer that is stopped keeps nobody waiting: workers refuse what they hold, and serve again when it goes on', async () => {
  await journey(
    async ({ home, door, key }) => {
      const text = (await key('demo')).key
      const clients = Array.from({ length: 8 }, () => new OneConnection(door().door, text))
      const said = await Promise.all(clients.map(async (client) => client.say('before')))
      const pids = (await workersOf(home)).map(({ pid }) => pid)
      door().child.kill('SIGSTOP')
      const from = performance.now()
      const held = await Promise.all(clients.map(async (client) => client.say('held')))
      const waited = performance.now() - from
      assert.deepEqual(
        held.map((answer) => answer?.status),
        Array(8).fill(503),
      )
      assert.ok(waited < LIMITS.writerSilentMs + SLACK_MS, `${waited} ms`)
      for (const client of clients) client.close()
      door().child.kill('SIGCONT')
      for (const pid of pids) await restarted(home, pid)
      const later = new OneConnection(door().door, text)
      const answer = await later.say('after')
      later.close()
      assert.equal(answer?.status, 200)
      assert.equal(await door().stop(), 0)
      const entries = await verifiedEntries(home)
      checkAnswers(
        entries,
        [...said, answer].map((each) => each?.id ?? ''),
      )
      // What came to the disk after all is told for what it is: nobody was answered.
      const outcomes = entries.filter(
        ({ kind, id }) => kind === 'outcome' && held.some((each) => each?.id === id),
      )
      assert.ok(outcomes.every(({ shown }) => shown['status'] === 'unknown'))
    },
    { args: ['--workers', '2'] },
  )
})

test('a worker to which nothing happens hears that its writer is there, and stays', async () => {
  await journey(
    async ({ door, key }) => {
      const text = (await key('demo')).key
      const client = new OneConnection(door().door, text)
      assert.equal((await client.say('before'))?.status, 200)
      // A writer that has nothing else to say asks each second how they are.
      await setTimeout(LIMITS.writerSilentMs + 2_000)
      assert.equal((await client.say('after'))?.status, 200)
      client.close()
      assert.doesNotMatch(door().printed(), /the channel to the process/)
      assert.equal(await door().stop(), 0)
    },
    { args: ['--workers', '2'] },
  )
})
