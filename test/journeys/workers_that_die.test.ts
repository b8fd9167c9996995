import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  checkAnswers,
  isAlive,
  NewConnections,
  OneConnection,
  restarted,
  until,
  verifiedEntries,
  workersOf,
} from '../support/fleet_scene.ts'
import { journey } from '../support/journey.ts'

const TWO = { args: ['--workers', '2'] }
/** What a connection may wait beyond what the worker that has it takes to be noticed, on a busy machine. */
const PROMPT_MS = 3_000

test('a connection that was on its way to a worker is closed when that worker is killed', async () => {
  await journey(async ({ home, door, key }) => {
    const clients = new NewConnections(door().door, (await key('demo')).key)
    const [victim] = await workersOf(home)
    assert.ok(victim !== undefined)
    process.kill(victim.pid, 'SIGSTOP')
    // Those that the other one has are answered; one at least is on its way to the one that is stopped.
    for (let at = 0; at < 8; at++) clients.open()
    await until(async () => Promise.resolve(clients.answered.length >= 7 ? true : undefined))
    process.kill(victim.pid, 'SIGKILL')
    await clients.over(PROMPT_MS)
    await restarted(home, victim.pid)
    assert.equal(await door().stop(), 0)
    checkAnswers(await verifiedEntries(home), clients.answered)
  }, TWO)
})

test('a connection for a worker of whose end the writer does not know yet is closed when it knows', async () => {
  await journey(async ({ home, door, key }) => {
    const clients = new NewConnections(door().door, (await key('demo')).key)
    const victims = await workersOf(home)
    door().child.kill('SIGSTOP')
    for (let at = 0; at < 8; at++) clients.open()
    // They wait in the kernel: what comes first for the writer is a connection.
    await setTimeout(200)
    for (const { pid } of victims) process.kill(pid, 'SIGKILL')
    await until(async () => Promise.resolve(victims.some(({ pid }) => isAlive(pid)) ? undefined : true))
    door().child.kill('SIGCONT')
    await clients.over(PROMPT_MS)
    for (const { pid } of victims) await restarted(home, pid)
    assert.equal(await door().stop(), 0)
  }, TWO)
})

test('workers whose writer dies refuse what they hold as not recorded, say why, and end', async () => {
  await journey(async ({ home, door, key, restart }) => {
    const text = (await key('demo')).key
    const clients = Array.from({ length: 8 }, () => new OneConnection(door().door, text))
    const said = await Promise.all(clients.map(async (client) => client.say('before')))
    assert.deepEqual(
      said.map((each) => each?.status),
      Array(8).fill(200),
    )
    const pids = (await workersOf(home)).map(({ pid }) => pid)
    door().child.kill('SIGSTOP')
    const held = Promise.all(clients.map(async (client) => client.say('held')))
    await setTimeout(200)
    await door().stop('SIGKILL')
    assert.deepEqual(
      (await held).map((each) => each?.status),
      Array(8).fill(503),
    )
    for (const client of clients) client.close()
    await until(async () => Promise.resolve(pids.some(isAlive) ? undefined : true))
    assert.equal(
      door()
        .printed()
        .match(/the channel to the process that writes the ledger has ended/g)?.length,
      pids.length,
    )
    await restart()
    await door().stop()
    checkAnswers(
      await verifiedEntries(home),
      said.map((each) => each?.id ?? ''),
    )
  }, TWO)
})
