import path from 'node:path'
import { NODE_FILES, type WritableFile } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft } from '#base/recorder.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
import {
  countingFiles,
  newKeys,
  openBenchLedger,
  wideIntent,
  wideOutcome,
  type GroupCount,
} from './ledger_entries.ts'
import { ProvableWatch } from './ledger_provable.ts'
import { median, pairedRatio, quantile, round } from './statistics.ts'

export const PRODUCERS = [1, 16, 64] as const

/** Entries of 512 bytes that are awaited until they are on disk, and what the disk alone takes for groups of that size. */
export interface AppendRate {
  readonly per_s: number
  readonly per_s_min: number
  readonly per_s_max: number
  /** Of the acknowledgement. */
  readonly p50_us: number
  readonly p99_us: number
  readonly entries_per_group: number
  readonly group_bytes: number
  /** Processor time of this process for one entry, all threads: a core cannot do more than 1,000,000 of them in a second. */
  readonly cpu_us: number
  /** Writing and syncing groups of that size one after another, and nothing else. */
  readonly disk: { readonly per_s: number; readonly p50_us: number; readonly p99_us: number }
  /** `per_s` of what the disk does. */
  readonly of_disk: number | null
  /** From the call until a signed checkpoint covers the entry. */
  readonly provable: ProvableTimes
}

export interface ProvableTimes {
  readonly p50_ms: number
  readonly p99_ms: number
}

export interface AppendFigures {
  /** By producers, while sealing waits, as it does in a door that is busy. */
  readonly appends: Readonly<Record<string, AppendRate>>
  /** By the most producers, while full segments are sealed too, as it must be when the load does not end. */
  readonly while_sealing: AppendRate
  /** The same of a quiet ledger: an entry now and then. */
  readonly quiet_provable: ProvableTimes
}

export interface AppendOptions {
  readonly producers?: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}

interface Round {
  readonly rate: number
  readonly latencies: readonly number[]
  readonly provable: readonly number[]
  readonly entriesPerGroup: number
  readonly groupBytes: number
  readonly cpuUs: number
  readonly disk: { readonly rate: number; readonly times: readonly number[] }
}

/** Appends and the disk alone in turns, so that what else the machine does bears on both. */
export async function measureAppends(directory: string, options: AppendOptions): Promise<AppendFigures> {
  const { rounds, seconds, say, producers = PRODUCERS } = options
  const count: GroupCount = { groups: 0, bytes: 0, measured: 0 }
  let isBusy = false
  const files = countingFiles(count)
  const ledger = await openBenchLedger(path.join(directory, 'ledger'), newKeys(), files, () => isBusy)
  const results = new Map<number, Round[]>(producers.map((each) => [each, []]))
  const sealing: Round[] = []
  const most = Math.max(...producers)
  const quiet: number[][] = []
  // Round 0 warms up.
  for (let at = 0; at <= rounds; at += 1) {
    for (const [each, list] of results) {
      isBusy = true
      const one = await runRound(ledger, count, { producers: each, seconds, directory, isSealing: false })
      isBusy = false
      await ledger.settled()
      if (at > 0) list.push(one)
    }
    const one = await runRound(ledger, count, { producers: most, seconds, directory, isSealing: true })
    if (at > 0) sealing.push(one)
    if (at > 0) quiet.push(await appendNowAndThen(ledger, seconds))
    say(at === 0 ? 'warmed up' : `appends: round ${at} of ${rounds}`)
  }
  await ledger.close()
  const appends = Object.fromEntries([...results].map(([each, list]) => [each, toRate(list)]))
  return { appends, while_sealing: toRate(sealing), quiet_provable: toProvable(quiet) }
}

interface Load {
  readonly producers: number
  readonly seconds: number
  readonly directory: string
  readonly isSealing: boolean
}

async function runRound(ledger: Ledger, count: GroupCount, load: Load): Promise<Round> {
  Object.assign(count, { groups: 0, bytes: 0, measured: 0 })
  const watch = new ProvableWatch(ledger)
  const processor = process.cpuUsage()
  const latencies = await produce(ledger, watch, load)
  const { user, system } = process.cpuUsage(processor)
  const { groups, bytes, measured } = count
  const provable = await watch.finish()
  if (load.isSealing) await ledger.settled()
  const groupBytes = Math.round(bytes / Math.max(1, measured))
  const entriesPerGroup = latencies.length / groups
  const times = await writeGroups(path.join(load.directory, 'groups'), groupBytes, load.seconds)
  return {
    rate: latencies.length / load.seconds,
    latencies,
    provable,
    entriesPerGroup,
    groupBytes,
    cpuUs: (user + system) / latencies.length,
    disk: { rate: (times.length * entriesPerGroup) / load.seconds, times },
  }
}

/** Milliseconds that each append took. As in life an intent is followed by its outcome, and the ledger keeps neither in mind. */
async function produce(
  ledger: Ledger,
  watch: ProvableWatch,
  { producers, seconds }: Load,
): Promise<number[]> {
  const latencies: number[] = []
  const until = performance.now() + seconds * 1_000
  const append = async (draft: EntryDraft): Promise<void> => {
    const started = performance.now()
    const { index } = await ledger.append(draft)
    latencies.push(performance.now() - started)
    watch.add(index, started)
  }
  const work = async (): Promise<void> => {
    while (performance.now() < until) {
      const id = newEntryId()
      await append(wideIntent(id))
      await append(wideOutcome(id))
    }
  }
  await Promise.all(Array.from({ length: producers }, work))
  return latencies
}

/** As the active segment does: the file grows by so much at a time, and ends at so much. */
const ROOM_BYTES = 256 * 1_024
const SEGMENT_BYTES = 4 * 1_024 * 1_024

/** Milliseconds that each group took to be written and synced, by the same call that the ledger uses. */
async function writeGroups(place: string, bytes: number, seconds: number): Promise<readonly number[]> {
  const group = Buffer.alloc(bytes, 0x61)
  const grown = Buffer.concat([group, Buffer.alloc(ROOM_BYTES)])
  const times: number[] = []
  const until = performance.now() + seconds * 1_000
  let file: WritableFile | undefined
  let [at, length] = [0, 0]
  while (performance.now() < until) {
    if (file === undefined || at >= SEGMENT_BYTES) {
      await file?.close()
      await NODE_FILES.unlink(place)
      file = await NODE_FILES.openForWriting(place)
      at = length = 0
    }
    const started = performance.now()
    await file.write(at + bytes <= length ? group : grown, at)
    times.push(performance.now() - started)
    length = Math.max(length, at + bytes <= length ? length : at + grown.length)
    at += bytes
  }
  await file?.close()
  return times
}

const QUIET_MS = 20

async function appendNowAndThen(ledger: Ledger, seconds: number): Promise<number[]> {
  const watch = new ProvableWatch(ledger)
  const until = performance.now() + seconds * 1_000
  while (performance.now() < until) {
    const started = performance.now()
    const { index } = await ledger.append(wideIntent())
    watch.add(index, started)
    await new Promise((resolve) => void setTimeout(resolve, QUIET_MS))
  }
  return await watch.finish()
}

function toRate(list: readonly Round[]): AppendRate {
  const rates = list.map(({ rate }) => Math.round(rate))
  return {
    per_s: median(rates),
    per_s_min: Math.min(...rates),
    per_s_max: Math.max(...rates),
    p50_us: medianOf(list, ({ latencies }) => 1_000 * shareOf(latencies, 0.5)),
    p99_us: medianOf(list, ({ latencies }) => 1_000 * shareOf(latencies, 0.99)),
    entries_per_group: round(median(list.map(({ entriesPerGroup }) => entriesPerGroup)), 1),
    group_bytes: medianOf(list, ({ groupBytes }) => groupBytes),
    cpu_us: round(median(list.map(({ cpuUs }) => cpuUs)), 1),
    disk: {
      per_s: medianOf(list, ({ disk }) => disk.rate),
      p50_us: medianOf(list, ({ disk }) => 1_000 * shareOf(disk.times, 0.5)),
      p99_us: medianOf(list, ({ disk }) => 1_000 * shareOf(disk.times, 0.99)),
    },
    of_disk: pairedRatio(
      rates,
      list.map(({ disk }) => disk.rate),
    ),
    provable: toProvable(list.map(({ provable }) => provable)),
  }
}

function toProvable(list: readonly (readonly number[])[]): ProvableTimes {
  return {
    p50_ms: medianOf(list, (times) => shareOf(times, 0.5)),
    p99_ms: medianOf(list, (times) => shareOf(times, 0.99)),
  }
}

function medianOf<One>(list: readonly One[], figure: (one: One) => number): number {
  return Math.round(median(list.map(figure)))
}

function shareOf(values: readonly number[], share: number): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    share,
  )
}
