import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { newEd25519Pem } from '#base/crypto.ts'
import { signCheckpoint } from '#trust/ledger/checkpoint.ts'
import { ed25519Cosigner } from '#trust/ledger/cosignature.ts'
import { noteSigner, printVerifierKey } from '#trust/ledger/note.ts'
import { gatehouse } from '../support/gatehouse_process.ts'
import { journey, say, type Journey } from '../support/journey.ts'

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-held-'))
  t.after(async () => rm(folder, { recursive: true, force: true }))
  return folder
}

async function configure(home: string, ledger: string): Promise<void> {
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models: { echo: { provider: echo } }\nledger: ${ledger}\n`,
  )
}

async function anchoredSays({ cli }: Journey): Promise<string> {
  const { stdout } = await cli('doctor', '--json')
  const { checks } = JSON.parse(stdout) as { checks: { id: string; says: string }[] }
  return checks.find(({ id }) => id === 'ledger-anchored')?.says ?? ''
}

test('doctor takes for held what is there: not what the door has written into a file that is gone since', async (t) => {
  const folder = path.join(await scratch(t), 'mount')
  const anchor = path.join(folder, 'copy')
  await mkdir(folder)
  await journey(async (story) => {
    await configure(story.home, `{ anchors: [${anchor}] }`)
    await story.restart()
    const says = await anchoredSays(story)
    assert.match(says, /are held outside \(anchors: \d+, less than a minute ago\)/)
    assert.ok(says.endsWith(`what whoever owns this machine does: ${anchor}`), says)
    await rename(folder, `${folder}-away`)
    assert.match(await anchoredSays(story), /nobody outside holds a checkpoint/)
    await rename(`${folder}-away`, folder)
    assert.match(await anchoredSays(story), /are held outside/)
    const signer = noteSigner('gatehouse.local/another', newEd25519Pem())
    const other = await signCheckpoint({ origin: signer.name, size: 1, root: Buffer.alloc(32) }, [signer], 0)
    await writeFile(anchor, other)
    assert.match(await anchoredSays(story), /nobody outside holds a checkpoint/)
    await story.key('demo', '--models', 'echo')
    assert.equal(await readFile(anchor, 'utf8'), other, 'it is of somebody else')
  })
})

/** A folder on another disk than that of scratch folders, where there is one. */
async function otherDisk(t: TestContext): Promise<string | undefined> {
  const known = await Promise.all(
    ['/dev/shm', tmpdir()].map(async (each) => stat(each).catch(() => undefined)),
  )
  if (known[0] === undefined || known[0].dev === known[1]?.dev) return undefined
  const folder = await mkdtemp('/dev/shm/gatehouse-held-')
  t.after(async () => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a file whose mount is gone is not written to the disk below, and doctor says so', async (t) => {
  const share = await otherDisk(t)
  if (share === undefined) return t.skip('there is one disk only')
  const folder = path.join(await scratch(t), 'mount')
  await symlink(share, folder)
  await journey(async (story) => {
    await configure(story.home, `{ anchors: [${path.join(folder, 'copy')}] }`)
    await story.restart()
    const held = await anchoredSays(story)
    assert.match(held, /are held outside/)
    assert.doesNotMatch(held, /on the disk of the home/)
    await story.door().stop()
    await rm(folder)
    await mkdir(folder)
    await story.restart()
    await story.key('demo', '--models', 'echo')
    await story.door().stop()
    assert.deepEqual(await readdir(folder), [])
    await story.restart()
    const { stdout } = await story.cli('doctor', '--json')
    assert.match(stdout, /is not where it was: its folder is on another disk now/)
    await story.door().stop()
    await rm(folder, { recursive: true })
    await symlink(share, folder)
    await story.restart()
    assert.match(await anchoredSays(story), /are held outside/)
  })
})

/** Answers what a test says in place of a witness. */
async function hostile(
  t: TestContext,
  answer: (body: string, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => answer(body, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a witness that states an impossible time, or never answers, troubles nobody but itself', async (t) => {
  const [liar, silent] = [0, 1].map((at) => ed25519Cosigner(`witness.test/${at}`, newEd25519Pem()))
  assert.ok(liar !== undefined && silent !== undefined)
  const told = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const urls = [
    await hostile(t, (body, response) => {
      const checkpoint = body.slice(body.indexOf('\n\n') + 2)
      const text = checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1)
      void liar.sign(text, 8e18).then((line) => response.end(line, () => told.resolve()))
    }),
    await hostile(t, () => asked.resolve()),
  ]
  const list = [liar, silent].map((each, at) => `{ url: "${urls[at]}", keys: ["${printVerifierKey(each)}"] }`)
  await journey(async (story) => {
    const { home, door, key, client, cli, restart } = story
    await configure(home, `{ witnesses: { every_ms: 1000, timeout_ms: 60000, list: [${list.join()}] } }`)
    await restart()
    const demo = await key('demo', '--models', 'echo')
    await Promise.all([told.promise, asked.promise])
    await say(client(demo.key), 'nobody waits for a witness')
    for (const target of ['/readyz', '/healthz']) {
      const answer = await fetch(`${door().door}${target}`)
      assert.equal(answer.status, 200, target)
    }
    assert.match(await anchoredSays(story), /nobody outside holds a checkpoint/)
    assert.equal((await cli('ledger', 'verify')).status, 0)
    const before = performance.now()
    await door().stop()
    assert.ok(performance.now() - before < 10_000, 'the end does not wait for the one that never answers')
    await configure(home, '{ witnesses: [')
    const unread = await cli('ledger', 'verify')
    assert.equal(unread.status, 78, 'who holds it is not known: that must not look as if all was compared')
    assert.match(unread.stdout, /internally consistent[^]*not compared with what anchors and witnesses hold/)
  })
})

test('a door does not begin with a key of its own ledger as a witness', async () => {
  await journey(async ({ home, json, door }) => {
    const { keys } = (await json('ledger', 'key')) as { keys: { key: string }[] }
    const own = keys.find(({ key }) => key.length > 512)?.key ?? assert.fail('no ML-DSA-44 key')
    await door().stop()
    await configure(home, `{ witnesses: { list: [{ url: "http://127.0.0.1:1", keys: ["${own}"] }] } }`)
    const listen = [
      '--listen',
      '127.0.0.1:0',
      '--admin-listen',
      '127.0.0.1:0',
      '--metrics-listen',
      '127.0.0.1:0',
    ]
    const refused = await gatehouse(['up', '--home', home, ...listen])
    assert.notEqual(refused.status, 0)
    assert.match(refused.stderr, /names a key of this ledger itself/)
  })
})
