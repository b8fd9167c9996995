import type { Millis } from '#base/clock.ts'
import type { EntityRef } from '#base/decider.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { EntryKind } from '#base/recorder.ts'
import type { EntryFinder } from '#trust/ledger/entry_finder.ts'
import type { ReadEntry } from '#trust/ledger/read.ts'
import type { Asker } from '#trust/ledger/search_queue.ts'

/** One ledger entry as people and `explain` read it. */
export interface EntryView {
  readonly origin: string
  readonly index: number
  readonly kind: EntryKind
  readonly id: string
  readonly at: Millis
  /** What stands in the leaf, `caller` as its pseudonym. */
  readonly shown: JsonObject
  /** What the sidecar holds; empty when it was not opened or has been shredded. */
  readonly opened: JsonObject
}

/** Finds entries by the id of their request. */
export interface EntryReader {
  /** All entries with this id, oldest first; empty when there are none. Throws `ledger.corrupt`, `load.exceeded`. */
  find(id: string, asker: Asker): Promise<readonly EntryView[]>
  /** The pseudonym that stands in leaves for a caller, as printed by `printRef`. */
  pseudonymOf(caller: string): string
  /** Since when there is a caller of this name: what is older was somebody else's, who had it before. */
  since(caller: EntityRef): Millis
  /** The known caller for whom a pseudonym stands; undefined for one that is known no more. */
  callerOf(pseudonym: string): string | undefined
}

export interface EntryReaderParts {
  readonly finder: Pick<EntryFinder, 'find'>
  readonly pseudonymOf: (caller: string) => string
  readonly since: (caller: EntityRef) => Millis
  /** All callers there are, as printed by `printRef`. A pseudonym cannot be undone, so it is looked for among theirs. */
  readonly callers: () => Iterable<string>
}

/** Reads entries from the files of a ledger, beside whoever appends to it. */
export function entryReader(parts: EntryReaderParts): EntryReader {
  const { finder, pseudonymOf, since, callers } = parts
  return {
    find: async (id, asker) => (await finder.find(id, asker)).toReversed().map(toEntryView),
    pseudonymOf,
    since,
    callerOf: (pseudonym) => {
      for (const caller of callers()) if (pseudonymOf(caller) === pseudonym) return caller
      return undefined
    },
  }
}

const KINDS: readonly EntryKind[] = ['intent', 'outcome', 'refusal', 'digest', 'change', 'note']
/** Of the leaf's own members these are told apart from the facts; commitments prove values and say nothing. */
const FRAME: ReadonlySet<string> = new Set(['v', 'kind', 'id', 'at', 'commit'])

export function toEntryView({ origin, index, leaf, opened }: ReadEntry): EntryView {
  const values = Object.entries(opened ?? {}).map(([name, { value }]): [string, JsonValue] => [name, value])
  return {
    origin,
    index,
    kind: KINDS.find((kind) => kind === leaf['kind']) ?? 'note',
    id: typeof leaf['id'] === 'string' ? leaf['id'] : '',
    at: typeof leaf['at'] === 'number' ? leaf['at'] : 0,
    shown: Object.fromEntries(Object.entries(leaf).filter(([name]) => !FRAME.has(name))),
    opened: Object.fromEntries(values),
  }
}
