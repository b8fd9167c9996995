import assert from 'node:assert/strict'
import { readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'node:test'
import { peekCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'
import { leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { journey, say, type Journey } from '../support/journey.ts'
import { RawConnection } from '../support/raw_http.ts'

const READER = `@id("test.log-reader")
permit (principal == Service::"mirror", action == Action::"log:read-entries", resource == Endpoint::"log");
`

async function checkpoint({ door }: Journey): Promise<Head> {
  const response = await fetch(`${door().door}/log/checkpoint`)
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  return peekCheckpoint(await response.text()) ?? assert.fail('not a checkpoint')
}

/** Waits until the checkpoint covers at least so many entries. */
async function signed(told: Journey, size: number): Promise<Head> {
  for (;;) {
    const head = await checkpoint(told)
    if (head.size >= size) return head
  }
}

test('anyone reads tiles that come to the checkpoint, and who may read entries reads those that come to the tiles', async () => {
  await journey(async (told) => {
    const { key, client, cli, door, home, json } = told
    await writeFile(path.join(home, 'policies', 'reader.cedar'), READER)
    await json('policy', 'apply')
    const mirror = await key('mirror', '--models', 'echo')
    const other = await key('other', '--models', 'echo')
    await say(client(other.key), 'hello')
    const { size, root } = await signed(told, 8)
    const tile = await fetch(`${door().door}/log/tile/0/000.p/${size}`)
    const hashes = Buffer.from(await tile.arrayBuffer())
    assert.equal(tile.headers.get('content-type'), 'application/octet-stream')
    assert.deepEqual(rootOf(hashesOf(hashes)), Buffer.from(root))
    const bundle = `${door().door}/log/tile/entries/000.p/${size}`
    assert.equal((await fetch(bundle)).status, 401)
    const denied = await fetch(bundle, { headers: { authorization: `Bearer ${other.key}` } })
    assert.equal(denied.status, 403)
    const response = await fetch(bundle, { headers: { authorization: `Bearer ${mirror.key}` } })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/octet-stream')
    assert.equal(response.headers.get('cache-control'), 'private, max-age=86400, immutable')
    const entries = entriesOf(Buffer.from(await response.arrayBuffer()))
    assert.deepEqual(Buffer.concat(entries.map(leafHash)), hashes)
    const entry = response.headers.get('x-request-id') ?? ''
    const why = await cli('ledger', 'show', entry)
    assert.match(why.stdout, /log:read-entries/)
    assert.match(why.stdout, new RegExp(`tile/entries/000\\.p/${size}`))
  })
})

test('tiles and checkpoints are documents of HTTP: kept as long as they hold, and not sent twice', async () => {
  await journey(async (told) => {
    const { size } = await signed(told, 1)
    const base = `${told.door().door}/log`
    const tile = `${base}/tile/0/000.p/${size}`
    const whole = await fetch(tile)
    const body = Buffer.from(await whole.arrayBuffer())
    const tag = whole.headers.get('etag') ?? assert.fail('no tag')
    assert.equal(whole.headers.get('cache-control'), 'public, max-age=86400, immutable')
    assert.equal((await fetch(`${base}/checkpoint`)).headers.get('cache-control'), 'public, max-age=1')
    const held = await fetch(tile, { headers: { 'if-none-match': tag } })
    assert.deepEqual([held.status, await held.text(), held.headers.get('etag')], [304, '', tag])
    const head = await fetch(tile, { method: 'HEAD' })
    assert.deepEqual(
      [head.status, head.headers.get('content-length'), await head.text()],
      [200, String(body.length), ''],
    )
    // Parts are not given: the whole is what RFC 9110 section 14.2 asks for then.
    const part = await fetch(tile, { headers: { range: 'bytes=0-31' } })
    assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer())], [200, body])
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const refused = await fetch(tile, { method })
      assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD'], method)
    }
    const missing = await fetch(`${base}/tile/0/x001/000`)
    assert.deepEqual([missing.status, missing.headers.get('cache-control')], [404, 'no-store'])
  })
})

test('paths that mean something else elsewhere are refused, and what is not signed is not there', async () => {
  await journey(async (told) => {
    const { size } = await signed(told, 1)
    const statuses: readonly [target: string, status: number][] = [
      [`/log/tile/0/000.p/${size + 100}`, 404],
      ['/log/tile/0/000', 404],
      ['/log/tile/0/../../checkpoint', 400],
      ['/log/tile/0/%2e%2e/%2e%2e/origin', 400],
      ['/log/tile//0/000', 400],
      ['/log/origin', 404],
      ['/log/tile/0/x000/000', 404],
      ['/logs/0001-0000000000000000/checkpoint', 404],
      ['/logs/../../home/checkpoint', 400],
    ]
    const { hostname, port } = new URL(told.door().door ?? '')
    for (const [target, status] of statuses) {
      const connection = await RawConnection.open({ host: hostname, port: Number(port) })
      connection.write(`GET ${target} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`)
      assert.equal((await connection.reply())?.status, status, target)
    }
  })
})

test('an export is a tree of files that comes to its checkpoint, beside a running door, and grows with the log', async () => {
  await journey(async ({ home, json, key, client, cli }) => {
    const target = path.join(home, 'mirror')
    const { key: own } = await key('demo', '--models', 'echo')
    await cli('ledger', 'export', target)
    const first = await treeOf(target)
    await say(client(own), 'hello')
    await json('ledger', 'compact')
    const told = await json('ledger', 'export', target)
    const second = await treeOf(target)
    assert.ok(second.size > first.size)
    assert.equal(told['entries'], second.size)
    const reindexed = await json('ledger', 'reindex')
    assert.deepEqual([reindexed['tiles'], reindexed['filters']], [0, 0])
    const mixed = await cli('ledger', 'export', home)
    assert.equal(mixed.status, 73)
    assert.match(mixed.stderr, /not empty/)
    const elsewhere = path.join(home, 'elsewhere')
    await rename(path.join(target, 'tile'), elsewhere)
    await symlink(elsewhere, path.join(target, 'tile'))
    const before = await readdir(elsewhere, { recursive: true })
    await say(client(own), 'hello again')
    for (const wrong of [target, path.join(home, 'ledger', '0002-0000000000000000')])
      assert.equal((await cli('ledger', 'export', wrong)).status, 73)
    assert.deepEqual(await readdir(elsewhere, { recursive: true }), before)
  })
})

/** Reads an export, and checks its bundle against its checkpoint. */
async function treeOf(target: string): Promise<Head> {
  const head = peekCheckpoint(await readFile(path.join(target, 'checkpoint'), 'utf8')) ?? assert.fail()
  const [folder = ''] = (await readdir(path.join(target, 'tile/entries'))).filter((name) =>
    name.endsWith('.p'),
  )
  assert.deepEqual(await readdir(path.join(target, 'tile/entries', folder)), [String(head.size)])
  const bundle = await readFile(path.join(target, 'tile/entries', folder, String(head.size)))
  assert.deepEqual(rootOf(entriesOf(bundle).map(leafHash)), Buffer.from(head.root))
  return head
}

function entriesOf(bundle: Buffer): readonly Buffer[] {
  const entries: Buffer[] = []
  for (let at = 0; at < bundle.length;) {
    const length = bundle.readUInt16BE(at)
    entries.push(bundle.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return entries
}

function hashesOf(tile: Buffer): readonly Buffer[] {
  return Array.from({ length: tile.length / 32 }, (_, at) => tile.subarray(at * 32, at * 32 + 32))
}
