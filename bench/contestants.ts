import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { installPeer } from './peer.ts'
import {
  freePort,
  NODE_FLAGS,
  OWN_ENV,
  OWN_FLAGS,
  readyLine,
  ROOT,
  start,
  waitForPort,
  type Core,
  type Running,
} from './processes.ts'

export type ContestantName =
  | 'direct'
  | 'nginx'
  | 'bare'
  | 'bare_ledger'
  | 'bare_guarantees'
  | 'governed'
  | 'peer'

/** A server that is ready, and the request head that it wants. */
export interface Contestant {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  /** Undefined for the model provider itself, which is no server under test. */
  readonly running: Running | undefined
}

export interface Surroundings {
  readonly mockPort: number
  readonly folder: string
  readonly core: Core | undefined
  readonly say: (line: string) => void
  /** Flags for Node in front of our door, for a profile. */
  readonly doorFlags?: readonly string[]
  /** More words for `gatehouse up`. */
  readonly doorWords?: readonly string[]
  /** The gatehouse.yaml of our door, and the models its key is for, where it is not the one model of the load. */
  readonly doorSetup?: { readonly configuration: string; readonly models: readonly string[] }
  /** Flags for Node in front of the peer. */
  readonly peerFlags?: readonly string[]
}

/** What our door shows to the provider, and nobody else may see. */
export const UPSTREAM_KEY = 'bench-upstream-key'

/** Why a contestant does not take part. */
export class Absent extends Error {}

/** How each contestant is started. Throws `Absent` when it cannot be. */
export const CONTESTANTS: Readonly<Record<ContestantName, (around: Surroundings) => Promise<Contestant>>> = {
  direct: (around) => Promise.resolve({ port: around.mockPort, headers: {}, running: undefined }),
  nginx: startNginx,
  bare: (around) => startBare(around, []),
  bare_ledger: (around) => startBare(around, ['--append', path.join(around.folder, 'bare_ledger')]),
  bare_guarantees: startGuarantees,
  governed: startGoverned,
  peer: startPeer,
}

async function startNginx({ mockPort, folder, core }: Surroundings): Promise<Contestant> {
  if (spawnSync('nginx', ['-v']).status !== 0) throw new Absent('nginx is not installed')
  const port = await freePort()
  const place = path.join(folder, 'nginx')
  fs.mkdirSync(place)
  fs.writeFileSync(path.join(place, 'nginx.conf'), nginxConfiguration(place, port, mockPort))
  const running = start('nginx', ['-p', place, '-c', path.join(place, 'nginx.conf'), '-e', 'stderr'], {
    core,
  })
  await waitForPort(port, running)
  return { port, headers: {}, running }
}

/** One process, and connections that are never closed for having served their number of requests. */
function nginxConfiguration(place: string, port: number, mockPort: number): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
    daemon off; master_process off; worker_processes 1; pid ${place}/pid; error_log stderr crit;
    events { worker_connections 1024; }
    http {
      access_log off;
      ${folders.map((name) => `${name}_temp_path ${place}/${name};`).join(' ')}
      keepalive_requests 1000000000;
      upstream model { server 127.0.0.1:${mockPort}; keepalive 128; keepalive_requests 1000000000; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
        }
      }
    }`
}

async function startBare({ mockPort, core }: Surroundings, words: readonly string[]): Promise<Contestant> {
  const program = path.join(ROOT, 'bench/bare_proxy.ts')
  const running = start(process.execPath, [...NODE_FLAGS, program, String(mockPort), ...words], { core })
  const { port } = await readyLine(running)
  return { port: Number(port), headers: {}, running }
}

/** The promises of our door without our door; it has checked itself when it is ready. Flags and surroundings as our door has them. */
async function startGuarantees(around: Surroundings): Promise<Contestant> {
  const { mockPort, folder, core, doorFlags = [] } = around
  const program = path.join(ROOT, 'bench/bare_guarantees.ts')
  const words = [program, String(mockPort), path.join(folder, 'bare_guarantees')]
  const env = { ...process.env, ...OWN_ENV }
  const flags = [...NODE_FLAGS, ...OWN_FLAGS, ...doorFlags]
  const running = start(process.execPath, [...flags, ...words], { core, env })
  const { port, key } = await readyLine(running)
  return { port: Number(port), headers: { authorization: `Bearer ${String(key)}` }, running }
}

/** Our door as a user runs it, with nothing switched off: its own home, a key made by the CLI, a provider over HTTP. */
async function startGoverned(around: Surroundings): Promise<Contestant> {
  const { mockPort, folder, core, doorFlags = [], doorWords = [], doorSetup } = around
  const program = path.join(ROOT, 'src/main.ts')
  if (!fs.existsSync(program)) throw new Absent('src/main.ts does not exist yet')
  const home = path.join(folder, 'home')
  fs.mkdirSync(home, { mode: 0o700 })
  const { configuration, models } = doorSetup ?? {
    configuration: `models:\n  house: ${openaiModel(mockPort)}\n`,
    models: ['house'],
  }
  fs.writeFileSync(path.join(home, 'gatehouse.yaml'), configuration)
  const env = { ...process.env, ...OWN_ENV, BENCH_KEY: UPSTREAM_KEY }
  const listeners = ['--listen', '--admin-listen', '--metrics-listen'].flatMap((name) => [
    name,
    '127.0.0.1:0',
  ])
  const up = [
    ...NODE_FLAGS,
    ...OWN_FLAGS,
    ...doorFlags,
    program,
    'up',
    '--home',
    home,
    ...listeners,
    ...doorWords,
    '--json',
  ]
  const running = start(process.execPath, up, { core, env })
  const ready = await readyLine(running)
  const create = ['key', 'create', '--name', 'bench', '--models', models.join(','), '--home', home, '--json']
  const made = spawnSync(process.execPath, [...NODE_FLAGS, program, ...create], { env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`key create: ${made.stdout}${made.stderr}`)
  const { key } = JSON.parse(made.stdout) as { key: string }
  return {
    port: Number(new URL(String(ready['door'])).port),
    headers: { authorization: `Bearer ${key}` },
    running,
  }
}

/** A model of the provider on a port, as a line of gatehouse.yaml has it. */
export function openaiModel(port: number): string {
  return `{ provider: openai, base_url: "http://127.0.0.1:${port}/v1", model: mock, key: { from_env: BENCH_KEY }, region: eu }`
}

async function startPeer({ mockPort, core, say, peerFlags = [] }: Surroundings): Promise<Contestant> {
  const place = installPeer(say)
  if ('absent' in place) throw new Absent(place.absent)
  const port = await freePort()
  const words = [...NODE_FLAGS, ...peerFlags, place.program, `--port=${port}`, '--headless']
  const running = start(process.execPath, words, { core, cwd: place.folder })
  await waitForPort(port, running)
  const headers = {
    authorization: 'Bearer x',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${mockPort}/v1`,
  }
  return { port, headers, running }
}
