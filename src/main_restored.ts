import type { Clock } from '#base/clock.ts'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import { removeRestoredMark, type RestoredMark } from '#rooms/backup/restored_mark.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
import { headToJson } from '#trust/ledger/succession.ts'

export interface RestoredParts {
  readonly home: string
  /** Undefined where the home was not restored. */
  readonly mark: RestoredMark | undefined
  readonly ledger: Pick<Ledger, 'append' | 'origin'>
  readonly clock: Clock
}

/**
 * Puts into the ledger that the home was restored, and from what, at the first start after it. A crash in between may have it
 * there twice, and never not at all.
 */
export async function recordRestore({ home, mark, ledger, clock }: RestoredParts): Promise<void> {
  if (mark === undefined) return
  const { backup, madeAt, restoredAt, head } = mark
  const fields = {
    what: 'home:restore',
    before: head === undefined ? null : headToJson(head),
    after: ledger.origin,
    backup,
    made_at: new Date(madeAt).toISOString(),
    restored_at: new Date(restoredAt).toISOString(),
  }
  await ledger.append({ kind: 'change', id: newEntryId(), at: clock.now(), fields, reserved: true })
  await removeRestoredMark(NODE_FILES, home)
}
