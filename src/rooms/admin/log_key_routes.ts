import * as z from 'zod'
import type { Clock, Millis } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseBody } from './admin_route.ts'
import type { LogKeyListAnswer } from './answers.ts'
import type { Changes } from './changes.ts'
import { toTime } from './to_time.ts'

/** The keys that sign the ledger, as the routes see them. */
export interface LogKeyRouteParts {
  readonly logKeys: {
    readonly named: readonly {
      readonly key: string
      readonly state: 'signs' | 'ends' | 'ended'
      readonly endsAt: Millis | undefined
    }[]
    rotate(overlapMs: number): Promise<void>
    /** What signs now, as entries hold it. */
    fields(): readonly string[]
  }
  readonly changes: Changes
  readonly clock: Clock
}

const DAY_MS = 86_400_000
/** Longer would keep a key that was to be replaced. */
const MOST_OVERLAP_MS = 400 * DAY_MS

const RotateOrder = z.strictObject({ overlap_ms: z.int().min(0).max(MOST_OVERLAP_MS) })
type RotateOrder = z.infer<typeof RotateOrder>

/** `POST /admin/log-keys/rotate`: a new pair signs the ledger from now on, and those before it only for a while. */
export function rotateLogKeyRoute({ logKeys, changes, clock }: LogKeyRouteParts): Route<RotateOrder> {
  return adminRoute({
    name: 'log_key_rotate',
    method: 'POST',
    path: '/admin/log-keys/rotate',
    action: 'log_key:rotate',
    exempt: 'It is public keys, which look like encoded text.',
    parse: (request) => parseBody(RotateOrder, request),
    act: async ({ overlap_ms: overlapMs }, { id }) => {
      const before = logKeys.fields()
      const expires = toTime(clock.now() + overlapMs)
      await changes.record(id, 'log_key:rotate', { before, expires })
      await logKeys.rotate(overlapMs)
      // Under the old keys too: who knows them alone can prove this entry, and so learns the new ones.
      return acted(200, listOf(logKeys), { after: logKeys.fields() })
    },
  })
}

function listOf({ named }: LogKeyRouteParts['logKeys']): LogKeyListAnswer & JsonObject {
  return {
    keys: named.map(({ key, state, endsAt }) => ({
      key,
      state,
      ends_at: endsAt === undefined ? null : toTime(endsAt),
    })),
  }
}
