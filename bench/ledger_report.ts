import type { LedgerReport } from './ledger.ts'
import type { AppendRate } from './ledger_appends.ts'
import type { SizeFigures } from './ledger_sizes.ts'

export function drawLedger(report: LedgerReport): string {
  const { machine, appends, quiet_provable: quiet, sizes, bars } = report
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, fdatasync p50 ${machine.fdatasync_p50_us} µs; ${report.rounds} rounds of ${report.seconds} s`,
    '',
    `entries of ${report.leaf_bytes} bytes, each awaited until it is on disk; disk: groups of that size written and synced, and nothing else`,
    'producers  appends/s  (min–max)          p50 µs   p99 µs  CPU µs  a group   disk/s  p50 µs  p99 µs  of disk  provable p50 ms  p99 ms',
    ...Object.entries(appends).map(drawRate),
    drawRate(['+ sealing', report.while_sealing]),
    `a quiet ledger: provable after ${quiet.p50_ms} ms (p50), ${quiet.p99_ms} ms (p99)`,
    `${report.sealed_bytes_per_request ?? 'no segment was sealed: no'} bytes per request (intent and outcome) on disk, sealed; ${report.requests_written} written`,
    '',
    '   entries  made s  start ms   (max)  RSS MB  first proof ms  inclusion p50 µs   p99 µs  consistency p50 µs   p99 µs  bytes/entry',
    ...sizes.map(drawSize),
    '',
    'verification, for one core; hashes of the tree: two for each entry',
    '   entries  hashing alone/s  verify: hashes/s  entries/s  with secrets: entries/s  seconds',
    ...sizes.map(drawVerify),
    ...sizes.slice(-1).map(drawSteps),
    '',
    ...bars.map(({ name, asked, measured, is_met: isMet }) =>
      [
        name.padEnd(42),
        `asked ${asked}`.padStart(13),
        `measured ${measured}`.padStart(17),
        isMet ? 'met' : 'NOT met',
      ].join('  '),
    ),
  ].join('\n')
}

/** Columns right-aligned. */
function row(cells: readonly (readonly [value: number | string, width: number])[]): string {
  return cells.map(([value, width]) => String(value).padStart(width)).join('')
}

function drawRate([producers, rate]: readonly [string, AppendRate]): string {
  const { disk, provable } = rate
  const range = `  (${rate.per_s_min}–${rate.per_s_max})`.padEnd(17)
  return (
    row([
      [producers, 9],
      [rate.per_s, 11],
    ]) +
    range +
    row([
      [rate.p50_us, 9],
      [rate.p99_us, 9],
      [rate.cpu_us, 8],
      [rate.entries_per_group, 9],
      [disk.per_s, 9],
      [disk.p50_us, 8],
      [disk.p99_us, 8],
      [rate.of_disk ?? '-', 9],
      [provable.p50_ms, 17],
      [provable.p99_ms, 8],
    ])
  )
}

function drawSize(figures: SizeFigures): string {
  return row([
    [figures.entries, 10],
    [figures.made_s, 8],
    [figures.start_ms, 10],
    [figures.start_ms_max, 8],
    [figures.start_rss_mb, 8],
    [figures.first_proof_ms, 16],
    [figures.inclusion.p50_us, 18],
    [figures.inclusion.p99_us, 9],
    [figures.consistency.p50_us, 20],
    [figures.consistency.p99_us, 9],
    [figures.bytes_per_entry ?? '-', 13],
  ])
}

function drawVerify({ entries, verify: { floor, plain, with_secrets: secrets } }: SizeFigures): string {
  return row([
    [entries, 10],
    [floor.hashes_per_s, 17],
    [plain.hashes_per_s, 18],
    [plain.entries_per_s, 11],
    [secrets.entries_per_s, 25],
    [secrets.seconds, 9],
  ])
}

function drawSteps({ verify: { steps_us: steps } }: SizeFigures): string {
  const each = Object.entries(steps).map(([name, us]) => `${name} ${us}`)
  return `one entry, each step alone and warm, µs: ${each.join(', ')}`
}
