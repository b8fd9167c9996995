import * as z from 'zod'
import type { Clock } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import type { Route } from '#door/route.ts'
import type { Reindexed, ReindexPlace } from '#trust/ledger/reindex.ts'
import { acted, adminRoute, parseBody } from './admin_route.ts'
import type { ReindexAnswer } from './answers.ts'
import { withPlace } from './with_place.ts'

export interface ReindexRouteParts {
  /** Stops when `goOn` says so, and says where to go on. */
  readonly reindex: (from: ReindexPlace | undefined, goOn: () => boolean) => Promise<Reindexed>
  readonly clock: Clock
}

const NAME_CHARACTERS = 64
/** Of what was removed. */
const MOST_NAMED = 100

const ReindexOrder = z.strictObject({
  /** Where the last answer said to go on; null to begin. */
  from: z.strictObject({ log: z.string().max(NAME_CHARACTERS), step: z.int().min(0) }).nullable(),
})
type ReindexOrder = z.infer<typeof ReindexOrder>

/** `POST /admin/ledger/reindex`: makes tiles and filters anew where they are missing or wrong, for ten seconds at most. */
export function reindexRoute({ reindex, clock }: ReindexRouteParts): Route<ReindexOrder> {
  return adminRoute({
    name: 'ledger_reindex',
    method: 'POST',
    path: '/admin/ledger/reindex',
    action: 'ledger:reindex',
    parse: (request) => parseBody(ReindexOrder, request),
    act: async ({ from }) => {
      const end = clock.monotonic() + LIMITS.reindexMs
      const { checked, tiles, filters, removed, next } = await withPlace(
        async () => await reindex(from ?? undefined, () => clock.monotonic() < end),
      )
      const answer: ReindexAnswer = {
        checked,
        tiles,
        filters,
        removed: removed.slice(0, MOST_NAMED),
        next: next === undefined ? null : { ...next },
      }
      return acted(200, answer, { count: tiles + filters + removed.length })
    },
  })
}
