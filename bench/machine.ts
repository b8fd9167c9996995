import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { quantile } from './statistics.ts'

/** What the figures were measured on; those of two machines, or of two runs on one, are not to be compared. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory_gb: number
  readonly system: string
  readonly node: string
  readonly fdatasync_p50_us: number
  readonly disk_is_memory: boolean
}

const SYNCS = 200
const TMPFS = 0x01021994

/** Describes this machine; the disk is that of `folder`. */
export function describeMachine(folder: string): Machine {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model ?? process.arch,
    cores: cpus.length,
    memory_gb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    fdatasync_p50_us: measureSync(folder),
    disk_is_memory: fs.statfsSync(folder).type === TMPFS,
  }
}

function measureSync(folder: string): number {
  const file = path.join(folder, 'sync')
  const handle = fs.openSync(file, 'a')
  const record = Buffer.alloc(400, 0x61)
  const times = Array.from({ length: SYNCS }, () => {
    fs.writeSync(handle, record)
    const started = performance.now()
    fs.fdatasyncSync(handle)
    return performance.now() - started
  })
  fs.closeSync(handle)
  fs.rmSync(file)
  return Math.round(
    1_000 *
      quantile(
        times.toSorted((a, b) => a - b),
        0.5,
      ),
  )
}
