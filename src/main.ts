import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { isLoopback, parseListenAddress, type ListenAddress } from '#base/address.ts'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { HOME_FORMAT } from '#base/home_version.ts'
import { Fault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject } from '#base/json.ts'
import { checkOwnFolder } from '#base/own_folder.ts'
import { writePrivateFile } from '#base/private_file.ts'
import { drawLogKeys } from '#faces/cli/banner.ts'
import { runCli } from '#faces/cli/run.ts'
import type {
  ConfigView,
  DoorLine,
  FirstStart,
  ListenerRow,
  ModelRow,
  OpenOptions,
  ServeOptions,
  ServingDoor,
  World,
} from '#faces/cli/world.ts'
import { describeRule } from '#faces/http/listener.ts'
import { resolveSecret, showConfig, type Config } from './config.ts'
import {
  openDoor,
  recordPolicyChange,
  type DoorSurroundings,
  type OpenDoor,
  type OpenListener,
} from './main_door.ts'
import { checkListeners } from './main_listeners.ts'
import { startWitness } from './main_witness.ts'
import { readConfig, secretReader } from './main_config.ts'
import { openHome, type OpenHome } from './main_home.ts'

const PROJECT = path.resolve(import.meta.dirname, '..')
const DAY_MS = 86_400_000
/** The first key works from this machine only. */
const LOOPBACK_RANGES = ['127.0.0.0/8', '::1/128']

const AROUND: DoorSurroundings = {
  clock: SYSTEM_CLOCK,
  env: process.env,
  residentBytes: () => process.memoryUsage.rss(),
  version: await versionOf(),
}

async function startDoor(options: ServeOptions): Promise<ServingDoor> {
  await checkOwnFolder(options.home, process.getuid?.())
  const home = await openHome({
    home: options.home,
    config: options.config,
    project: PROJECT,
    clock: SYSTEM_CLOCK,
    acceptLoss: options.acceptLoss,
    program: AROUND.version,
  })
  tellUpgrade(home)
  return closingOnFault(home, async () => {
    await putStartingPolicies(home)
    const addresses = {
      door: addressOf(options.listen, 'listen', home.config.listen),
      admin: addressOf(options.adminListen, 'admin-listen', home.config.admin_listen),
      metrics: addressOf(options.metricsListen, 'metrics-listen', home.config.metrics_listen),
    }
    const workers = options.workers ?? home.config.workers
    const door = await openDoor(home, AROUND, { addresses, workers })
    const first =
      home.made === undefined
        ? undefined
        : await firstStart(home, home.made, options.printsKey && isLocalDoor(door))
    const urlOf = (name: string): string | null =>
      door.listeners.find((one) => one.name === name)?.url ?? null
    const facts = {
      door: urlOf('door'),
      admin: urlOf('admin'),
      metrics: urlOf('metrics'),
      home: home.directory,
      pid: process.pid,
    }
    await writeRunning(home, facts, door.listeners)
    // What a first start prints has them.
    if (first === undefined || !options.printsKey) tellLogKeys(home)
    const stopped = Promise.withResolvers<void>()
    const close = async (): Promise<void> => {
      await rm(runningFile(home), { force: true })
      await door.close().then(stopped.resolve, stopped.reject)
    }
    return { facts, first, models: Object.keys(home.config.models), stopped: stopped.promise, close }
  })
}

async function openLine(options: OpenOptions): Promise<DoorLine> {
  await checkOwnFolder(options.home, process.getuid?.())
  const home = await openHome({
    home: options.home,
    config: options.config,
    project: PROJECT,
    clock: SYSTEM_CLOCK,
    acceptLoss: false,
    program: AROUND.version,
  })
  tellUpgrade(home)
  tellLogKeys(home)
  return closingOnFault(home, async () => {
    await putStartingPolicies(home)
    const door = await openDoor(home, AROUND, undefined)
    return {
      call: async (method, target, body) => door.call(method, target, body),
      close: async () => door.close(),
    }
  })
}

/** There is no way back but a copy from before, and this is the moment to think of it. */
function tellUpgrade({ upgradedFrom, directory }: OpenHome): void {
  if (upgradedFrom === undefined) return
  process.stderr.write(
    `The home ${directory} was brought from format ${upgradedFrom} to ${HOME_FORMAT}. Keep the copy from before it (docs/how-to/upgrade.md), and make a new one: gatehouse backup TARGET\n`,
  )
}

/** A new log has a name and keys that nobody outside knows, and this is the moment to note them. */
function tellLogKeys({ hasNewLogKeys, logKeys }: OpenHome): void {
  if (hasNewLogKeys) process.stderr.write(`${drawLogKeys(logKeys.fields())}\n`)
}

/** Working files that changed while no door ran are a policy change like any other: recorded first, then in force. */
async function putStartingPolicies({ ledger, policies }: OpenHome): Promise<void> {
  if (policies.starting === undefined) return
  await recordPolicyChange({ ledger }, SYSTEM_CLOCK, policies.starting)
  await policies.swap(policies.starting)
}

async function closingOnFault<T>(home: OpenHome, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    await home.close()
    throw thrown
  }
}

/** The first key opens as little as is needed to try the door: from here, the echo model, for one day. */
async function firstStart(home: OpenHome, made: readonly string[], isPrinted: boolean): Promise<FirstStart> {
  const notAfter = SYSTEM_CLOCK.now() + DAY_MS
  const asked = {
    name: 'first',
    models: ['echo'],
    addresses: LOOPBACK_RANGES,
    notAfter,
    createdBy: 'System::"start"',
  }
  const fields = { ...asked, what: 'key:create', expires: new Date(notAfter).toISOString() }
  await home.ledger.append({
    kind: 'change',
    id: newEntryId(),
    at: SYSTEM_CLOCK.now(),
    fields,
    reserved: true,
  })
  const { key } = home.callers.createKey(asked)
  const logKeys = home.logKeys.fields()
  if (isPrinted) return { made, key: key.open((text) => text), keyPath: undefined, logKeys }
  const keyPath = path.join(home.directory, 'first-key')
  await key.open(async (text) => writePrivateFile(keyPath, `${text}\n`))
  return { made, key: undefined, keyPath, logKeys }
}

function isLocalDoor({ listeners }: OpenDoor): boolean {
  return listeners.every(({ server }) => server.port === 0 || isLoopbackOnly(server.address))
}

function isLoopbackOnly(address: string): boolean {
  return isLoopback(parseListenAddress(address)?.host ?? '')
}

function addressOf(text: string | undefined, option: string, configured: ListenAddress): ListenAddress {
  if (text === undefined) return configured
  const address = parseListenAddress(text)
  if (address === undefined)
    throw new Fault('usage.wrong', {}, { say: `--${option} needs HOST:PORT, as in 127.0.0.1:4400.` })
  return address
}

async function readConfigView(home: string, file: string | undefined): Promise<ConfigView> {
  const { config, folder, path: at } = await readConfig(home, file)
  const models = Object.entries(config.models).map(([name, model]): ModelRow => ({
    name,
    provider: model.provider,
    key: keyState(model, folder),
  }))
  const policies =
    config.policies.directory === undefined
      ? path.join(home, 'policies')
      : path.resolve(folder, config.policies.directory)
  return {
    path: at,
    redacted: showConfig(config),
    listeners: configuredListeners(config),
    models,
    anchors: config.ledger.anchors,
    witnesses: {
      quorum: config.ledger.witnesses?.quorum ?? 0,
      keys: (config.ledger.witnesses?.list ?? []).map(({ keys }) => keys),
    },
    policies,
  }
}

async function checkConfigView(home: string, file: string | undefined): Promise<ConfigView> {
  const { config, folder } = await readConfig(home, file)
  await checkListeners({ config, folder, env: process.env }, SYSTEM_CLOCK.now())
  return readConfigView(home, file)
}

function keyState(model: Config['models'][string], folder: string): ModelRow['key'] {
  if (!('key' in model) || model.key === undefined) return 'none'
  return resolveSecret(model.key, process.env, secretReader(folder)) === undefined ? 'missing' : 'set'
}

/** The rules as the configuration has them; a running door writes down what was bound. */
function configuredListeners(config: Config): readonly ListenerRow[] {
  const { tls, insecure_plaintext_listener: declared } = config
  const row = (name: string, { host, port }: ListenAddress): ListenerRow => {
    const isLocal = host === 'localhost' || isLoopback(host)
    const isDeclared = name === 'door' && declared !== undefined && !isLocal
    const open = isDeclared ? 'insecure' : isLocal ? 'loopback' : 'exposed'
    return {
      name,
      address: `${host}:${String(port)}`,
      rule: tls === undefined ? open : 'tls',
      expires: isDeclared ? declared.expires : null,
    }
  }
  return [
    row('door', config.listen),
    row('admin', config.admin_listen),
    row('metrics', config.metrics_listen),
  ]
}

function runningFile(home: OpenHome): string {
  return path.join(home.directory, 'running.json')
}

async function writeRunning(
  home: OpenHome,
  facts: JsonObject,
  listeners: readonly OpenListener[],
): Promise<void> {
  const rows = listeners.map(({ name, server: { address, rule } }) => ({
    name,
    address,
    rule: rule.kind,
    says: describeRule(rule),
    expires: rule.kind === 'insecure' ? new Date(rule.expiresAt).toISOString() : null,
  }))
  await writePrivateFile(runningFile(home), `${JSON.stringify({ ...facts, listeners: rows })}\n`)
}

async function versionOf(): Promise<string> {
  const text = await readFile(path.join(PROJECT, 'package.json'), 'utf8')
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown'
}

const world: World = {
  stdout: process.stdout,
  stderr: process.stderr,
  isTty: process.stdout.isTTY,
  env: process.env,
  cwd: process.cwd(),
  project: PROJECT,
  version: AROUND.version,
  clock: SYSTEM_CLOCK,
  onStop: (listener) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, listener)
  },
  startDoor,
  openDoor: openLine,
  startWitness: async (directory) =>
    startWitness({
      directory,
      clock: SYSTEM_CLOCK,
      onInconsistent: (origin, checkpoint, proven) =>
        void process.stderr.write(`${JSON.stringify({ inconsistent: origin, checkpoint, proven })}\n`),
    }),
  readConfig: readConfigView,
  checkConfig: checkConfigView,
}

process.exitCode = await runCli(process.argv.slice(2), world)
