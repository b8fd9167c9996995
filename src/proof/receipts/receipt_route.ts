import { utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { printRef, type EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import type { JsonObject } from '#base/json.ts'
import { knownTarget, type RawRequest, type Route } from '#door/route.ts'
import { checkPermit } from '#trust/access/authorize.ts'
import type { ReadEntry } from '#trust/ledger/read.ts'
import type { Asker } from '#trust/ledger/search_queue.ts'
import { OWN_FIELDS, REQUEST_KINDS } from './own_fields.ts'

/** What a caller asks for receipts of its own requests. */
const RECEIPTS: EntityRef = { type: 'Endpoint', id: 'receipts' }
const TARGET = knownTarget(RECEIPTS)
const ACTION = 'entry:receipt'
/** A checkpoint is signed once a second while entries come. */
const RETRY_AFTER_SECONDS = 1

export interface ReceiptParts {
  /** All entries with this id, newest first. Throws `ledger.corrupt`, `load.exceeded`. */
  find(id: string, asker: Asker): Promise<readonly ReadEntry[]>
  /** The pseudonym that stands in leaves for a caller, as printed by `printRef`. */
  pseudonymOf(caller: string): string
  /** Since when there is a caller of this name: what is older was somebody else's, who had it before. */
  since(caller: EntityRef): Millis
  /** Receipts of entries; undefined while no checkpoint covers them all. Throws `ledger.corrupt`. */
  receiptsOf(entries: readonly ReadEntry[], mayShow: (name: string) => boolean): Promise<string | undefined>
}

type EntryName = JsonObject & { readonly id: string }

/**
 * `GET /v1/receipts/{id}`: the receipts of the entries of one request, for the caller of that very request; for anyone else
 * they are unknown. Refused with `receipt.pending` until the request is over and a checkpoint covers it.
 */
export function receiptRoute(parts: ReceiptParts): Route<EntryName> {
  return {
    name: 'receipt',
    listener: 'door',
    method: 'GET',
    path: '/v1/receipts/{id}',
    media: 'json',
    envelope: 'problem',
    action: ACTION,
    record: 'grouped',
    inspect: {
      request: 'all',
      response: {
        exempt:
          'It proves exact bytes of the ledger, which hold no content: one changed byte proves nothing.',
      },
    },
    parse: parseId,
    target: () => TARGET,
    act: async (permit, { id }, { caller }) => {
      checkPermit(permit, ACTION, RECEIPTS)
      const asker = printRef(caller.ref)
      const found = await parts.find(id, { caller: asker })
      const [pseudonym, since] = [parts.pseudonymOf(asker), parts.since(caller.ref)]
      const isOwn = ({ leaf }: ReadEntry): boolean =>
        leaf['caller'] === pseudonym && Number(leaf['at']) >= since
      if (!found.some(isOwn)) throw new Fault('entry.unknown')
      const entries = found.filter(({ leaf }) => REQUEST_KINDS.has(leaf['kind'])).toReversed()
      const text = isOver(entries)
        ? await parts.receiptsOf(entries, (name) => OWN_FIELDS.has(name))
        : undefined
      if (text === undefined)
        throw new Fault('receipt.pending', {}, { retryAfterSeconds: RETRY_AFTER_SECONDS })
      const type = 'text/plain; charset=utf-8'
      return { kind: 'bytes', bytes: utf8(text), type, cache: 'no-store', facts: { count: entries.length } }
    },
  }
}

/** A receipt of the intent alone would say less than the one of a moment later. */
function isOver(entries: readonly ReadEntry[]): boolean {
  return entries.some(({ leaf }) => leaf['kind'] !== 'intent')
}

function parseId({ params, query, body }: RawRequest): EntryName {
  if (query.length > 0 || body.length > 0)
    throw new Fault('input.invalid', {}, { say: 'This route takes no query and no body.' })
  const { id } = params
  // A malformed id gets the same answer as one that is not there or not the asker's.
  if (id === undefined || !isEntryId(id)) throw new Fault('entry.unknown')
  return Object.freeze({ id })
}
