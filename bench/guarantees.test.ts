import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject } from '#base/json.ts'
import { tailEntries } from '#trust/ledger/read.ts'
import { checkGuarantees, verifyStraight } from './check_guarantees.ts'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { BODY, startAside } from './door.ts'
import { STEPS, timeSteps } from './guarantee_steps.ts'
import { Guarantees } from './guarantees.ts'
import { benchGuarantees, drawGuarantees } from './guarantees_report.ts'
import { stopAll } from './processes.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-guarantees-test-'))
after(async () => {
  await stopAll()
  fs.rmSync(folder, { recursive: true, force: true })
})

const ANY_TIME = new Set(['at', 'caller', 'commit', 'id', 'kid', 'ms'])

test('bare_guarantees writes the entries that our door writes', async () => {
  const { mockPort } = await startAside(false)
  const around = { mockPort, folder, core: undefined, say: () => undefined }
  const [own, ours] = [await CONTESTANTS.bare_guarantees(around), await CONTESTANTS.governed(around)]
  for (const contestant of [own, ours]) await ask(contestant)
  await Promise.all([own, ours].map(async ({ running }) => running?.stop()))
  const straight = await lastOf(path.join(folder, 'bare_guarantees'))
  const governed = await lastOf(path.join(folder, 'home'))
  for (const kind of ['intent', 'outcome'] as const) {
    const [left, right] = [straight[kind], governed[kind]]
    assert.deepEqual(Object.keys(left.leaf), Object.keys(right.leaf), kind)
    assert.deepEqual(plain(left.leaf), plain(right.leaf), kind)
    assert.deepEqual(left.opened, right.opened, kind)
  }
})

async function ask({ port, headers }: Contestant): Promise<void> {
  const url = `http://127.0.0.1:${port}/v1/chat/completions`
  const sent = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: BODY }
  const response = await fetch(url, sent)
  assert.equal(response.status, 200)
  await response.text()
}

interface Last {
  readonly leaf: JsonObject
  /** Sensitive values by name. */
  readonly opened: JsonObject
}

/** The last intent of a ledger, and the last outcome. */
async function lastOf(home: string): Promise<Readonly<Record<'intent' | 'outcome', Last>>> {
  const sidecarKey = fs.readFileSync(path.join(home, 'keys/sidecar.key'))
  const entries = await tailEntries(NODE_FILES, path.join(home, 'ledger'), 10, { sidecarKey })
  const last = (kind: string): Last => {
    const entry = entries.findLast(({ leaf }) => leaf['kind'] === kind)
    assert.ok(entry !== undefined, `no ${kind}`)
    const values = Object.entries(entry.opened ?? {}).map(([name, { value }]) => [name, value] as const)
    return { leaf: entry.leaf, opened: Object.fromEntries(values) }
  }
  return { intent: last('intent'), outcome: last('outcome') }
}

/** Without what differs from home to home and from request to request. */
function plain(leaf: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(leaf).filter(([name]) => !ANY_TIME.has(name)))
}

test('checkGuarantees refuses a contestant that lets everything pass', async () => {
  const guarantees = await Guarantees.open(path.join(folder, 'lax'))
  const server = http.createServer((_request, response) => response.end('{"model":"house"}')).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await assert.rejects(checkGuarantees(guarantees, port), {
    name: 'AssertionError',
    actual: 200,
    expected: 401,
  })
  server.close()
})

test('StraightLog writes what `ledger verify` finds good, and it finds what is not', async () => {
  const guarantees = await Guarantees.open(path.join(folder, 'log'))
  const { log } = guarantees
  const entry = (): ReturnType<typeof log.entryOf> => {
    const fields = { action: 'model:infer', content: 'what only the sidecar holds' }
    const draft = { kind: 'intent', id: newEntryId(), at: 1, fields, reserved: false } as const
    return log.entryOf(draft, log.drawSeed())
  }
  // Nobody waits for the first: it goes with the second, or by itself.
  log.add(entry())
  await new Promise<void>((resolve) => log.add(entry(), resolve))
  await log.sign()
  const verify = async (): Promise<readonly string[]> =>
    (await verifyStraight(guarantees)).problems.map(({ what }) => what)
  assert.deepEqual(await verify(), [])
  assert.deepEqual(log.written.entries, 2)
  const [{ leaf }, { record }] = [entry(), entry()]
  await new Promise<void>((resolve) => log.add({ leaf, record }, resolve))
  assert.deepEqual(await verify(), ['the sidecar does not match the commitments'])
  log.close()
})

test('timeSteps times every step', async () => {
  const guarantees = await Guarantees.open(path.join(folder, 'steps'))
  const times = await timeSteps(guarantees, { rounds: 1, sharing: 4, roundMs: 5 })
  for (const [name] of STEPS) assert.ok(times.steps[name] > 0, name)
  assert.ok(times.together > times.steps.leaves, 'the whole takes longer than a part')
  assert.ok(times.write > 0)
  guarantees.log.close()
})

test('benchGuarantees measures the promises beside the floor and the door', async () => {
  const report = await benchGuarantees({ rounds: 1, seconds: 0.3, say: () => undefined })
  for (const [name, { req_per_s, errors }] of Object.entries(report.contestants)) {
    assert.ok(req_per_s > 0, name)
    assert.equal(errors, 0, name)
  }
  assert.ok(report.entries_per_group >= 1)
  assert.ok((report.ratios.guarantees_over_bare_ledger ?? 0) > 0)
  assert.match(drawGuarantees(report), /governed_over_guarantees +0\.\d+/)
})
