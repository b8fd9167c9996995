import { access, constants, readdir, readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  DiskFacts,
  Facts,
  HeldFacts,
  HomeFacts,
  LedgerFacts,
  OutsideFacts,
  PolicyFacts,
} from '#proof/posture/facts.ts'
import { RESTORED } from '#rooms/backup/restored_mark.ts'
import { HealthAnswer } from '#rooms/admin/answers.ts'
import { policyState } from '#rooms/admin/policy_routes.ts'
import { openPolicies } from '#trust/access/policy_set.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { NODE_FILES } from '#base/files.ts'
import { readHomeVersion } from '#base/home_version.ts'
import { isJsonObject } from '#base/json.ts'
import { furthest } from '#trust/ledger/held_outside.ts'
import type { Call } from './command.ts'
import { askRunningDoor } from './door_line.ts'
import { openHomeLedger, type Verified } from './home_ledger.ts'
import { readRunning } from './running.ts'
import type { ConfigView } from './world.ts'

const PERMISSIONS = 0o777

/** Reads what `doctor` asks about. What cannot be read is left out, and shows as `unknown`. Throws `home.newer`. */
export async function gatherFacts(call: Call): Promise<Facts> {
  const { home, config, world } = call
  await readHomeVersion(NODE_FILES, home)
  const view = await known(world.readConfig(home, config))
  const health = await known(askRunningDoor(home, HealthAnswer, { method: 'GET', path: '/admin/health' }))
  const running = health === undefined ? undefined : await readRunning(home)
  const [homeFacts, disk, ledger] = await Promise.all([
    known(readHome(home)),
    known(readDisk(home, health)),
    known(readLedger(home, view, health)),
  ])
  return {
    now: world.clock.now(),
    home: homeFacts,
    disk,
    ledger,
    policy: await known(readPolicy(home, view, health)),
    listeners: (running?.listeners ?? view?.listeners)?.map(({ name, address, rule, expires }) => ({
      name,
      address,
      rule,
      expiresAt: expires === null ? undefined : Date.parse(expires),
    })),
    models: view?.models.map(({ name, key }) => ({ name, key })),
    issuers: health?.issuers ?? (view !== undefined && !hasIssuers(view) ? [] : undefined),
    workers: health?.workers,
    node: { version: process.version, pinned: await known(readPinnedNode(world.project)) },
    door: { isRunning: health !== undefined, pid: running?.pid },
  }
}

function hasIssuers({ redacted: { identity } }: ConfigView): boolean {
  const issuers = isJsonObject(identity) ? identity['issuers'] : undefined
  return isJsonObject(issuers) && Object.keys(issuers).length > 0
}

async function known<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch {
    return undefined
  }
}

async function readHome(home: string): Promise<HomeFacts> {
  const facts = await stat(home)
  const keys = join(home, 'keys')
  const names = (await known(readdir(keys))) ?? []
  const keyFiles = await Promise.all(
    names.sort().map(async (name) => ({ name, mode: (await stat(join(keys, name))).mode & PERMISSIONS })),
  )
  return {
    path: home,
    mode: facts.mode & PERMISSIONS,
    isOwn: facts.uid === process.getuid?.(),
    keyFiles,
    isRestored: (await known(stat(join(home, RESTORED)))) !== undefined,
    firstKeyAt: (await known(stat(join(home, 'first-key'))))?.mtimeMs,
  }
}

async function readDisk(home: string, health: HealthAnswer | undefined): Promise<DiskFacts> {
  const { bavail, bsize } = await statfs(home)
  const ledger = join(home, 'ledger')
  const names = (await known(readdir(ledger, { recursive: true }))) ?? []
  const sizes = await Promise.all(
    names.map(async (name) => (await known(stat(join(ledger, name))))?.size ?? 0),
  )
  return {
    freeBytes: bavail * bsize,
    ledgerBytes: sizes.reduce((sum, size) => sum + size, 0),
    daysLeft: health?.ledger.days_left ?? undefined,
  }
}

async function readLedger(
  home: string,
  view: ConfigView | undefined,
  health: HealthAnswer | undefined,
): Promise<LedgerFacts> {
  const ledger = await openHomeLedger(home)
  const report = await ledger.verify(undefined, view)
  const [first] = await ledger.range(0, 1)
  const [last] = await ledger.tail(1)
  return {
    isWritable:
      health?.ledger.state === 'writable' ||
      (health === undefined && (await isWritable(join(home, 'ledger')))),
    reason: health?.ledger.reason ?? undefined,
    entries: report.entries,
    problems: report.problems.map(({ place, what }) => `${place}: ${what}`),
    lost: report.lost,
    restored: report.restores.at(-1),
    ...toldBy(health?.ledger),
    unknownOutcomes: health?.ledger.unknown_outcomes,
    firstAt: first?.at,
    lastAt: last?.at,
    outside: outsideOf(report, view, health),
  }
}

/** What a running door tells of its ledger. What holders say against it is among its problems too, in the same words. */
export function toldBy(
  ledger: Pick<HealthAnswer['ledger'], 'problems' | 'outside'> | undefined,
): Pick<LedgerFacts, 'notices' | 'contradictions'> {
  const { problems = [], outside } = ledger ?? {}
  const contradictions = (outside?.holders ?? [])
    .filter(({ contradicts }) => contradicts)
    .map(({ name, problem }) => `${name} ${problem}`)
  return { notices: problems.filter((each) => !contradictions.includes(each)), contradictions }
}

/** A running door knows all who hold it; files alone tell of copies, and of what witnesses have cosigned. Files are looked at. */
export function outsideOf(
  { outside, origins, agreeing, near }: Pick<Verified, 'outside' | 'origins' | 'agreeing' | 'near'>,
  view: Pick<ConfigView, 'witnesses'> | undefined,
  health: { readonly ledger: Pick<HealthAnswer['ledger'], 'entries' | 'outside'> } | undefined,
): OutsideFacts {
  if (health === undefined)
    return {
      entries: origins.find(({ origin }) => origin === outside?.origin)?.entries ?? 0,
      quorum: view?.witnesses.quorum ?? 0,
      witnessed: outside?.witnessed,
      anchored: outside?.anchored,
      near,
    }
  const { entries, outside: told } = health.ledger
  const heldOf = (size: number | null, at: string | null): HeldFacts | undefined =>
    size === null ? undefined : { entries: size, at: at === null ? undefined : Date.parse(at) }
  // What the door has written into a file may be gone from there by now.
  const anchors = told.holders.filter(
    ({ kind, name }) => kind !== 'witness' && (kind !== 'file' || agreeing.includes(name)),
  )
  const elsewhere = anchors.filter(({ name }) => !near.names.includes(name))
  const isAll = elsewhere.every(({ entries: size }) => size === null)
  return {
    entries,
    quorum: told.quorum,
    witnessed: heldOf(told.witnessed, told.witnessed_at),
    // Those elsewhere count alone, where there are any.
    anchored: furthest((isAll ? anchors : elsewhere).map(({ entries: size, at }) => heldOf(size, at))),
    near: { names: near.names, isAll },
  }
}

async function isWritable(path: string): Promise<boolean> {
  return (await known(access(path, constants.W_OK).then(() => true))) ?? false
}

async function readPolicy(
  home: string,
  view: ConfigView | undefined,
  health: HealthAnswer | undefined,
): Promise<PolicyFacts | undefined> {
  if (health !== undefined) return { ...health.policy, set: health.policy.set ?? undefined }
  if (view === undefined) return undefined
  const { policies: directory } = view
  await stat(directory)
  const stateDirectory = join(home, 'policy')
  const engine = cedarEngine
  const keeper = await openPolicies({ directory, stateDirectory, engine, schema: SCHEMA, files: NODE_FILES })
  const status = keeper.status()
  // A good set that the next start will take counts as the one in force.
  const set = status.set ?? keeper.starting?.set
  const state = policyState({ set, healthy: status.problems.length === 0 })
  return { state, set, problems: status.problems.length }
}

/** The Node that package.json locks, as `process.version` prints it. */
async function readPinnedNode(project: string): Promise<string | undefined> {
  const text = await readFile(join(project, 'package.json'), 'utf8')
  const version = /"node-[a-z0-9-]+": "([0-9.]+)"/.exec(text)?.[1]
  return version === undefined ? undefined : `v${version}`
}
