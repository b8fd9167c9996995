import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import {
  checkAnswers,
  isAlive,
  Load,
  OneConnection,
  restarted,
  until,
  verifiedEntries,
  workersOf,
} from '../support/fleet_scene.ts'
import { gatehouse, removeHome } from '../support/gatehouse_process.ts'
import { journey } from '../support/journey.ts'
import { homeWith } from '../support/limits_home.ts'
import { scrape, sumOf } from '../support/metrics_page.ts'
import { raceForTen } from '../support/race.ts'

const TWO = ['--workers', '2']
/** Connections are handed out in turn, so both workers have some of these. */
const CONNECTIONS = 8

test('two workers share the load and one ledger, and a change holds in both once it is acknowledged', async () => {
  await journey(
    async ({ home, door, key, cli, json }) => {
      const { key: text, kid } = await key('demo')
      const clients = Array.from({ length: CONNECTIONS }, () => new OneConnection(door().door, text))
      const all = async () => Promise.all(clients.map(async (client) => (await client.say('hi'))?.status))
      await using load = new Load(door().door, text, CONNECTIONS)
      await load.more(200)
      await until(async () => ((await workersOf(home)).every((one) => one.in_flight > 0) ? true : undefined))
      await load.stop()

      assert.deepEqual(await all(), Array(CONNECTIONS).fill(200))
      const policies = path.join(home, 'policies')
      await writeFile(
        path.join(policies, 'z.cedar'),
        '@id("closed")\nforbid (principal, action == Action::"model:infer", resource);\n',
      )
      await json('policy', 'apply')
      assert.deepEqual(await all(), Array(CONNECTIONS).fill(403), 'the policy holds everywhere')
      await writeFile(path.join(policies, 'z.cedar'), '// open again\n')
      await json('policy', 'apply')
      assert.deepEqual(await all(), Array(CONNECTIONS).fill(200))
      await json('caller', 'disable', 'demo')
      assert.deepEqual(await all(), Array(CONNECTIONS).fill(401), 'a disabled caller is refused everywhere')
      await json('caller', 'enable', 'demo')
      assert.deepEqual(await all(), Array(CONNECTIONS).fill(200))
      await json('key', 'revoke', kid)
      assert.deepEqual(await all(), Array(CONNECTIONS).fill(401), 'a revoked key is refused everywhere')
      for (const client of clients) client.close()

      const doctor = await cli('doctor', '--json')
      assert.match(doctor.stdout, /"workers-serving"[^}]*2 workers serve/)
      assert.equal(await door().stop(), 0)
      const entries = await verifiedEntries(home)
      checkAnswers(entries, load.answered)
      assert.equal(entries.at(-1)?.shown['what'], 'door:stop')
    },
    { args: TWO },
  )
})

test('kill -9 of a worker under load loses nothing that was answered, and it is started again', async () => {
  await journey(
    async ({ home, door, key }) => {
      await using load = new Load(door().door, (await key('demo')).key, 16)
      await load.more(300)
      const [victim] = await workersOf(home)
      assert.ok(victim !== undefined)
      process.kill(victim.pid, 'SIGKILL')
      await load.more(300)
      const workers = await restarted(home, victim.pid)
      assert.deepEqual(
        workers.map(({ restarts }) => restarts),
        [1, 0],
      )
      await load.more(300)
      await load.stop()
      const page = await scrape(door().metrics)
      assert.equal(page.get('gatehouse_worker_ends_total{reason="SIGKILL"}'), 1)
      assert.equal(sumOf(page, 'gatehouse_workers'), 2)
      assert.equal(await door().stop(), 0)
      const entries = await verifiedEntries(home)
      checkAnswers(entries, load.answered)
      const notes = entries.filter(({ kind, shown }) => kind === 'note' && shown['what'] === 'worker:end')
      assert.deepEqual(
        notes.map(({ shown }) => shown['reason']),
        ['SIGKILL'],
      )
    },
    { args: TWO },
  )
})

test('kill -9 of the writer ends the workers within a second, and loses nothing that was answered', async () => {
  await journey(
    async ({ home, door, key, restart }) => {
      await using load = new Load(door().door, (await key('demo')).key, 16)
      await load.more(300)
      const pids = (await workersOf(home)).map(({ pid }) => pid)
      assert.deepEqual(pids.map(isAlive), [true, true])
      await door().stop('SIGKILL')
      const deadline = performance.now() + 1_000
      await until(async () =>
        Promise.resolve(!pids.some(isAlive) || performance.now() > deadline ? true : undefined),
      )
      assert.deepEqual(pids.map(isAlive), [false, false])
      await load.stop()
      await restart()
      await door().stop()
      const entries = await verifiedEntries(home)
      const intents = new Set(entries.filter(({ kind }) => kind === 'intent').map(({ id }) => id))
      assert.deepEqual(
        load.answered.filter((id) => !intents.has(id)),
        [],
      )
    },
    { args: TWO },
  )
})

test('1,000 callers race at two workers for a budget of 10: exactly 10 pass', async () => {
  await raceForTen(4_000, TWO)
})

test('a port that is taken is refused, and a share too small for a body is told: no worker stays behind', async () => {
  await journey(async ({ door, home }) => {
    const port = new URL(door().door).port
    const other = await homeWith('')
    const up = async (...args: readonly string[]) =>
      gatehouse([
        'up',
        '--home',
        other,
        '--admin-listen',
        '127.0.0.1:0',
        '--metrics-listen',
        '127.0.0.1:0',
        ...args,
      ])
    const taken = await up('--workers', '2', '--listen', `127.0.0.1:${port}`)
    assert.equal(taken.status, 69, taken.stderr)
    const small = await up('--workers', '64', '--listen', '127.0.0.1:0')
    assert.equal(small.status, 78, small.stderr)
    assert.match(small.stderr, /64 workers share/)
    await removeHome(other)
    assert.deepEqual(await workersOf(home), [])
  })
})

test(
  'a worker has the variables of secrets that it calls others with, and none that only the writer needs',
  { skip: process.platform !== 'linux' && 'only Linux shows the environment of a process' },
  async () => {
    const home = await homeWith(
      'metrics_token: { from_env: FOR_WRITER }\nmodels:\n  echo: { provider: echo }\n  far: { provider: openai, base_url: "https://far.example/v1", model: m, key: { from_env: FOR_WORKERS } }\n',
    )
    await journey(
      async () => {
        const environments = await Promise.all(
          (await workersOf(home)).map(async ({ pid }) => readFile(`/proc/${pid}/environ`, 'utf8')),
        )
        const seen = environments.map((text) =>
          ['FOR_WRITER=', 'FOR_WORKERS='].map((name) => text.includes(name)),
        )
        assert.deepEqual(seen, [
          [false, true],
          [false, true],
        ])
      },
      { home, args: TWO, env: { FOR_WRITER: 'scrape-token', FOR_WORKERS: 'provider-key' } },
    )
  },
)
