import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  gatehouse,
  removeHome,
  ROOT,
  startDoor,
  temporaryHome,
  type DoorProcess,
} from '../support/gatehouse_process.ts'
import { matches } from '../scripts/script.ts'
import { findBlocks, statusOf, type Block } from './blocks.ts'

/** The pages use curl, which a bare machine may not have. */
const WITHOUT_CURL = spawnSync('curl', ['--version']).error === undefined ? false : 'curl is not installed'

const FILES = ['README.md', ...markdownUnder('docs')]

for (const file of FILES) {
  const blocks = findBlocks(file, readFileSync(join(ROOT, file), 'utf8'))
  const runnable = blocks.filter(({ language, marks }) => language === 'sh' && !marks.includes('ci'))
  if (runnable.length > 0)
    test(`every command of ${file} does what the page says`, { skip: WITHOUT_CURL }, () => runAll(runnable))
  const configurations = blocks.filter(({ language }) => language === 'yaml')
  if (configurations.length > 0)
    test(`every configuration in ${file} is valid`, () => checkYaml(configurations))
  const policies = blocks.filter(({ language }) => language === 'cedar')
  if (policies.length > 0) test(`every policy in ${file} is valid`, () => checkCedar(policies))
}

test('every block says in which language it is: an unmarked one would run nowhere', () => {
  for (const file of FILES.filter((name) => !name.startsWith('docs/decisions/')))
    for (const { line, language } of findBlocks(file, readFileSync(join(ROOT, file), 'utf8')))
      assert.notEqual(language, '', `${file}:${line}`)
})

interface Session {
  readonly home: string
  door: DoorProcess
  readonly env: Record<string, string>
}

async function runAll(blocks: readonly Block[]): Promise<void> {
  const home = await temporaryHome()
  const session: Session = { home, door: await startDoor(home), env: { GATEHOUSE_HOME: home } }
  try {
    const made = await gatehouse([
      'key',
      'create',
      '--name',
      'reader',
      '--models',
      'echo',
      '--home',
      home,
      '--json',
    ])
    const { key, kid } = JSON.parse(made.stdout) as { key: string; kid: string }
    Object.assign(session.env, { KEY: key, KID: kid })
    for (const block of blocks) await runBlock(block, session)
  } finally {
    await session.door.stop()
    await removeHome(home)
  }
}

async function runBlock(block: Block, session: Session): Promise<void> {
  const place = `${block.file}:${block.line}`
  if (block.marks.includes('up')) return await checkFirstStart(block, place)
  if (block.marks.includes('door')) await session.door.stop()
  const { status, printed } = await bash(placed(block.text, session.door), session.env)
  if (block.marks.includes('door')) session.door = await startDoor(session.home)
  assert.equal(status, statusOf(block), `${place} ended with ${status}:\n${printed}`)
  session.env['ID'] = /^x-request-id: (\w+)/im.exec(printed)?.[1] ?? session.env['ID'] ?? ''
  session.env['KID'] =
    /^(?:Key |gate_(?:live|test)_)([0-9A-Za-z]{12})/m.exec(printed)?.[1] ?? session.env['KID'] ?? ''
  if (block.output === undefined) return
  const wanted = placed(block.output, session.door).trimEnd()
  assert.ok(
    matches(wanted, printed.replaceAll('\r', '').trimEnd()),
    `${place}\nwanted:\n${wanted}\ngot:\n${printed}`,
  )
}

/** A first start on a home of its own and on ports that are free; what it prints is compared, and it is stopped. */
async function checkFirstStart(block: Block, place: string): Promise<void> {
  assert.equal(block.text.trim(), './gatehouse up', place)
  const home = await temporaryHome()
  const ports = ['--listen', '--admin-listen', '--metrics-listen'].flatMap((option) => [
    option,
    '127.0.0.1:0',
  ])
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(ROOT, 'src/main.ts'), 'up', '--home', join(home, 'new'), ...ports],
    {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let printed = ''
  for await (const text of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
    printed += text
    if (printed.includes('Stop with Ctrl-C')) child.kill('SIGTERM')
  }
  await removeHome(home)
  const pattern = (block.output ?? '').replaceAll(/127\.0\.0\.1:440\d/g, '127.0.0.1:…').trimEnd()
  assert.ok(matches(pattern, printed.trimEnd()), `${place}\nwanted:\n${pattern}\ngot:\n${printed}`)
}

/** The page with the addresses of the door of this test. */
function placed(text: string, { door, admin, metrics }: DoorProcess): string {
  const urls = [door, admin, metrics]
  // All at once: the port of one may begin as the number of another.
  return text.replaceAll(
    /127\.0\.0\.1:440([012])\b/g,
    (_, at: string) => new URL(urls[Number(at)] ?? door).host,
  )
}

async function bash(
  script: string,
  env: Record<string, string>,
): Promise<{ status: number; printed: string }> {
  const child = spawn('bash', ['-euc', script], {
    cwd: ROOT,
    env: { ...process.env, ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await once(child, 'close')
  return { status: child.exitCode ?? 128, printed }
}

async function checkYaml(blocks: readonly Block[]): Promise<void> {
  const home = await temporaryHome()
  try {
    for (const { file, line, text } of blocks) {
      const path = join(home, 'page.yaml')
      await writeFile(path, text)
      const { status, stdout, stderr } = await gatehouse(['config', 'show', '--config', path, '--home', home])
      assert.equal(status, 0, `${file}:${line}\n${stdout}${stderr}`)
    }
  } finally {
    await removeHome(home)
  }
}

async function checkCedar(blocks: readonly Block[]): Promise<void> {
  const home = await temporaryHome()
  const door = await startDoor(home)
  await door.stop()
  try {
    for (const { file, line, text } of blocks) {
      await writeFile(join(home, 'policies', 'page.cedar'), text)
      const { status, stdout, stderr } = await gatehouse(['policy', 'check', '--home', home])
      assert.equal(status, 0, `${file}:${line}\n${stdout}${stderr}`)
    }
  } finally {
    await removeHome(home)
  }
}

function markdownUnder(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort()
}
