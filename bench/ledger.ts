import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { newEntryId } from '#base/ids.ts'
import { measureAppends, type AppendFigures } from './ledger_appends.ts'
import { intent, LEAF_BYTES, newKeys, openBenchLedger, outcome } from './ledger_entries.ts'
import { measureSizes, type SizeFigures } from './ledger_sizes.ts'
import { describeMachine, type Machine } from './machine.ts'
import { stopAll } from './processes.ts'
import { round } from './statistics.ts'

export interface LedgerReport extends AppendFigures {
  readonly bench: 'ledger'
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  readonly leaf_bytes: number
  /** An intent and an outcome, in a segment that is sealed. */
  readonly sealed_bytes_per_request: number | null
  readonly requests_written: number
  readonly sizes: readonly SizeFigures[]
  readonly bars: readonly Bar[]
  readonly within_bars: boolean
}

/** What is asked, and the worst that was measured. */
export interface Bar {
  readonly name: string
  readonly asked: number
  readonly measured: number
  readonly is_met: boolean
}

export const SIZES = [100_000, 1_000_000] as const
/** Besides with `--full`: some 8 GB on disk for the time that it takes. */
export const FULL_SIZE = 10_000_000
export const QUICK_SIZES = [20_000] as const

/** Enough for a few sealed segments of the default size. */
const REQUESTS = 60_000
const REQUEST_PRODUCERS = 64

/** Measures the ledger alone, on the disk of the temporary folder. */
export async function benchLedger(options: {
  readonly rounds: number
  readonly seconds: number
  /** Entries, rising. */
  readonly sizes: readonly number[]
  readonly producers?: readonly number[]
  readonly requests?: number
  readonly say: (line: string) => void
}): Promise<LedgerReport> {
  const { rounds, seconds, say, requests = REQUESTS } = options
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-ledger-'))
  // Also when the bench is interrupted: it may be gigabytes.
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true })
  process.on('exit', remove)
  try {
    const machine = describeMachine(folder)
    if (machine.disk_is_memory)
      say('the temporary folder is in memory: syncs cost nothing, and no figure counts')
    const appends = await measureAppends(emptyFolder(folder, 'appends'), options)
    fs.rmSync(path.join(folder, 'appends'), { recursive: true })
    say(`writing ${requests} requests to be sealed`)
    const sealed = await measureBytes(path.join(folder, 'bytes'), requests)
    const sizes = await measureSizes(emptyFolder(folder, 'sizes'), options)
    const bars = toBars(appends, sizes)
    return {
      bench: 'ledger',
      machine,
      rounds,
      seconds,
      leaf_bytes: LEAF_BYTES,
      ...appends,
      sealed_bytes_per_request: sealed,
      requests_written: requests,
      sizes,
      bars,
      within_bars: bars.every((bar) => bar.is_met),
    }
  } finally {
    await stopAll()
    remove()
    process.off('exit', remove)
  }
}

function emptyFolder(folder: string, name: string): string {
  const made = path.join(folder, name)
  fs.mkdirSync(made)
  return made
}

async function measureBytes(directory: string, requests: number): Promise<number | null> {
  const ledger = await openBenchLedger(directory, newKeys())
  let left = requests
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const id = newEntryId()
      await ledger.append(intent(id))
      ledger.appendLater(() => outcome(id))
    }
  }
  await Promise.all(Array.from({ length: REQUEST_PRODUCERS }, work))
  await ledger.checkpoint()
  await ledger.settled()
  const { bytesPerEntry } = ledger.state()
  await ledger.close()
  // Two entries each.
  return bytesPerEntry === undefined ? null : round(2 * bytesPerEntry, 1)
}

function toBars(figures: AppendFigures, sizes: readonly SizeFigures[]): Bar[] {
  const { appends, while_sealing: sealing, quiet_provable: quiet } = figures
  const most = appends['64']
  const provable = Math.max(most?.provable.p99_ms ?? Infinity, sealing.provable.p99_ms, quiet.p99_ms)
  const slowest = (pick: (verify: SizeFigures['verify']) => number): number =>
    Math.min(...sizes.map(({ verify }) => pick(verify)))
  return [
    atLeast('appends/s, 64 producers', 50_000, most?.per_s ?? 0),
    atMost('acknowledgement, 64 producers, p99 µs', 5_000, most?.p99_us ?? Infinity),
    atLeast('the same while sealing too', 50_000, sealing.per_s),
    atMost('acknowledgement while sealing too, p99 µs', 5_000, sealing.p99_us),
    atMost('provable, p99 ms', 250, provable),
    atLeast(
      'verify, hashes/s of a core',
      300_000,
      slowest(({ plain }) => plain.hashes_per_s),
    ),
    atLeast(
      'verify with schema and canonical form, entries/s of a core',
      120_000,
      slowest(({ plain }) => plain.entries_per_s),
    ),
    atLeast(
      'verify with secrets, entries/s of a core',
      120_000,
      slowest((verify) => verify.with_secrets.entries_per_s),
    ),
  ]
}

function atLeast(name: string, asked: number, measured: number): Bar {
  return { name, asked, measured, is_met: measured >= asked }
}

function atMost(name: string, asked: number, measured: number): Bar {
  return { name, asked, measured, is_met: measured <= asked }
}
