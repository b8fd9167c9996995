import assert from 'node:assert/strict'
import { writeFile, readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { journey, refusal, say } from '../support/journey.ts'

test('a caller is answered through an unchanged client, and sees only the models it may use', async () => {
  await journey(async ({ key, client }) => {
    const demo = client((await key('demo', '--models', 'echo')).key)
    const answer = await say(demo, 'good morning')
    assert.match(answer.choices[0]?.message.content ?? '', /good morning/)
    assert.equal(answer.model, 'echo')
    assert.equal(answer.choices[0]?.finish_reason, 'stop')
    const models = await demo.models.list()
    assert.deepEqual(
      models.data.map(({ id }) => id),
      ['echo'],
    )
  })
})

test('a caller is denied a model outside its scope, and why shows the stage and nothing of others', async () => {
  await journey(async ({ key, client, cli, door }) => {
    const demo = await key('demo', '--models', 'echo')
    const other = await key('other', '--models', 'echo')
    const told = await refusal(say(client(demo.key), 'hello', 'house-model'))
    assert.equal(told.status, 403)
    assert.equal(told.code, 'action.denied')
    assert.equal(told.problem['stage'], 'authorize')
    assert.equal(told.problem['entry'], told.entry)

    const byOperator = await cli('why', told.entry)
    assert.equal(byOperator.status, 0, byOperator.stderr)
    assert.match(byOperator.stdout, /authorize/)
    assert.match(byOperator.stdout, /action\.denied/)

    const own = await fetch(`${door().door}/v1/why/${told.entry}`, {
      headers: { authorization: `Bearer ${demo.key}` },
    })
    assert.equal(own.status, 200)
    const strangers = await fetch(`${door().door}/v1/why/${told.entry}`, {
      headers: { authorization: `Bearer ${other.key}` },
    })
    const unknown = await fetch(`${door().door}/v1/why/0000000000000000`, {
      headers: { authorization: `Bearer ${other.key}` },
    })
    assert.equal(strangers.status, 404)
    assert.deepEqual(await publicPart(strangers), await publicPart(unknown))
  })
})

test('an unknown model and a model outside the scope are refused alike', async () => {
  await journey(async ({ key, client }) => {
    const demo = client((await key('demo', '--models', 'echo')).key)
    const unknown = await refusal(say(demo, 'hello', 'no-such-model'))
    const outside = await refusal(say(demo, 'hello', 'house-model'))
    assert.deepEqual([unknown.status, unknown.code], [outside.status, outside.code])
  })
})

test('a revoked key is refused on the very next request, like a missing and an unknown one; the ledger knows why', async () => {
  await journey(async ({ key, client, json, cli, door }) => {
    const made = await key('demo', '--models', 'echo')
    const demo = client(made.key)
    await say(demo, 'before')
    await json('key', 'revoke', made.kid)
    const revoked = await refusal(say(demo, 'after'))
    assert.equal(revoked.status, 401)
    const missing = await fetch(`${door().door}/v1/models`)
    assert.equal(missing.status, 401)
    const explained = await cli('why', revoked.entry)
    assert.match(explained.stdout, /key\.revoked/)
  })
})

test('a disabled caller is refused on the very next request, and served again once enabled', async () => {
  await journey(async ({ key, client, json }) => {
    const demo = client((await key('demo', '--models', 'echo')).key)
    await json('caller', 'disable', 'demo')
    assert.equal((await refusal(say(demo, 'hello'))).status, 401)
    await json('caller', 'enable', 'demo')
    assert.match((await say(demo, 'back')).choices[0]?.message.content ?? '', /back/)
  })
})

test('a rotated key keeps its old secret for the overlap and has a new one at once', async () => {
  await journey(async ({ key, client, json }) => {
    const made = await key('demo', '--models', 'echo')
    const rotated = await json('key', 'rotate', made.kid)
    assert.equal(rotated['kid'], made.kid)
    await say(client(made.key), 'old')
    await say(client(String(rotated['key'])), 'new')
  })
})

test('a broken policy file never opens anything: apply fails, the good set stays, and doctor says so', async () => {
  await journey(async ({ home, key, client, cli, json, restart, door }) => {
    const demo = await key('demo', '--models', 'echo')
    const before = await json('policy', 'show')
    const file = path.join(home, 'policies', 'default.cedar')
    const good = await readFile(file, 'utf8')
    await writeFile(file, `${good}\npermit (principal, action, resource) whenn { true };\n`)

    const applied = await cli('policy', 'apply')
    assert.notEqual(applied.status, 0)
    assert.match(applied.stderr + applied.stdout, /default\.cedar/)
    await say(client(demo.key), 'still served')
    assert.equal((await json('policy', 'show'))['set'], before['set'])

    await restart()
    await say(client(demo.key), 'still served after a restart')
    assert.equal((await refusal(say(client(demo.key), 'x', 'house-model'))).status, 403)
    const doctor = await cli('doctor')
    assert.match(doctor.stdout, /polic/i)
    assert.match(doctor.stdout, /warn|fail/i)
    assert.match(await (await fetch(`${door().door}/readyz`)).text(), /degraded|policy/i)
  })
})

test('a cold start with no good policy set refuses everything', async () => {
  await journey(async ({ home, key, client, door, restart }) => {
    const demo = await key('demo', '--models', 'echo')
    for (const name of await readdir(path.join(home, 'policies'))) {
      await writeFile(path.join(home, 'policies', name), 'permit (')
    }
    await door().stop()
    const { rm } = await import('node:fs/promises')
    await rm(path.join(home, 'policy'), { recursive: true })
    await restart()
    const told = await refusal(say(client(demo.key), 'hello'))
    assert.deepEqual([told.status, told.code], [503, 'policy.unavailable'])
    assert.equal((await fetch(`${door().door}/readyz`)).status, 503)
  })
})

test('a restarted door knows its callers, its revoked keys and its ledger', async () => {
  await journey(async ({ key, client, json, cli, restart }) => {
    const live = await key('live', '--models', 'echo')
    const dead = await key('dead', '--models', 'echo')
    await json('key', 'revoke', dead.kid)
    await say(client(live.key), 'one')
    await restart()
    await say(client(live.key), 'two')
    assert.equal((await refusal(say(client(dead.key), 'x'))).status, 401)
    const verified = await cli('ledger', 'verify')
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    assert.match(verified.stdout, /internally consistent/)
  })
})

test('a policy change is applied to the very next request and is an entry with the hashes', async () => {
  await journey(async ({ home, key, client, json, cli }) => {
    const demo = client((await key('demo', '--models', 'echo')).key)
    await say(demo, 'before')
    await writeFile(
      path.join(home, 'policies', 'stop.cedar'),
      '@id("stop")\nforbid (principal, action == Action::"model:infer", resource == Model::"echo");\n',
    )
    await json('policy', 'apply')
    const told = await refusal(say(demo, 'after'))
    assert.equal(told.status, 403)
    assert.match((await cli('why', told.entry)).stdout, /stop/)
    assert.match((await cli('ledger', 'show', '--json')).stdout, /policy:change/)
  })
})

async function publicPart(response: Response): Promise<unknown> {
  const body = (await response.json()) as Record<string, unknown>
  return { ...body, entry: '', instance: '' }
}
