import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { ROOT } from './files.ts'

/** `npm run format`: writes every file as `npm run ok` wants it. */
if (import.meta.main) {
  const program = path.join(ROOT, 'node_modules/oxfmt/bin/oxfmt')
  const words = process.argv.slice(2)
  const { status } = spawnSync(process.execPath, [program, ...(words.length === 0 ? ['.'] : words)], {
    cwd: ROOT,
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
