import { readyLine, NODE_FLAGS, start } from './processes.ts'
import { openBenchLedger, readKeys } from './ledger_entries.ts'

/** How long a new process took to open a ledger, and its memory then. */
export interface LedgerStart {
  readonly open_ms: number
  readonly rss_mb: number
  readonly entries: number
}

/** Opens a ledger in a process of its own, which has compiled nothing yet, as at a real start. */
export async function startLedger(directory: string, keysFile: string): Promise<LedgerStart> {
  const words = [...NODE_FLAGS, '--no-warnings', import.meta.filename, directory, keysFile]
  const running = start(process.execPath, words, { core: undefined })
  try {
    const { open_ms: openMs, rss_mb: rss, entries } = await readyLine(running, START_MS)
    return { open_ms: Number(openMs), rss_mb: Number(rss), entries: Number(entries) }
  } finally {
    await running.stop()
  }
}

const START_MS = 10 * 60_000
const MEGABYTE = 1_024 * 1_024

if (import.meta.main) {
  const [directory = '', keysFile = ''] = process.argv.slice(2)
  const keys = readKeys(keysFile)
  const started = performance.now()
  const ledger = await openBenchLedger(directory, keys)
  const openMs = performance.now() - started
  const report: LedgerStart = {
    open_ms: Math.round(openMs),
    rss_mb: Math.round(process.memoryUsage.rss() / MEGABYTE),
    entries: ledger.size,
  }
  console.log(JSON.stringify(report))
  await ledger.close()
}
