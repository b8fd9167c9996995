import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdir, rename, rm, symlink } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { gatehouse, removeHome, startDoor, temporaryHome } from '../support/gatehouse_process.ts'

/** A start that takes longer hangs. */
const HANG_MS = 60_000

/** Files of a home, and the code with which a start refuses when something else is in their place. */
const PLACES: readonly (readonly [place: string, code: string])[] = [
  ['LOG/checkpoint', 'ledger.corrupt'],
  ['LOG/000000000000.raw', 'ledger.corrupt'],
  ['LOG/origin', 'ledger.corrupt'],
  ['gatehouse.yaml', 'config.invalid'],
  ['state.db', 'home.damaged'],
  ['lock.db', 'home.damaged'],
]

const PUT: readonly (readonly [what: string, put: (at: string) => Promise<void>, places: typeof PLACES])[] = [
  ['a pipe', async (at) => void execFileSync('mkfifo', [at]), PLACES],
  ['a device that never ends', async (at) => await symlink('/dev/zero', at), PLACES.slice(1, 2)],
]

for (const [what, put, places] of PUT)
  test(`a start neither hangs nor fills the memory: ${what} in the place of a file`, async () => {
    const home = await temporaryHome()
    const door = await startDoor(home)
    await door.stop()
    const [log = ''] = (await readdir(path.join(home, 'ledger'))).filter((name) => name.startsWith('0001'))
    for (const [place, code] of places) {
      const at = path.join(home, place.replace('LOG', path.join('ledger', log)))
      await rename(at, `${at}-away`)
      await put(at)
      const refused = await within(gatehouse(['key', 'list', '--home', home]), place)
      assert.notEqual(refused.status, 0, place)
      assert.ok(refused.stderr.includes(code), `${place}: ${refused.stderr}`)
      await rm(at)
      await rename(`${at}-away`, at)
    }
    // These are told, and do not keep a home from opening.
    for (const place of ['head', 'running.json', 'policies/zz.cedar']) {
      const at = path.join(home, place)
      await rm(at, { force: true })
      await put(at)
      const listed = await within(gatehouse(['key', 'list', '--home', home]), place)
      assert.equal(listed.status, 0, `${place}: ${listed.stderr}`)
      await rm(at, { force: true })
    }
    const at = path.join(home, 'x')
    await put(at)
    for (const args of [
      ['config', 'check', '--config', at],
      ['ledger', 'verify', '--against', at],
    ]) {
      const refused = await within(gatehouse([...args, '--home', home]), args.join(' '))
      assert.notEqual(refused.status, 0, args.join(' '))
    }
    await removeHome(home)
  })

async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs: ${what}`)), HANG_MS)
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
