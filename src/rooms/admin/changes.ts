import type { Clock } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import type { Recorder } from '#base/recorder.ts'

/** Records what is about to change, before it changes. */
export interface Changes {
  /** Resolves when the `change` entry is on disk. Throws `ledger.unwritable`; then nothing may be changed. */
  record(id: string, what: string, fields: JsonObject): Promise<void>
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
