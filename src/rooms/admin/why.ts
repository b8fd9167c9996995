import * as z from 'zod'
import { FAULTS, isFaultCode } from '#base/fault_table.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { STAGES } from '#door/outcome.ts'
import type { HeldOutside } from '#trust/ledger/held_outside.ts'
import type { EntryView } from './entry_view.ts'

/** `unknown`: the entry before a stage is there and the one after it is not. */
const StageState = z.enum(['passed', 'stopped', 'not_reached', 'unknown'])

const OperatorPart = z.strictObject({
  reason: z.string().nullable(),
  errors: z.array(z.string()),
  set: z.string().nullable(),
  resource: z.string().nullable(),
  caller: z.string().nullable(),
  kid: z.string().nullable(),
  status: z.number().nullable(),
  ms: z.number().nullable(),
  /** Of a pool: the member that was asked last, and how many calls were made. */
  model: z.string().nullable(),
  tries: z.number().nullable(),
  /** The W3C trace that the request was part of. */
  trace: z.string().nullable(),
  /** Values of the encrypted sidecar, by name. */
  opened: z.record(
    z.string(),
    z.custom<JsonValue>(() => true),
  ),
})

/** Why a request ended as it did: the ledger's entries of one id, read together. */
export const Explanation = z.strictObject({
  id: z.string(),
  /** When the first entry was made, milliseconds since 1970. */
  at: z.number(),
  /** `unfinished`: the intent is there, and no outcome or one that says so: what was done is not known. */
  result: z.enum(['answered', 'refused', 'failed', 'unfinished', 'recorded']),
  stages: z.array(z.strictObject({ stage: z.enum(STAGES), state: StageState })),
  code: z.string().nullable(),
  title: z.string().nullable(),
  hint: z.string().nullable(),
  action: z.string().nullable(),
  policies: z.array(z.string()),
  findings: z.array(z.string()),
  /**
   * Who holds all of these entries outside the machine of the ledger, where its operator cannot change them unnoticed;
   * null where that is not known.
   */
  held: z
    .strictObject({
      by: z.enum(['witnesses', 'anchors', 'nobody']),
      /** Since when, milliseconds since 1970; null where that is not known. */
      since: z.number().nullable(),
      /** True for entries of an older log: held is the first entry of the log in use, which states how that one ended. */
      older: z.boolean(),
    })
    .nullable(),
  /** Only an operator sees this part; null for anyone else. */
  operator: OperatorPart.nullable(),
})

export type StageState = z.infer<typeof StageState>
export type Explanation = z.infer<typeof Explanation>
type OperatorPart = z.infer<typeof OperatorPart>

/** Who reads: an operator everything, a caller what helps without telling how the door decides. */
export type Clearance = 'operator' | 'caller'

/** Reads the entries of one request, oldest first, as one explanation; undefined when there is nothing to explain. */
export function explain(
  entries: readonly EntryView[],
  clearance: Clearance,
  held?: HeldOutside,
): Explanation | undefined {
  const first = entries[0]
  if (first === undefined) return undefined
  const shown: JsonObject = Object.assign({}, ...entries.map((entry) => entry.shown))
  const code = textOf(shown['code'])
  const row = code === null ? undefined : rowOf(code)
  return {
    id: first.id,
    at: first.at,
    result: resultOf(entries, code),
    stages: stagesOf(entries, shown),
    code,
    title: row?.title ?? null,
    hint: hintOf(shown, clearance) ?? row?.hint.replace('ENTRY', first.id) ?? null,
    action: textOf(shown['action']),
    policies: textsOf(shown['policies']),
    findings: findingsOf(entries),
    held: heldOf(entries, held),
    operator: clearance === 'operator' ? operatorPart(entries, shown) : null,
  }
}

function heldOf(entries: readonly EntryView[], held: HeldOutside | undefined): Explanation['held'] {
  if (held === undefined) return null
  const places = entries.map((entry) => placeIn(held, entry)).filter((place) => place !== undefined)
  if (places.length < entries.length) return null
  const last = Math.max(...places)
  const older = entries.some(({ origin }) => origin !== held.origin)
  const reaches = (holding: HeldOutside['witnessed']): boolean =>
    holding !== undefined && holding.entries > last
  if (reaches(held.witnessed)) return { by: 'witnesses', since: held.witnessed?.at ?? null, older }
  if (reaches(held.anchored)) return { by: 'anchors', since: held.anchored?.at ?? null, older }
  return { by: 'nobody', since: null, older }
}

/** The entry of the log in use that holds an entry; undefined where none does. */
function placeIn({ origin, before = [] }: HeldOutside, entry: EntryView): number | undefined {
  if (entry.origin === origin) return entry.index
  const isCommitted = before.some((end) => end.origin === entry.origin && end.size > entry.index)
  return isCommitted ? OPENING : undefined
}

/** The first entry of a log states how the one before it ended. */
const OPENING = 0

/** What an operator can do about a reason; the hint of the code alone is written for callers. */
const REMEDIES: Readonly<Record<string, string>> = {
  'scope.model':
    'Policy permits it, the scope of the key does not: make a key with --models that names the model.',
  'scope.action': 'Policy permits it, the scope of the key does not: make a key with a wider scope.',
  'policy.silent': 'No permit matches: docs/how-to/write-a-policy.md shows how to write one.',
  'policy.forbids': 'The policies named here forbid it, whatever else is permitted.',
  'key.expired': 'The key has ended: make a new one.',
  'key.idle': 'Nobody used the key for 30 days: make a new one.',
  'key.revoked': 'The key was revoked: make a new one if it was a mistake.',
  'key.address_outside': 'The key is for other source networks: make one with a wider --cidr.',
  'caller.disabled': 'The caller is disabled: gatehouse caller enable NAME.',
}
const ASK_FOR_ACCESS = 'Ask an operator of this door for access, and give this entry id.'

function hintOf(shown: JsonObject, clearance: Clearance): string | undefined {
  if (clearance === 'operator') return REMEDIES[textOf(shown['reason']) ?? '']
  return shown['code'] === 'action.denied' ? ASK_FOR_ACCESS : undefined
}

function resultOf(entries: readonly EntryView[], code: string | null): Explanation['result'] {
  if (has(entries, 'refusal')) return 'refused'
  if (hasKnownOutcome(entries)) return code === null ? 'answered' : 'failed'
  return has(entries, 'intent') ? 'unfinished' : 'recorded'
}

function stagesOf(entries: readonly EntryView[], shown: JsonObject): Explanation['stages'] {
  if (!has(entries, 'intent') && !has(entries, 'refusal')) return []
  const stopped = STAGES.findIndex((stage) => stage === shown['stage'])
  const isOpen = has(entries, 'intent') && !hasKnownOutcome(entries) && stopped < 0
  // The intent is on disk once `record` is passed; without an outcome nothing after it is known.
  const lastKnown = isOpen ? STAGES.indexOf('record') : STAGES.length
  return STAGES.map((stage, place) => ({ stage, state: stateAt(place, stopped, lastKnown) }))
}

function stateAt(place: number, stopped: number, lastKnown: number): StageState {
  if (stopped >= 0 && place === stopped) return 'stopped'
  if (stopped >= 0 && place > stopped) return 'not_reached'
  return place > lastKnown ? 'unknown' : 'passed'
}

function operatorPart(entries: readonly EntryView[], shown: JsonObject): OperatorPart {
  const opened: JsonObject = Object.assign({}, ...entries.map((entry) => entry.opened))
  // An outcome may name another key, as the one that was made.
  const asked = entries.find(({ kind }) => kind === 'intent' || kind === 'refusal')?.shown ?? {}
  return {
    reason: textOf(shown['reason']),
    errors: textsOf(shown['errors']),
    set: textOf(shown['set']),
    resource: textOf(shown['resource']) ?? textOf(opened['asked']),
    caller: textOf(opened['caller']) ?? textOf(asked['caller']),
    kid: textOf(asked['kid']),
    status: numberOf(shown['status']),
    ms: numberOf(shown['ms']),
    model: textOf(shown['model']),
    tries: numberOf(shown['tries']),
    trace: textOf(opened['trace']),
    opened,
  }
}

function findingsOf(entries: readonly EntryView[]): string[] {
  return [...new Set(entries.flatMap((entry) => textsOf(entry.shown['findings'])))]
}

function hasKnownOutcome(entries: readonly EntryView[]): boolean {
  return entries.some(({ kind, shown }) => kind === 'outcome' && shown['status'] !== 'unknown')
}

function has(entries: readonly EntryView[], kind: EntryView['kind']): boolean {
  return entries.some((entry) => entry.kind === kind)
}

function rowOf(code: string): { readonly title: string; readonly hint: string } | undefined {
  return isFaultCode(code) ? FAULTS[code] : undefined
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}

function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
