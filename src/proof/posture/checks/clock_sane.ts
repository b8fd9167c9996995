import { fail, ok, unknown, type Check } from '../check.ts'

/** Two machines that set their clocks by the network differ by less. */
const TOLERANCE_MS = 60_000
/** 2026-01-01: no installation is older than the product. */
const LEAST_NOW = 1_767_225_600_000

export const clockSane: Check = {
  id: 'clock-sane',
  title: 'Clock',
  why: 'Expiry of keys and the times of entries hang on it.',
  run: ({ now, ledger }) => {
    if (now < LEAST_NOW) return fail('it stands years back', 'Set the clock, best by NTP')
    if (ledger === undefined)
      return unknown('there is no entry to compare with', 'Start the door once: npm start')
    if (ledger.lastAt !== undefined && ledger.lastAt > now + TOLERANCE_MS) {
      const seconds = Math.round((ledger.lastAt - now) / 1_000)
      return fail(`it stands ${seconds} s before the last entry`, 'Set the clock, best by NTP')
    }
    return ok('not before the last entry')
  },
}
