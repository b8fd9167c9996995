import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { newEd25519Pem } from '#base/crypto.ts'
import { openCheckpoint } from '#trust/ledger/checkpoint.ts'
import { cosignaturesOf, ed25519Cosigner, parseCosignerKey, parseLogKey } from '#trust/ledger/cosignature.ts'
import { printVerifierKey } from '#trust/ledger/note.ts'
import { removeHome, startWitness, temporaryHome, type WitnessProcess } from '../support/gatehouse_process.ts'
import { journey, say, type Journey } from '../support/journey.ts'

/** Rounds come every second; a busy machine may take some of them. */
const DEADLINE_MS = 30_000

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await setTimeout(200)) {
    const found = await look().catch(() => undefined)
    if (found !== undefined) return found
  }
  return assert.fail(`not within ${DEADLINE_MS} ms: ${what}`)
}

/** A witness on a free port that knows one log. */
class TestWitness {
  readonly folder: string
  process: WitnessProcess

  private constructor(folder: string, process: WitnessProcess) {
    this.folder = folder
    this.process = process
  }

  static async open(t: TestContext, keys: readonly string[]): Promise<TestWitness> {
    const folder = await temporaryHome()
    t.after(async () => removeHome(folder))
    await configureWitness(folder, '127.0.0.1:0', keys)
    const witness = new TestWitness(folder, await startWitness(folder))
    t.after(async () => witness.process.stop())
    return witness
  }

  /** Starts again at the same address with these keys of the log. */
  async knows(keys: readonly string[]): Promise<void> {
    await this.process.stop()
    await configureWitness(this.folder, new URL(this.process.url).host, keys)
    this.process = await startWitness(this.folder)
  }
}

async function configureWitness(folder: string, listen: string, keys: readonly string[]): Promise<void> {
  const lines = keys.map((key) => `      - ${key}\n`).join('')
  const name = `witness.test/${path.basename(folder)}`
  await writeFile(
    path.join(folder, 'witness.yaml'),
    `name: ${name}\nlisten: ${listen}\nlogs:\n  - keys:\n${lines}`,
  )
}

/** The keys that the folder of the log names, newest first. */
async function logKeys(home: string): Promise<string[]> {
  return (await noteIn(home, 'origin')).trimEnd().split('\n')
}

/** Names witnesses in the configuration of a home. */
async function configure(
  home: string,
  witnesses: readonly { url: string; keys: readonly string[] }[],
): Promise<void> {
  const list = witnesses.map(
    ({ url, keys }) =>
      `      - url: ${url}\n        keys:\n${keys.map((key) => `          - ${key}\n`).join('')}`,
  )
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models: { echo: { provider: echo } }\nledger:\n  witnesses:\n    quorum: 2\n    every_ms: 1000\n    timeout_ms: 5000\n    list:\n${list.join('')}`,
  )
}

async function noteIn(home: string, name: 'checkpoint' | 'cosigned' | 'origin'): Promise<string> {
  const [folder = ''] = (await readdir(path.join(home, 'ledger'))).filter((each) => each.startsWith('0001-'))
  return await readFile(path.join(home, 'ledger', folder, name), 'utf8')
}

interface Holder {
  readonly name: string
  readonly entries: number | null
  readonly problem: string | null
}

async function outside(
  { door }: Journey,
  home: string,
): Promise<{ witnessed: number | null; holders: Holder[] }> {
  const socketPath = path.join(home, 'admin.sock')
  assert.ok(door().child.pid !== undefined)
  const text = await new Promise<string>((resolve, reject) => {
    request({ socketPath, path: '/admin/health', headers: { host: 'localhost' } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (part: string) => (body += part))
      response.on('end', () => resolve(body))
    })
      .on('error', reject)
      .end()
  })
  return (JSON.parse(text) as { ledger: { outside: { witnessed: number | null; holders: Holder[] } } }).ledger
    .outside
}

test('witnesses cosign what the door records, and everybody is told how far', async (t) => {
  await journey(async (story) => {
    const { home, key, client, restart, cli } = story
    const keys = await logKeys(home)
    const witnesses = [await TestWitness.open(t, keys), await TestWitness.open(t, keys)]
    const away = {
      url: 'http://127.0.0.1:1',
      keys: [printVerifierKey(ed25519Cosigner('witness.test/away', newEd25519Pem()))],
    }
    const own = witnesses.map(({ process }, at) => ({
      url: process.url,
      keys: process.keys.slice(at === 0 ? 1 : 0),
    }))
    await configure(home, [...own, away])
    await restart()
    const demo = await key('demo', '--models', 'echo')
    const answer = await say(client(demo.key), 'hello')
    assert.equal(answer.object, 'chat.completion')

    const logVerifiers = keys.map(parseLogKey).filter((each) => each !== undefined)
    const cosigners = own
      .flatMap((each) => each.keys.map(parseCosignerKey))
      .filter((each) => each !== undefined)
    const note = await until('a cosigned checkpoint of all entries', async () => {
      const text = await noteIn(home, 'cosigned')
      const held = await outside(story, home)
      const head = openCheckpoint(text, logVerifiers)
      return head !== undefined && held.witnessed === head.size && (await noteIn(home, 'checkpoint')) === text
        ? text
        : undefined
    })
    // One key of the first and both of the second.
    assert.equal(cosignaturesOf(note, cosigners).length, 3)
    const { holders } = await outside(story, home)
    assert.equal(holders.length, 3)
    assert.match(holders[2]?.problem ?? '', /^cannot be asked: upstream\.failed$/)

    const verified = await cli('ledger', 'verify')
    assert.match(verified.stdout, /held outside, of \d+ entries: \d+ by witnesses at 20/)
    const doctor = await cli('doctor')
    assert.match(
      doctor.stdout,
      /entries are held outside \(witnesses, 2 at least: \d+, less than a minute ago\)/,
    )
    await restart()
    const again = await outside(story, home)
    assert.ok(again.witnessed !== null, 'a new start knows what was cosigned before')
  })
})

test('a witness remembers what a home that was put back does not', async (t) => {
  await journey(async (story) => {
    const { home, door, restart, key } = story
    const keys = await logKeys(home)
    const witnesses = [await TestWitness.open(t, keys), await TestWitness.open(t, keys)]
    await door().stop()
    const copy = `${home}-copy`
    t.after(async () => rm(copy, { recursive: true, force: true }))
    await cp(home, copy, { recursive: true, filter: (name) => !name.endsWith('.sock') })
    await configure(
      home,
      witnesses.map(({ process }) => ({ url: process.url, keys: process.keys })),
    )
    await restart()
    await key('demo', '--models', 'echo')
    const before = await until(
      'a cosignature',
      async () => (await outside(story, home)).witnessed ?? undefined,
    )
    await door().stop()
    // All of it, so that nothing on this machine knows better.
    const config = await readFile(path.join(home, 'gatehouse.yaml'))
    await rm(home, { recursive: true })
    await cp(copy, home, { recursive: true })
    await writeFile(path.join(home, 'gatehouse.yaml'), config)
    await restart()
    const holders = await until('that a witness tells', async () => {
      const found = (await outside(story, home)).holders
      return found.every(({ problem }) => problem !== null) ? found : undefined
    })
    for (const { problem } of holders)
      assert.match(problem ?? '', /it was rolled back$|another history of this log/, `${before}`)
    const ready = (await (await fetch(`${door().door}/readyz`)).json()) as { reasons: string[] }
    assert.deepEqual(ready.reasons, ['ledger.degraded'])
  })
})

test('the keys of the ledger rotate under the eyes of witnesses: while both sign nobody has to hurry', async (t) => {
  await journey(async (story) => {
    const { home, restart, json, cli } = story
    const old = await logKeys(home)
    const witnesses = [await TestWitness.open(t, old), await TestWitness.open(t, old)]
    await configure(
      home,
      witnesses.map(({ process }) => ({ url: process.url, keys: process.keys })),
    )
    await restart()
    const grown = async (): Promise<number> => {
      const { entries } = (await json('ledger', 'verify')) as { entries: number }
      return await until('that they cosign on', async () => {
        const { witnessed } = await outside(story, home)
        return witnessed !== null && witnessed >= entries ? witnessed : undefined
      })
    }
    await grown()
    const rotated = (await json('ledger', 'key', 'rotate', '--overlap', '1h')) as {
      keys: { state: string }[]
    }
    assert.deepEqual(
      rotated.keys.map(({ state }) => state),
      ['signs', 'signs', 'ends', 'ends'],
    )
    await grown()
    await json('ledger', 'key', 'rotate', '--overlap', '0')
    const problems = await until('that they refuse keys they do not know', async () => {
      const { holders } = await outside(story, home)
      return holders.every(({ problem }) => problem !== null) ? holders : undefined
    })
    assert.match(problems[0]?.problem ?? '', /does not know the key that signs this log/)
    const [ed25519 = '', mlDsa44 = ''] = await logKeys(home)
    for (const each of witnesses) await each.knows([ed25519, mlDsa44])
    // A start forgets how long it was going to wait for them.
    await restart()
    await grown()
    const files = await readdir(path.join(home, 'keys'))
    assert.deepEqual(
      files.filter((name) => name.startsWith('ledger')),
      ['ledger-2.ends', 'ledger-3.ml-dsa.pem', 'ledger-3.pem', 'ledger.ends'],
    )
    const verified = await cli('ledger', 'verify')
    assert.equal(verified.status, 0, verified.stdout)
  })
})
