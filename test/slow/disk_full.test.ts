import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { removeHome, temporaryHome } from '../support/gatehouse_process.ts'
import { journey, refusal, say } from '../support/journey.ts'

const MIB = 1_048_576
/** A segment has up to 256 KiB of its own already: a few hundred requests. */
const MOST_REQUESTS = 3_000
const CONFIG =
  'models:\n  echo: { provider: echo }\nledger: { max_bytes: 1000000000, reserve_bytes: 4194304 }\n'

test('a disk that is really full: callers get 503, a key can be revoked, and service comes back with the space', async (context) => {
  const disk = await temporaryHome()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk])
  if (mounted.status !== 0) {
    await removeHome(disk)
    context.skip('this user may not mount a small disk')
    return
  }
  try {
    const home = path.join(disk, 'h')
    await mkdir(home, { mode: 0o700 })
    await writeFile(path.join(home, 'gatehouse.yaml'), CONFIG)
    await journey(
      async ({ key, client, json, door }) => {
        const demo = await key('demo', '--models', 'echo')
        const other = await key('other', '--models', 'echo')
        await say(client(demo.key), 'before')
        const filler = path.join(disk, 'filler')
        await fill(filler)
        const told = await refusedSoon(async () => say(client(demo.key), 'x'.repeat(10_000)))
        assert.deepEqual([told.status, told.code], [503, 'ledger.unwritable'])
        assert.equal((await fetch(`${door().door}/readyz`)).status, 503)
        await json('key', 'revoke', other.kid)
        await rm(filler)
        await servedSoon(async () => say(client(demo.key), 'after'))
        assert.equal((await refusal(say(client(other.key), 'x'))).status, 401)
        await door().stop()
        const verified = await json('ledger', 'verify')
        assert.equal(verified['ok'], true)
      },
      { home },
    )
  } finally {
    spawnSync('umount', ['-l', disk])
    await removeHome(disk)
  }
})

/** Writes until the disk takes nothing more. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (let size = MIB; size >= 1; size = Math.floor(size / 2)) await writeAll(handle, Buffer.alloc(size))
  } finally {
    await handle.close()
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, block: Buffer): Promise<void> {
  for (let count = 0; count < 64; count += 1) {
    try {
      const { bytesWritten } = await handle.write(block)
      if (bytesWritten < block.length) return
    } catch {
      return
    }
  }
}

async function refusedSoon(call: () => Promise<unknown>): ReturnType<typeof refusal> {
  for (let count = 0; count < MOST_REQUESTS; count += 1) {
    try {
      await call()
    } catch (thrown) {
      return refusal(Promise.reject(thrown))
    }
  }
  throw new Error('the full disk was never noticed')
}

async function servedSoon(call: () => Promise<unknown>): Promise<void> {
  const until = Date.now() + 15_000
  for (;;) {
    try {
      await call()
      return
    } catch (thrown) {
      if (Date.now() > until) throw thrown
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
}
