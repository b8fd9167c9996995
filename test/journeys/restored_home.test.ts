import assert from 'node:assert/strict'
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { gatehouse } from '../support/gatehouse_process.ts'
import { journey, refusal, say, type Journey } from '../support/journey.ts'

/** What `doctor`, health and verification say of the record. */
async function condition({ cli, door }: Journey): Promise<Condition> {
  const doctor = await cli('doctor', '--json')
  const { checks } = JSON.parse(doctor.stdout) as { checks: { id: string; state: string }[] }
  const ready = (await (await fetch(`${door().door}/readyz`)).json()) as { reasons: string[] }
  return {
    verifies: (await cli('ledger', 'verify')).status,
    doctor: doctor.status,
    check: checks.find(({ id }) => id === 'ledger-verifies')?.state,
    reasons: ready.reasons,
  }
}

interface Condition {
  readonly verifies: number
  readonly doctor: number
  readonly check: string | undefined
  readonly reasons: readonly string[]
}

const SOUND = { verifies: 0, doctor: 0, reasons: [] }
const BROKEN = { verifies: 65, doctor: 1, check: 'fail', reasons: ['ledger.degraded'] }

/** Keeps files of a home beside it and gives what puts them back. */
async function backUp(home: string, names: readonly string[]): Promise<() => Promise<void>> {
  const copies = path.join(home, 'backup')
  await mkdir(copies, { recursive: true })
  for (const name of names) await copyFile(path.join(home, name), path.join(copies, name))
  return async () => {
    for (const name of names) {
      for (const left of [`${name}-wal`, `${name}-shm`]) await rm(path.join(home, left), { force: true })
      await copyFile(path.join(copies, name), path.join(home, name))
    }
  }
}

test('a ledger that is gone is seen everywhere until an operator accepts the loss', async () => {
  await journey(async (story) => {
    const { home, key, client, door, restart } = story
    const demo = await key('demo', '--models', 'echo')
    await door().stop()
    await rm(path.join(home, 'ledger'), { recursive: true })
    await restart()
    assert.deepEqual(await condition(story), BROKEN)
    await say(client(demo.key), 'the door goes on meanwhile')
    await restart()
    assert.deepEqual(await condition(story), BROKEN)
    await restart(['--accept-loss'])
    assert.deepEqual(await condition(story), { ...SOUND, check: 'warn' })
    await restart()
    assert.deepEqual(await condition(story), { ...SOUND, check: 'warn' })
  })
})

test('a home whose ledger and head are gone does not start, until an operator accepts the loss', async () => {
  await journey(async (story) => {
    const { home, key, client, cli, door, restart } = story
    const demo = await key('demo', '--models', 'echo')
    await door().stop()
    await rm(path.join(home, 'ledger'), { recursive: true })
    await rm(path.join(home, 'head'))
    for (const command of [
      ['up', '--listen', '127.0.0.1:0'],
      ['key', 'list'],
    ]) {
      const refused = await cli(...command)
      assert.equal(refused.status, 65, refused.stdout)
      assert.match(refused.stderr, /home\.damaged/)
      assert.match(refused.stderr, /up --accept-loss/)
    }
    await restart(['--accept-loss'])
    assert.deepEqual({ ...(await condition(story)), reasons: [] }, { ...SOUND, check: 'warn' })
    await say(client(demo.key), 'and goes on')
  })
})

test('a home whose ledger is gone does not start anew because somebody emptied its head', async () => {
  await journey(async ({ home, cli, door, restart }) => {
    await door().stop()
    await rm(path.join(home, 'ledger'), { recursive: true })
    await writeFile(path.join(home, 'head'), '')
    const database = new DatabaseSync(path.join(home, 'state.db'))
    database.exec('DELETE FROM ledger_mark')
    database.close()
    for (let time = 0; time < 2; time++) {
      const refused = await cli('up', '--listen', '127.0.0.1:0')
      assert.equal(refused.status, 65, refused.stdout)
      assert.match(refused.stderr, /home\.damaged/)
    }
    await restart(['--accept-loss'])
    const problems = async (): Promise<string> => (await cli('doctor')).stdout
    assert.match(await problems(), /head\.invalid/)
    await restart()
    assert.match(await problems(), /head\.invalid/, 'until it is taken away')
    await rm(path.join(home, 'head.invalid'))
    await restart()
    assert.doesNotMatch(await problems(), /head\.invalid/)
  })
})

test('all of a home but its keys and policies deleted is no new home', async () => {
  await journey(async ({ home, cli, door }) => {
    await door().stop()
    const doomed = (await readdir(home)).filter((name) => /^(ledger|head|state\.db.*)$/.test(name))
    for (const name of doomed) await rm(path.join(home, name), { recursive: true })
    const refused = await cli('key', 'list')
    assert.equal(refused.status, 65, refused.stdout)
    assert.match(refused.stderr, /home\.damaged/)
  })
})

test('an older state.db put back brings nothing back that was revoked or disabled since', async () => {
  await journey(async (story) => {
    const { home, key, client, json, door, restart } = story
    const [revoked, disabled, kept] = [
      await key('revoked', '--models', 'echo'),
      await key('disabled', '--models', 'echo'),
      await key('kept', '--models', 'echo'),
    ]
    await door().stop()
    const putBack = await backUp(home, ['state.db'])
    await restart()
    await json('key', 'revoke', revoked.kid)
    await json('caller', 'disable', 'disabled')
    const later = await key('later', '--models', 'echo')
    await door().stop()
    await putBack()
    await restart()
    for (const { key: text } of [revoked, disabled, later])
      assert.equal((await refusal(say(client(text), 'again?'))).status, 401)
    await say(client(kept.key), 'still good')
    const ready = (await (await fetch(`${door().door}/readyz`)).json()) as { reasons: string[] }
    assert.deepEqual(ready.reasons, ['ledger.degraded'])
    assert.match((await story.cli('ledger', 'tail')).stdout, /state\.behind/)
    // It is made good: the next start finds nothing to mend.
    await restart()
    assert.deepEqual(await condition(story), { ...SOUND, check: 'ok' })
    assert.equal((await refusal(say(client(revoked.key), 'and now?'))).status, 401)
  })
})

test('a state.db that is gone opens nothing, and the keys that are missing are told', async () => {
  await journey(async ({ home, key, client, cli, door, restart }) => {
    const demo = await key('demo', '--models', 'echo')
    await door().stop()
    for (const name of await readdir(home)) if (name.startsWith('state.db')) await rm(path.join(home, name))
    await restart()
    assert.equal((await refusal(say(client(demo.key), 'hello'))).status, 401)
    assert.match((await cli('ledger', 'tail')).stdout, /state\.behind/)
  })
})

test('an older ledger and no head: what state.db knows of it shows the gap', async () => {
  await journey(async (story) => {
    const { home, key, cli, json, door, restart } = story
    const demo = await key('demo', '--models', 'echo')
    const [, made = ''] = /(\w{16}) +key:create/.exec((await cli('ledger', 'tail')).stdout) ?? []
    await door().stop()
    const [log = ''] = await readdir(path.join(home, 'ledger')).then((names) =>
      names.filter((name) => name.startsWith('0001')),
    )
    const names = await readdir(path.join(home, 'ledger', log))
    const putBack = await backUp(path.join(home, 'ledger', log), names)
    await restart()
    await json('key', 'revoke', demo.kid)
    await door().stop()
    await putBack()
    await rm(path.join(home, 'ledger', log, 'backup'), { recursive: true })
    await rm(path.join(home, 'head'))
    await restart()
    assert.deepEqual(await condition(story), BROKEN)
    assert.match((await cli('key', 'list')).stdout, /revoked/)
    assert.match((await cli('ledger', 'tail')).stdout, /head\.missing/)
    assert.match((await cli('why', made)).stdout, /held +outside: not yet, through the log in use/)
  })
})

test('a new home takes --accept-loss and has nothing to accept', async () => {
  await journey(
    async (story) => {
      assert.deepEqual(await condition(story), { ...SOUND, check: 'ok' })
      const verified = await gatehouse(['ledger', 'verify', '--home', story.home])
      assert.doesNotMatch(verified.stdout, /lost/)
    },
    { args: ['--accept-loss'] },
  )
})
