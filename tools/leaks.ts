import path from 'node:path'
import { listFiles, readText, ROOT } from './files.ts'

// In pieces, so that this file does not find itself.
const WORKPLACE = ['', 'work', '(?:main|shared|sessions?|helpers?|\\.[a-z]+)\\b'].join('/')
const HOSTS = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['registry', 'npmmirror', 'com'],
  ['npm', 'pkg', 'github', 'com'],
  ['files', 'pythonhosted', 'org'],
  ['static', 'crates', 'io'],
  ['proxy', 'golang', 'org'],
]
const KINDS = ['artifactory', 'jfrog', 'codeartifact', 'verdaccio', 'nexus3'].map(
  (name) => `${name}[a-z0-9-]*[./:]`,
)

/** Text that tells where the project was made: a workplace path, or the host that packages came from. */
export function leakPatterns(registry: string | undefined): RegExp[] {
  const hosts = HOSTS.map((parts) => parts.join('\\.'))
  const own = registry === undefined ? undefined : URL.parse(registry)?.host
  if (own !== undefined && own !== '') hosts.push(RegExp.escape(own))
  return [new RegExp(WORKPLACE), new RegExp(hosts.join('|'), 'i'), new RegExp(KINDS.join('|'), 'i')]
}

/** The places of a text that match. */
export function findLeaks(file: string, text: string, patterns: readonly RegExp[]): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      patterns.some((pattern) => pattern.test(line))
        ? [`${file}:${index + 1}: names a workplace or a registry`]
        : [],
    )
}

/** A lockfile with addresses would bind every user to the registry of whoever wrote it. */
export function findResolved(lockfile: string): string[] {
  return /"resolved"\s*:\s*"(?!file:)/.test(lockfile) ? ['package-lock.json: holds "resolved" addresses'] : []
}

if (import.meta.main) {
  const patterns = leakPatterns(process.env['npm_config_registry'])
  const files = listFiles().filter((file) => !/\.(png|ico|woff2|zst|gz)$/.test(file))
  const wrong = files.flatMap((file) =>
    findLeaks(path.relative(ROOT, path.join(ROOT, file)), readText(file), patterns),
  )
  wrong.push(...findResolved(readText('package-lock.json')))
  for (const line of wrong) console.error(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
