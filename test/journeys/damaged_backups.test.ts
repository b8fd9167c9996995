import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { gatehouse, removeHome, temporaryHome } from '../support/gatehouse_process.ts'

async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await gatehouse([...args, '--json'])
  assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Record<string, unknown>
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(file, bytes)
}

const HARMS: readonly (readonly [why: string, harm: (file: string) => Promise<void>])[] = [
  ['missing', async (file) => await rm(file)],
  ['empty', async (file) => await truncate(file, 0)],
  ['cut short', async (file) => await truncate(file, (await stat(file)).size - 1)],
]

test('damaged objects of a backup are named, cost nothing else, and are mended from the home', async () => {
  const folder = await temporaryHome()
  const [home, target, other] = ['home', 'copy', 'other'].map((name) => path.join(folder, name))
  assert.ok(home !== undefined && target !== undefined && other !== undefined)
  try {
    const secret = path.join(folder, 'backup.key')
    await writeFile(secret, Buffer.alloc(40, 'k'), { mode: 0o600 })
    const keyed = ['--key-file', secret]
    const backup = ['backup', target, ...keyed, '--home', home]
    await run('key', 'create', '--name', 'a', '--home', home)
    await run(...backup)
    // What is made anew for each run is not the same object twice; the policy set in force is.
    const policies = await readFile(path.join(home, 'gatehouse.yaml'))
    for (const [why, harm] of HARMS) {
      for (const name of await readdir(path.join(target, 'objects')))
        await harm(path.join(target, 'objects', name))
      assert.notEqual((await gatehouse(['backup', 'verify', target, ...keyed])).status, 0, why)
      const again = await run(...backup)
      assert.deepEqual([again['copied_files'], again['repaired']], [again['files'], []], why)
      assert.equal((await run('backup', 'verify', target, ...keyed))['ok'], true, why)
    }
    for (const name of await readdir(path.join(target, 'objects')))
      await flip(path.join(target, 'objects', name))
    const verified = await gatehouse(['backup', 'verify', target, ...keyed])
    assert.match(verified.stderr, /gatehouse\.yaml \(objects\/[0-9a-f]{64}\)/)
    assert.match(verified.stderr, /backup --repair/)
    // The keys in it do not open any more, which no run needs to be asked to notice.
    assert.match((await gatehouse(backup)).stderr, /backup\.damaged/)
    const { repaired } = await run(...backup, '--repair')
    assert.ok(Array.isArray(repaired) && repaired.includes('gatehouse.yaml'))
    assert.equal((await run('backup', 'verify', target, ...keyed))['ok'], true)
    assert.deepEqual((await run(...backup, '--repair'))['repaired'], [])

    const sizes = await Promise.all(
      (await readdir(path.join(target, 'objects'))).map(async (name) => ({
        name,
        bytes: (await stat(path.join(target, 'objects', name))).size,
      })),
    )
    const [largest] = sizes.toSorted((left, right) => right.bytes - left.bytes)
    await flip(path.join(target, 'objects', largest?.name ?? ''))
    const restoring = ['restore', target, ...keyed, '--home', other]
    const refused = await gatehouse(restoring)
    assert.equal(refused.status, 65, refused.stdout)
    assert.match(refused.stderr, new RegExp(`^.*\\(objects/${largest?.name}\\)\\. All other files stand in `))
    assert.ok(!existsSync(other))
    assert.deepEqual(await readFile(`${other}.restoring/gatehouse.yaml`), policies)
    await run(...backup, '--repair')
    await run(...restoring)
    const { keys } = (await run('key', 'list', '--home', other)) as { keys: { name: string }[] }
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['a'],
    )
  } finally {
    await removeHome(folder)
  }
})
