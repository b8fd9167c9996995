import { ok, unknown, warn, type Check } from '../check.ts'

export const homeRestored: Check = {
  id: 'home-restored',
  title: 'Restores',
  why: 'A home that was put back from a copy lacks what was recorded after the copy, and others may have seen it.',
  run: ({ home, ledger }) => {
    if (home?.isRestored === true)
      return warn(
        'restored from a backup, and not started since',
        'Make sure that no door runs in the home that was copied, and start this one: docs/how-to/back-up-and-restore.md',
      )
    if (ledger === undefined) return unknown('there is no ledger yet', 'Start the door once: npm start')
    const { restored } = ledger
    if (restored === undefined) return ok('the home was never restored from a backup')
    const { at, before, lost } = restored
    const end =
      before === undefined ? 'without a ledger' : `that ends at entry ${before.size} of ${before.origin}`
    const gap =
      lost > 0
        ? `${lost} entries are known to have followed it`
        : 'whether entries followed it is not known here'
    return warn(
      `restored on ${new Date(at).toISOString().slice(0, 10)} from a copy ${end}; ${gap}`,
      'Revoke keys and disable callers again that were since the copy, and compare with what is held outside: anchors, witnesses, receipts, and the old home if it is still there',
    )
  },
}
