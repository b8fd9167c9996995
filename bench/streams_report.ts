import type { Machine } from './machine.ts'
import type { Held } from './stream_aside.ts'
import type { Spread } from './stream_load.ts'
import { PACE_MS } from './stream_mock.ts'

export interface Flow {
  readonly direct: Row
  /** A bare proxy that syncs one record before it asks: the floor of what is recorded before it is done. */
  readonly bare_ledger: Row
  readonly governed: Row
  readonly added_us: Added
  readonly over_bare_ledger_us: Added
}

/** Medians of same-round differences of governed, in µs. */
export interface Added {
  readonly first_token_p50: number | null
  readonly first_token_p99: number | null
  readonly frame_p50: number | null
  readonly frame_p99: number | null
}

export interface Row {
  readonly streams: number
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly reordered: number
  readonly repeated: number
  readonly altered: number
  readonly failed: number
  readonly first_failure?: string
  readonly frames_per_s: number
  readonly first_token_us: Spread
  readonly frame_us: Spread
  readonly whole_frame_us: Spread
  readonly busy_percent: number | null
  readonly load_busy_percent: number
}

export interface Sample extends Held {
  readonly seconds: number
  readonly rss_mb: number
  readonly sockets: number
}

export interface StreamsReport {
  readonly bench: 'streams'
  readonly machine: Machine
  readonly pinned: boolean
  readonly rounds: number
  readonly seconds: number
  /** By how many streams there are at once, and when. */
  readonly flows: Readonly<Record<string, Flow>>
  readonly held: {
    readonly idle: number
    readonly slow: number
    readonly rss_before_mb: number
    readonly samples: readonly Sample[]
    readonly slope_mb_per_minute: number | null
  }
}

/** The report as tables for people. */
export function drawStreams(report: StreamsReport): string {
  const { machine, held } = report
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}`,
    report.pinned ? 'our door on core 0, load and model provider on core 1' : 'not pinned to cores',
    `${report.rounds} interleaved rounds of ${report.seconds} s, a frame every ${PACE_MS} ms; medians of rounds, counts of all`,
  ]
  for (const [title, { direct, bare_ledger, governed, added_us, over_bare_ledger_us }] of Object.entries(
    report.flows,
  )) {
    lines.push(
      '',
      title,
      '                streams  frames sent  received  lost reordered repeated altered failed  frames/s  core 0  core 1',
      rowLine('direct', direct),
      rowLine('bare_ledger', bare_ledger),
      rowLine('governed', governed),
      '  µs                 first token p50/p99      frame p50/p99   whole frame p50/p99',
      timeLine('direct', direct),
      timeLine('bare_ledger', bare_ledger),
      timeLine('governed', governed),
      addedLine('added', added_us),
      addedLine('over bare', over_bare_ledger_us),
    )
    if (governed.first_failure !== undefined)
      lines.push(`  first failure: ${governed.first_failure.slice(0, 200)}`)
  }
  lines.push(
    '',
    `${held.idle} silent streams and ${held.slow} readers that do not read (replaced when given up); ${held.rss_before_mb} MB before`,
    '      s    MB  sockets  silent  slow  given up  ordinary request',
    ...held.samples.map(
      (sample) =>
        `  ${[sample.seconds, sample.rss_mb, sample.sockets, sample.idle, sample.slow, sample.given_up]
          .map((value, at) => String(value).padStart([5, 5, 8, 7, 5, 9][at] ?? 0))
          .join(' ')}  ${sample.status} in ${sample.ms} ms`,
    ),
    `memory changed by ${held.slope_mb_per_minute ?? '–'} MB per minute`,
  )
  return lines.join('\n')
}

function rowLine(name: string, row: Row): string {
  const counts = [row.streams, row.sent, row.received, row.lost, row.reordered, row.repeated, row.altered]
  const percent = (value: number | null): string => `${value ?? '–'} %`.padStart(8)
  return (
    `  ${name.padEnd(12)}` +
    [...counts, row.failed, row.frames_per_s]
      .map((value, at) => String(value).padStart([9, 13, 10, 6, 10, 9, 8, 7, 10][at] ?? 0))
      .join('') +
    percent(row.busy_percent) +
    percent(row.load_busy_percent)
  )
}

function timeLine(name: string, { first_token_us, frame_us, whole_frame_us }: Row): string {
  const spread = ({ p50, p99 }: Spread): string => pair(p50, p99)
  return `  ${name.padEnd(14)}${spread(first_token_us).padStart(24)}${spread(frame_us).padStart(19)}${spread(whole_frame_us).padStart(22)}`
}

function addedLine(name: string, { first_token_p50, first_token_p99, frame_p50, frame_p99 }: Added): string {
  const [token, frame] = [pair(first_token_p50, first_token_p99), pair(frame_p50, frame_p99)]
  return `  ${name.padEnd(14)}${token.padStart(24)}${frame.padStart(19)}`
}

function pair(one: number | null, other: number | null): string {
  return `${one ?? '–'} / ${other ?? '–'}`
}
