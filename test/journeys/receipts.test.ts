import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { journey, type Journey } from '../support/journey.ts'
import { verifier, type Check } from '../support/verifier.ts'

/** A checkpoint comes every second; a busy machine may take some. */
const TRIES = 30
const BODY = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hello' }] })

interface Asked {
  readonly id: string
  readonly body: string
}

async function send({ door }: Journey, key: string, target: string, body?: string): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return await fetch(
    `${door().door}${target}`,
    body === undefined ? { headers } : { method: 'POST', headers, body },
  )
}

async function ask(story: Journey, key: string, body = BODY): Promise<Asked> {
  const answer = await send(story, key, '/v1/chat/completions', body)
  return { id: answer.headers.get('x-request-id') ?? '', body: await answer.text() }
}

/** The receipts of a request, as often as the door says to ask again. */
async function receipt(story: Journey, key: string, id: string): Promise<string> {
  for (let at = 0; at < TRIES; at++) {
    const answer = await send(story, key, `/v1/receipts/${id}`)
    const text = await answer.text()
    if (answer.status === 200) {
      assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      return text
    }
    assert.deepEqual([answer.status, JSON.parse(text).code], [503, 'receipt.pending'])
    await setTimeout(Number(answer.headers.get('retry-after')) * 1_000)
  }
  return assert.fail('no checkpoint has come')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

test('a caller keeps receipts of its requests, which anybody can check without the door', async () => {
  await journey(async (story) => {
    const { home, json, cli, key } = story
    const { keys } = (await json('ledger', 'key')) as { keys: { key: string }[] }
    const noted = keys.flatMap((each) => ['--key', each.key])
    const check = async (name: string, text: string): Promise<readonly Check[]> => {
      const file = path.join(home, name)
      await writeFile(file, text)
      const { exit, checks } = verifier.run(['pack', file, ...noted, '--witness', 'none'])
      assert.equal(exit, 0, JSON.stringify(checks))
      return checks
    }
    const { key: mine } = await key('mine')
    const { key: other } = await key('other')

    // A request that was answered: both hashes are of what the caller itself has.
    const answered = await ask(story, mine)
    const text = await receipt(story, mine, answered.id)
    const said = JSON.stringify(await check('answered', text))
    assert.ok(said.includes(sha256(BODY)) && said.includes(sha256(answered.body)))
    assert.ok(said.includes(`intent ${answered.id}`) && said.includes(`outcome ${answered.id}`))

    // One that was refused, for a model that there is not.
    const refused = await ask(story, mine, BODY.replace('"echo"', '"absent"'))
    const why = JSON.stringify(await check('refused', await receipt(story, mine, refused.id)))
    assert.ok(why.includes(`refusal ${refused.id}`) && why.includes('Model::\\\\\\"absent\\\\\\"'))

    // The operator has the same, from the files; and may open more, or nothing.
    const printed = await cli('ledger', 'receipt', answered.id)
    const entryLines = (receipts: string): string[] => receipts.match(/^(entry|open) .*$/gm) ?? []
    assert.deepEqual(entryLines(printed.stdout), entryLines(text))
    await check('printed', printed.stdout)
    assert.equal(
      (await cli('ledger', 'receipt', answered.id, '--disclose', 'none')).stdout.includes('open '),
      false,
    )
    assert.equal((await cli('ledger', 'receipt', '0000000000000000')).status, 66)
    const against = await json('ledger', 'verify', '--against', path.join(home, 'answered'))
    assert.deepEqual([against['ok'], against['problems']], [true, []])
    assert.equal((await cli('ledger', 'receipt', answered.id, '--disclose', 'some')).status, 64)

    // What is somebody else's, and what is not there, is the same to everyone.
    const ids = [answered.id, '0000000000000000']
    const problems = await Promise.all(
      ids.map(async (id) => {
        const answer = await send(story, other, `/v1/receipts/${id}`)
        const { entry, ...problem } = (await answer.json()) as Record<string, unknown>
        assert.equal(entry, answer.headers.get('x-request-id'))
        return { status: answer.status, ...problem }
      }),
    )
    assert.deepEqual(problems[0]?.status, 404)
    assert.deepEqual(problems[0], problems[1])

    // Whoever gets the name of a caller that was deleted gets nothing else of it.
    await json('caller', 'delete', 'mine')
    const { key: heir } = await key('mine')
    for (const target of ['receipts', 'why'])
      assert.equal((await send(story, heir, `/v1/${target}/${answered.id}`)).status, 404)
  })
})

test('what a caller has named draws nothing on the terminal of the operator, and stands in a receipt as it was', async () => {
  await journey(async (story) => {
    const { cli, key } = story
    const { key: mine } = await key('mine')
    const name = 'x\u009b2J\u202ey\u0085z'
    const body = JSON.stringify({ model: name, messages: [{ role: 'user', content: 'hello' }] })
    const { id } = await ask(story, mine, body)
    const kept = await receipt(story, mine, id)
    assert.ok(kept.includes(name))
    assert.ok((await cli('ledger', 'receipt', id)).stdout.includes(name))
    const shown = (await cli('ledger', 'show', id)).stdout
    assert.ok(shown.includes(String.raw`x\u{9b}2J\u{202e}y\u{85}z`), shown)
    const json = (await cli('ledger', 'show', id, '--json')).stdout
    assert.match(JSON.stringify(JSON.parse(json)), new RegExp(name))
    for (const text of [shown, json]) assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}]/u)
  })
})
