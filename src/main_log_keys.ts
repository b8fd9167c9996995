import path from 'node:path'
import { setInterval } from 'node:timers'
import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject } from '#base/json.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
import { namedLogKeys, type LogKeyring, type NamedLogKey } from '#trust/ledger/log_keys.ts'
import { destroyEndedLogKeys, rotateLogKeys } from '#trust/vault/log_key_files.ts'

/** How often it is looked whether keys have ended, so that their private halves can be destroyed. */
const LOOK_MS = 3_600_000
/** Texts in entries are cut beyond this; of a longer key stands the hash. */
const KEY_CHARACTERS = 512
/** Pairs that sign at once: each adds 3.5 KB to every checkpoint, which is read up to 100 KB only. */
const MOST_SIGNING = 4

export interface LogKeysParts {
  /** The home folder. */
  readonly home: string
  readonly keys: LogKeyring
  readonly ledger: Pick<Ledger, 'append' | 'checkpoints' | 'origin'>
  readonly clock: Clock
  /** True when the home got its ML-DSA-44 key at this start. */
  readonly hasNewKey: boolean
}

/** The keys that sign the ledger of a running door. */
export interface OpenLogKeys {
  /** The verifier keys of the log in use, newest first. */
  readonly named: readonly NamedLogKey[]
  /**
   * Signs with a new pair from now on; all others sign along for `overlapMs` at most. Throws `key.conflicting` when too many
   * would sign, and as files and ledger do.
   */
  rotate(overlapMs: number): Promise<void>
  /** What signs now, as entries hold it: keys in full where they are short enough, of others the hash. */
  fields(): readonly string[]
  close(): void
}

/** Records a key that this start made, destroys those that have ended, and looks after them from now on. */
export async function openLogKeys(parts: LogKeysParts): Promise<OpenLogKeys> {
  const { ledger, clock } = parts
  const directory = path.join(parts.home, 'keys')
  let ring = parts.keys
  const named = (): readonly NamedLogKey[] => namedLogKeys(ring, ledger.origin, clock.now())
  const record = async (what: string, fields: JsonObject): Promise<void> => {
    const draft = { kind: 'change', id: newEntryId(), at: clock.now(), reserved: true } as const
    await ledger.append({ ...draft, fields: { ...fields, what } })
  }
  const destroy = async (): Promise<void> => {
    const count = destroyEndedLogKeys(directory, clock.now())
    if (count > 0) await record('log_key:destroy', { count })
  }
  if (parts.hasNewKey) await record('log_key:create', { after: toFields(named()) })
  await destroy()
  // One that fails is tried again within the hour, and at every start.
  const timer = setInterval(() => void destroy().catch(() => undefined), LOOK_MS)
  timer.unref()
  return {
    get named() {
      return named()
    },
    rotate: async (overlapMs) => {
      const { earlier = [] } = ring
      const now = clock.now()
      const signing = earlier.filter(({ pair, endsAt }) => pair !== undefined && endsAt > now).length + 1
      if (overlapMs > 0 && signing >= MOST_SIGNING)
        throw new Fault('key.conflicting', { signing }, { say: MANY })
      ring = rotateLogKeys(directory, clock.now() + overlapMs)
      await ledger.checkpoints.rekey(ring)
      await destroy()
    },
    fields: () => toFields(named()),
    close: () => clearInterval(timer),
  }
}

const MANY = `${MOST_SIGNING} pairs of keys sign the ledger already. Wait until one has ended, or end them with --overlap 0.`

function toFields(keys: readonly NamedLogKey[]): readonly string[] {
  return keys
    .filter(({ state }) => state === 'signs')
    .map(({ key }) => (key.length <= KEY_CHARACTERS ? key : `sha256:${sha256Hex(key)}`))
}
