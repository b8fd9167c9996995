import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { attacksOn, PROVIDER_MS, type Attack } from './attack_cases.ts'
import { AttackProvider, Canary, script } from './attack_provider.ts'
import { attack, chat, type Seen, type Side, type Stage } from './attack_stage.ts'
import { Absent, CONTESTANTS, UPSTREAM_KEY, type Contestant } from './contestants.ts'
import { PEER } from './peer.ts'
import { ROOT, stopAll } from './processes.ts'

/** What became of an attack: `harm` when something happened that must not. */
export interface Verdict {
  readonly outcome: 'refused' | 'cut' | 'served' | 'harm'
  readonly what: string
}

export interface AttacksReport {
  readonly bench: 'attacks'
  readonly peer: string
  /** Why a side is not there. */
  readonly absent: Readonly<Partial<Record<SideName, string>>>
  readonly rows: readonly ({ readonly defect: string } & Readonly<Partial<Record<SideName, Verdict>>>)[]
  readonly harmed: Readonly<Partial<Record<SideName, number>>>
}

type SideName = 'ours' | 'peer'

export interface AttacksOptions {
  readonly isQuick: boolean
  readonly say: (line: string) => void
}

/** Sends every attack to both gateways. All traffic stays on this machine. */
export async function benchAttacks({ isQuick, say }: AttacksOptions): Promise<AttacksReport> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-attacks-'))
  const provider = new AttackProvider()
  const canary = new Canary()
  try {
    const port = await provider.listen()
    const stage = { provider, canary, canaryAddress: await canary.listen() }
    provider.canary = stage.canaryAddress
    const { sides, absent } = await startSides({ port, folder, stage, say })
    const attacks = attacksOn(provider).filter(({ isSlow }) => !(isQuick && isSlow === true))
    const rows: AttacksReport['rows'][number][] = []
    for (const one of attacks) {
      rows.push({ defect: one.name, ...(await runAttack(stage, sides, one)) })
      say(drawRow(rows.at(-1)))
    }
    const harmed = Object.fromEntries(
      [...sides.keys()].map((name) => [name, rows.filter((row) => row[name]?.outcome === 'harm').length]),
    )
    return { bench: 'attacks', peer: `${PEER.name}@${PEER.version}`, absent, rows, harmed }
  } finally {
    provider.close()
    canary.close()
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

type Sides = ReadonlyMap<SideName, Side>

async function runAttack(
  stage: Stage,
  sides: Sides,
  one: Attack,
): Promise<Partial<Record<SideName, Verdict>>> {
  const verdicts: Partial<Record<SideName, Verdict>> = {}
  for (const [name, side] of sides) verdicts[name] = verdictOn(await attack(stage, side, one), one)
  return verdicts
}

/** Told from what came over the wire alone. */
export function verdictOn(seen: Seen, { harm }: Pick<Attack, 'harm'>): Verdict {
  const harmed = harm(seen)
  const status = Number.isNaN(seen.status) ? 0 : seen.status
  const code = codeIn(seen.body)
  const answered = `${status === 0 ? 'no answer' : status}${code === undefined ? '' : ` ${code}`}`
  if (harmed !== undefined) return { outcome: 'harm', what: `${harmed} (${answered})` }
  const ended = seen.leftMs === undefined ? '' : `, provider free after ${seen.leftMs} ms`
  if (!seen.isOver) return { outcome: 'served', what: `${answered}${ended}` }
  if (status >= 400 || status === 0) return { outcome: 'refused', what: answered }
  return { outcome: code === undefined ? 'served' : 'cut', what: answered }
}

/** The code of an error in the way of any of the APIs, whole or as an event. */
function codeIn(body: string): string | undefined {
  const at = /"error": ?\{|"status": ?"failure"/.exec(body)?.index
  if (at === undefined) return undefined
  const from = body.slice(at, at + 2_000)
  for (const name of ['code', 'type', 'message']) {
    const found = new RegExp(`"${name}": ?"([^"]{1,60})`).exec(from)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

interface Around {
  /** Of the provider. */
  readonly port: number
  readonly folder: string
  readonly stage: Stage
  readonly say: (line: string) => void
}

/** Starts both, and asks each for one good answer: a gateway that serves nobody withstands everything. */
async function startSides(
  around: Around,
): Promise<{ readonly sides: Sides; readonly absent: AttacksReport['absent'] }> {
  const sides = new Map<SideName, Side>()
  const absent: Partial<Record<SideName, string>> = {}
  for (const [name, starts] of [['ours', startOurs] as const, ['peer', startPeer] as const]) {
    try {
      const side = await starts(around)
      await checkServes(around.stage, side)
      sides.set(name, side)
    } catch (thrown) {
      absent[name] = thrown instanceof Error ? thrown.message : String(thrown)
      around.say(`${name} is absent: ${absent[name]}`)
    }
  }
  return { sides, absent }
}

/** Throws `Absent` for a side that does not answer, streamed and not. */
async function checkServes(stage: Stage, side: Side): Promise<void> {
  for (const body of [chat(), chat({ stream: true })]) {
    const seen = await attack(stage, side, { asked: { body }, says: script({ text: 'hello' }) })
    if (!seen.body.includes('hel'))
      throw new Absent(`no good answer: ${seen.head} ${seen.body}`.slice(0, 300))
  }
}

async function startOurs({ port, folder, say }: Around): Promise<Side> {
  const more = `key: { from_env: BENCH_KEY }, timeout_ms: ${PROVIDER_MS}`
  const openai = `{ provider: openai, base_url: "http://127.0.0.1:${port}/v1", model: house, ${more} }`
  const configuration = `models:
  house: ${openai}
  forbidden: ${openai.replace('model: house', 'model: forbidden')}
  house_claude: { provider: anthropic, base_url: "http://127.0.0.1:${port}", model: house_claude, ${more} }
inspection: { credentials: { request: redact, response: block } }
`
  const doorSetup = { configuration, models: ['house', 'house_claude'] }
  const door = await CONTESTANTS.governed({ mockPort: port, folder, core: undefined, say, doorSetup })
  return { port: door.port, pid: pidOf(door), headers: () => door.headers }
}

async function startPeer({ port, folder, say }: Around): Promise<Side> {
  // Without it all its streams fail on this Node; see the file.
  const peerFlags = ['--import', path.join(ROOT, 'bench/peer_fetch.ts')]
  const peer = await CONTESTANTS.peer({ mockPort: port, folder, core: undefined, say, peerFlags })
  const host = `http://127.0.0.1:${port}/v1`
  const headers: Side['headers'] = (api, isGuarded) => {
    const timeout = { 'x-portkey-request-timeout': String(PROVIDER_MS) }
    const authorization = `Bearer ${UPSTREAM_KEY}`
    if (!isGuarded)
      return { ...timeout, authorization, 'x-portkey-provider': api, 'x-portkey-custom-host': host }
    // The form of the token and not the token, so that nothing but the answer of the provider holds it.
    const form = { 'default.regexMatch': { rule: 'ghp_[0-9A-Za-z]{36}', not: true }, deny: true }
    const models = { 'default.modelWhitelist': { models: ['house', 'house_claude'] }, deny: true }
    const config = {
      provider: api,
      api_key: UPSTREAM_KEY,
      custom_host: host,
      input_guardrails: [models],
      output_guardrails: [form],
    }
    return { ...timeout, authorization, 'x-portkey-config': JSON.stringify(config) }
  }
  return { port: peer.port, pid: pidOf(peer), headers }
}

function pidOf({ running }: Contestant): number {
  return running?.pid ?? 0
}

/** The report as a table for people. */
export function drawAttacks({ rows, peer, absent, harmed }: AttacksReport): string {
  const lines = [
    `peer: ${peer}, with a shim without which its streams fail. It keeps no keys: that of the provider is its caller's own.`,
    'The guards of both are to keep a token in, and to let the caller use two models.',
    '',
    ...rows.map(drawRow),
    '',
    ...Object.entries(harmed).map(([name, count]) => `${name}: harm in ${count} of ${rows.length}`),
    ...Object.entries(absent).map(([name, why]) => `absent ${name}: ${why}`),
  ]
  return lines.join('\n')
}

function drawRow(row: AttacksReport['rows'][number] | undefined): string {
  const cell = (verdict: Verdict | undefined): string =>
    verdict === undefined
      ? 'absent'
      : `${verdict.outcome === 'harm' ? 'HARM' : verdict.outcome}: ${verdict.what}`
  return `${(row?.defect ?? '').padEnd(72)} | ${cell(row?.ours).padEnd(38)} | ${cell(row?.peer)}`
}
