import { printRef, type EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import { checkPermit } from '#trust/access/authorize.ts'
import type { HeldOutside } from '#trust/ledger/held_outside.ts'
import { knownTarget, type RawRequest, type Route } from '#door/route.ts'
import { acted, adminRoute, parseNothing } from './admin_route.ts'
import type { EntryReader, EntryView } from './entry_view.ts'
import { explain, type Clearance, type Explanation } from './why.ts'

/** What a caller asks for an explanation of its own requests. */
const WHY: EntityRef = { type: 'Endpoint', id: 'why' }
const TARGET = knownTarget(WHY)
const ACTION = 'entry:explain'

type EntryName = { readonly id: string }

/** `GET /admin/entries/{id}`: the whole explanation, for an operator. */
export function explainRoute(entries: EntryReader, held: () => HeldOutside): Route<EntryName> {
  return adminRoute({
    name: 'entry_explain',
    method: 'GET',
    path: '/admin/entries/{id}',
    action: ACTION,
    parse: parseId,
    act: async ({ id }) =>
      acted(200, told(withCaller(await entries.find(id, { isUrgent: true }), entries), 'operator', held())),
  })
}

/** `GET /v1/why/{id}`: for the caller of that very request; for anyone else the entry is unknown. */
export function whyRoute(entries: EntryReader, held: () => HeldOutside): Route<EntryName> {
  return {
    name: 'why',
    listener: 'door',
    method: 'GET',
    path: '/v1/why/{id}',
    media: 'json',
    envelope: 'problem',
    action: ACTION,
    record: 'grouped',
    inspect: { request: 'all', response: 'all' },
    parse: parseId,
    target: () => TARGET,
    act: async (permit, { id }, { caller }) => {
      checkPermit(permit, ACTION, WHY)
      const asker = printRef(caller.ref)
      const found = await entries.find(id, { caller: asker })
      const [pseudonym, since] = [entries.pseudonymOf(asker), entries.since(caller.ref)]
      const isOwn = ({ shown, at }: EntryView): boolean => shown['caller'] === pseudonym && at >= since
      return acted(200, told(found.some(isOwn) ? found : [], 'caller', held()))
    },
  }
}

function parseId(request: RawRequest): EntryName {
  parseNothing(request)
  const { id } = request.params
  // A malformed id gets the same answer as one that is not there or not the asker's.
  if (id === undefined || !isEntryId(id)) throw new Fault('entry.unknown')
  return Object.freeze({ id })
}

/** Names the caller of an entry whose values can still be opened; to a shredded one nobody belongs any more. */
function withCaller(found: readonly EntryView[], entries: EntryReader): readonly EntryView[] {
  return found.map((entry) => {
    const { caller: pseudonym } = entry.shown
    const isOpen = Object.keys(entry.opened).length > 0
    const caller = isOpen && typeof pseudonym === 'string' ? entries.callerOf(pseudonym) : undefined
    return caller === undefined ? entry : { ...entry, opened: { ...entry.opened, caller } }
  })
}

function told(entries: readonly EntryView[], clearance: Clearance, held: HeldOutside): Explanation {
  const explanation = explain(entries, clearance, held)
  if (explanation === undefined) throw new Fault('entry.unknown')
  return explanation
}
