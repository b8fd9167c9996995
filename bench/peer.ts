import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { ROOT } from './processes.ts'

/** The TypeScript gateway that we are compared with. It is no dependency: the bench installs it into its own folder. */
export const PEER = { name: '@portkey-ai/gateway', version: '1.15.2' } as const

const FOLDER = path.join(ROOT, 'bench/peers')
const INSTALL_MS = 5 * 60_000

export interface PeerPlace {
  readonly program: string
  readonly folder: string
}

/** Where the peer is, installed if need be; or why it is absent. */
export function installPeer(say: (line: string) => void): PeerPlace | { readonly absent: string } {
  const folder = path.join(FOLDER, 'node_modules', PEER.name)
  const program = path.join(folder, 'build/start-server.js')
  if (versionIn(folder) !== PEER.version) {
    say(`installing ${PEER.name}@${PEER.version} into bench/peers …`)
    fs.mkdirSync(FOLDER, { recursive: true })
    fs.writeFileSync(
      path.join(FOLDER, 'package.json'),
      JSON.stringify({
        name: 'gatehouse-bench-peers',
        private: true,
        dependencies: { [PEER.name]: PEER.version },
      }),
    )
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--omit=dev']
    const result = spawnSync('npm', words, { cwd: FOLDER, encoding: 'utf8', timeout: INSTALL_MS })
    if (result.status !== 0) {
      const why = result.error?.message ?? result.stderr.trim().split('\n').slice(0, 2).join(' ')
      return { absent: `npm install failed: ${why}` }
    }
  }
  return fs.existsSync(program)
    ? { program, folder: FOLDER }
    : { absent: 'the package holds no start-server.js' }
}

function versionIn(folder: string): string | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).version
  } catch {
    return undefined
  }
}
