import { listFiles } from './files.ts'
import { runTests } from './test.ts'

/** `npm run slow`: what takes minutes. Properties run longer where they read GATEHOUSE_SLOW. */
if (import.meta.main) {
  process.env['GATEHOUSE_SLOW'] = '1'
  const words = process.argv.slice(2)
  const files = listFiles(['test/slow']).filter(
    (file) => file.endsWith('.test.ts') && (words.length === 0 || words.some((word) => file.includes(word))),
  )
  if (files.length === 0) console.log('there are no slow tests yet\n0 passed, 0 failed, 0 skipped')
  else {
    const limits = { testTimeoutMs: 20 * 60_000, batchTimeoutMs: 60 * 60_000 }
    const isGood = await runTests([{ title: 'slow tests', isolation: 'apart', files, ...limits }])
    process.exitCode = isGood ? 0 : 1
  }
}
