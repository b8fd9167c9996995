import type { Clock } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import type { Recorder } from '#base/recorder.ts'
import type { Change, Directory } from '#trust/access/directory.ts'

/** Records what is about to change, before it changes. */
export interface Changes {
  /** Resolves when the `change` entry is on disk. Throws `ledger.unwritable`; then nothing may be changed. */
  record(id: string, what: string, fields: JsonObject): Promise<void>
}

/** Carries out a change of the directory, on record under the id of the request. Throws as its verb, and `ledger.unwritable`. */
export async function carryOut<T>(
  { directory, changes }: { readonly directory: Pick<Directory, 'carryOut'>; readonly changes: Changes },
  id: string,
  plan: () => Change<T>,
): Promise<T> {
  return await directory.carryOut(async ({ what, fields }) => await changes.record(id, what, fields), plan)
}

/** Changes are recorded with the id of the request that asked for them and may use the reserves of the ledger. */
export function changesIn(recorder: Recorder, clock: Clock): Changes {
  return {
    record: async (id, what, fields) => {
      await recorder.append({
        kind: 'change',
        id,
        at: clock.now(),
        fields: { ...fields, what },
        reserved: true,
      })
    },
  }
}
