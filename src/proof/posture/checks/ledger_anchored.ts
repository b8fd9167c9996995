import { ok, unknown, warn, type Check } from '../check.ts'
import type { HeldFacts, OutsideFacts } from '../facts.ts'

/** What is not held for so long is held too rarely. */
const STALE_MS = 86_400_000
const MINUTE_MS = 60_000

export const ledgerAnchored: Check = {
  id: 'ledger-anchored',
  title: 'Checkpoint held outside',
  why: 'A log checked on its own disk is consistent, no more: whoever owns the disk can rewrite all that nobody else holds a checkpoint of.',
  run: ({ ledger, now }) => {
    if (ledger === undefined) return unknown('there is no ledger yet', 'Start the door once: npm start')
    const { outside } = ledger
    const held = furthest(outside)
    if (held === undefined)
      return warn(
        `nobody outside holds a checkpoint: whoever owns this machine can rewrite all ${outside.entries} entries unnoticed`,
        'Name witnesses or anchors below ledger in gatehouse.yaml: docs/how-to/anchor-checkpoints.md',
      )
    const rest = Math.max(0, outside.entries - held.entries)
    const age = held.at === undefined ? '' : `, ${minutes(now - held.at)} ago`
    const says = `${held.entries} of ${outside.entries} entries are held outside (${holdersOf(outside)}${age}); whoever owns this machine can rewrite the other ${rest} unnoticed`
    if (rest > 0 && held.at !== undefined && now - held.at > STALE_MS)
      return warn(
        says,
        'See why witnesses and anchors get no newer checkpoint: gatehouse doctor --json, gatehouse ledger verify',
      )
    return ok(says)
  },
}

function furthest({ witnessed, anchored }: OutsideFacts): HeldFacts | undefined {
  if (witnessed === undefined || anchored === undefined) return witnessed ?? anchored
  return witnessed.entries >= anchored.entries ? witnessed : anchored
}

function holdersOf({ quorum, witnessed, anchored }: OutsideFacts): string {
  const names = [
    ...(witnessed === undefined ? [] : [`witnesses, ${quorum} at least: ${witnessed.entries}`]),
    ...(anchored === undefined ? [] : [`anchors: ${anchored.entries}`]),
  ]
  return names.join('; ')
}

function minutes(ms: number): string {
  return ms < MINUTE_MS ? 'less than a minute' : `${Math.floor(ms / MINUTE_MS)} min`
}
