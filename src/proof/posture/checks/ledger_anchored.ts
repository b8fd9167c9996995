import { ok, unknown, warn, type Check } from '../check.ts'

export const ledgerAnchored: Check = {
  id: 'ledger-anchored',
  title: 'Checkpoint held outside',
  why: 'A log checked on its own disk is consistent, no more: whoever owns the disk can rewrite all of it.',
  run: ({ ledger }) => {
    if (ledger === undefined) return unknown('there is no ledger yet', 'Start the door once: npm start')
    if (ledger.anchors > 0) return ok(`${ledger.anchors} checkpoints are held outside`)
    return warn(
      'no checkpoint is held outside this machine, so a rollback would not show',
      'Copy HOME/ledger/*/checkpoint to another machine now and then, and check with: gatehouse ledger verify --against FILE',
    )
  },
}
