import * as z from 'zod'
import type { Clock } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Compaction } from '#trust/ledger/compact.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseBody, parseNothing } from './admin_route.ts'
import type { BackupAnswer, CompactAnswer } from './answers.ts'
import { withPlace } from './with_place.ts'

export interface BackupRouteParts {
  readonly ledger: {
    readonly origin: string
    readonly size: number
    /** Signs what is on disk. Throws `ledger.unwritable`. */
    checkpoint(): Promise<string>
  }
}

const PATH_CHARACTERS = 1_024

const BackupOrder = z.strictObject({
  /** Where the copy goes, for the record. */
  target: z.string().min(1).max(PATH_CHARACTERS),
  /** What it is encrypted with. */
  key: z.enum(['passphrase', 'key']),
})
type BackupOrder = z.infer<typeof BackupOrder>

/**
 * `POST /admin/backup`: the leave to copy the home, on record, with all of the ledger signed so that it can be copied. The copy
 * itself is made from the files by who asked; the door never sees what it is encrypted with.
 */
export function backupRoute({ ledger }: BackupRouteParts): Route<BackupOrder> {
  return adminRoute({
    name: 'home_backup',
    method: 'POST',
    path: '/admin/backup',
    action: 'home:backup',
    parse: (request) => parseBody(BackupOrder, request),
    act: async ({ target, key }) => {
      await ledger.checkpoint()
      const answer: BackupAnswer = { origin: ledger.origin, entries: ledger.size }
      return acted(200, answer, { target, encrypted_with: key })
    },
  })
}

export interface CompactRouteParts {
  /** Stops between two segments when `goOn` says so. */
  readonly compact: (goOn: () => boolean) => Promise<Compaction>
  readonly clock: Clock
}

/** `POST /admin/ledger/compact`: seals what is full and removes leftovers, for ten seconds at most. */
export function compactRoute({ compact, clock }: CompactRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'ledger_compact',
    method: 'POST',
    path: '/admin/ledger/compact',
    action: 'ledger:compact',
    parse: parseNothing,
    act: async () => {
      const end = clock.monotonic() + LIMITS.compactMs
      const { bytesBefore, bytesAfter, sealed, removed, waiting } = await withPlace(
        async () => await compact(() => clock.monotonic() < end),
      )
      const answer: CompactAnswer = {
        bytes_before: bytesBefore,
        bytes_after: bytesAfter,
        sealed,
        removed,
        waiting,
      }
      return acted(200, answer, { before: bytesBefore, after: bytesAfter, count: sealed })
    },
  })
}
