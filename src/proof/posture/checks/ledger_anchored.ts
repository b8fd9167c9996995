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
    const isNearOnly = outside.witnessed === undefined && outside.near.names.length > 0 && outside.near.isAll
    const rest = Math.max(0, outside.entries - (isNearOnly ? 0 : held.entries))
    const age = held.at === undefined ? '' : `, ${minutes(now - held.at)} ago`
    const says = `${held.entries} of ${outside.entries} entries are held outside (${holdersOf(outside)}${age}); whoever owns this machine can rewrite ${rest} of all unnoticed${nearSays(outside)}`
    if (isNearOnly)
      return warn(
        says,
        'Hold checkpoints on another machine, or see whether a share is mounted: docs/how-to/anchor-checkpoints.md',
      )
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

function nearSays({ near: { names } }: OutsideFacts): string {
  if (names.length === 0) return ''
  return `; on the disk of the home, where it shows accidents and not what whoever owns this machine does: ${names.join(', ')}`
}

function minutes(ms: number): string {
  return ms < MINUTE_MS ? 'less than a minute' : `${Math.floor(ms / MINUTE_MS)} min`
}
