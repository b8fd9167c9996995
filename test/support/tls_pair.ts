import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

/** False where certificates can be made; else the reason to skip a test. */
export const NO_CERTIFICATES = hasOpenssl()
  ? false
  : 'openssl is not installed, and Node cannot make certificates'

/** Makes `NAME.cert` and `NAME.key` for each name in a folder that ends with the test, and reads them. */
export function makePairs(t: TestContext, names: readonly string[]): (file: string) => string {
  const folder = mkdtempSync(path.join(tmpdir(), 'gh-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of names) makePair(folder, name)
  return (file) => readFileSync(path.join(folder, file), 'utf8')
}

function makePair(folder: string, name: string): void {
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.cert`.split(
      ' ',
    ),
    { stdio: 'ignore', cwd: folder },
  )
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
}
