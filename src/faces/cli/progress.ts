import type { Call } from './command.ts'

const EVERY_MS = 1_000
const KIB = 1_024
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** Tells how far long work has come: a line on standard error now and then, and none where nobody reads along. */
export function progressOf({ world, isJson }: Call): (line: () => string) => void {
  let told = world.clock.monotonic()
  return (line) => {
    const now = world.clock.monotonic()
    if (isJson || now - told < EVERY_MS) return
    told = now
    world.stderr.write(`${line()}\n`)
  }
}

/** A number of bytes as people read it. */
export function printBytes(bytes: number): string {
  let [value, unit] = [bytes, 0]
  for (; value >= KIB && unit < UNITS.length - 1; unit++) value /= KIB
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}
