import * as z from 'zod'
import type { Clock, Millis } from '#base/clock.ts'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { KeyView } from '#trust/access/caller_view.ts'
import type { Callers, MadeKey } from '#trust/access/callers.ts'
import type { KeyTerms, NewKey } from '#trust/access/new_key.ts'
import type { RawRequest, Route } from '#door/route.ts'
import { acted, adminRoute, parseBody, parseNothing, parseQuery } from './admin_route.ts'
import type { KeyRow, MadeKeyAnswer } from './answers.ts'
import { carryOut, type Changes } from './changes.ts'
import { ABOUT_NAMES, Page } from './directory_parts.ts'
import { toTime } from './to_time.ts'

/** What the routes of keys work with. */
export interface KeyRouteParts {
  readonly callers: Pick<
    Callers,
    'directory' | 'termsOf' | 'createKey' | 'listKeys' | 'findKey' | 'rotateKey' | 'revokeKey'
  >
  readonly changes: Changes
  readonly clock: Clock
}

const SHOWN_ONCE = 'It is about names of people, and shows a new key, this once, to the operator who made it.'
const KID = /^[0-9A-Za-z]{12}$/

const KeyOrder = z.strictObject({
  name: z.string(),
  environment: z.enum(['live', 'test']).default('live'),
  models: z.array(z.string()).nullable().default(null),
  actions: z.array(z.string()).nullable().default(null),
  addresses: z.array(z.string()).nullable().default(null),
  /** Of a caller that is made with the key. */
  space: z.string().nullable().default(null),
  limits: z.record(z.string(), z.json()).nullable().default(null),
  expires_in_ms: z.int().positive(),
})
type KeyOrder = z.infer<typeof KeyOrder>

type KeyName = { readonly kid: string }

/** `POST /admin/keys`: makes a key and shows it once. */
export function createKeyRoute({ callers, changes, clock }: KeyRouteParts): Route<KeyOrder> {
  return adminRoute({
    name: 'key_create',
    method: 'POST',
    path: '/admin/keys',
    action: 'key:create',
    exemptBoth: SHOWN_ONCE,
    parse: (request) => parseBody(KeyOrder, request),
    act: async (order, { id, caller }) => {
      const now = clock.now()
      const asked = toNewKey(order, now, printRef(caller.ref))
      const made = await carryOut({ directory: callers.directory, changes }, id, () => ({
        // What cannot be made must not stand in the ledger as a change.
        records: [{ what: 'key:create', fields: fieldsOf(callers.termsOf(asked)) }],
        make: () => callers.createKey(asked),
      }))
      return acted(201, madeAnswer(made), { kid: made.kid })
    },
  })
}

/** `GET /admin/keys`. */
export function listKeysRoute({ callers }: KeyRouteParts): Route<z.infer<typeof Page>> {
  return adminRoute({
    name: 'key_list',
    method: 'GET',
    path: '/admin/keys',
    action: 'key:list',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseQuery(Page, request),
    act: async (page) => {
      const { total, items } = callers.listKeys(page)
      return acted(200, { total, keys: items.map(keyRow) })
    },
  })
}

/** `POST /admin/keys/{kid}/rotate`: a second secret; the first goes on for a day. */
export function rotateKeyRoute({ callers, changes }: KeyRouteParts): Route<KeyName> {
  return adminRoute({
    name: 'key_rotate',
    method: 'POST',
    path: '/admin/keys/{kid}/rotate',
    action: 'key:rotate',
    exemptBoth: SHOWN_ONCE,
    parse: parseKid,
    act: async ({ kid }, { id }) => {
      callers.findKey(kid)
      await changes.record(id, 'key:rotate', { kid })
      return acted(200, madeAnswer(callers.rotateKey(kid)), { kid })
    },
  })
}

/** `POST /admin/keys/{kid}/revoke`: for good, from the very next request on. */
export function revokeKeyRoute({ callers, changes }: KeyRouteParts): Route<KeyName> {
  return adminRoute({
    name: 'key_revoke',
    method: 'POST',
    path: '/admin/keys/{kid}/revoke',
    action: 'key:revoke',
    exemptBoth: ABOUT_NAMES,
    parse: parseKid,
    act: async ({ kid }, { id }) => {
      callers.findKey(kid)
      await changes.record(id, 'key:revoke', { kid })
      return acted(200, keyRow(callers.revokeKey(kid)), { kid })
    },
  })
}

function parseKid(request: RawRequest): KeyName {
  parseNothing(request)
  const { kid } = request.params
  if (kid === undefined || !KID.test(kid)) throw new Fault('key.unknown')
  return Object.freeze({ kid })
}

function fieldsOf({ name, scope, addresses, limits, notAfter }: KeyTerms): JsonObject {
  const narrowed = { models: scope.models ?? null, actions: scope.actions ?? null, addresses }
  return { name, ...narrowed, limits: limits ?? null, expires: toTime(notAfter) }
}

function toNewKey(order: KeyOrder, now: Millis, createdBy: string): NewKey {
  const { name, environment, models, actions, addresses, space, limits } = order
  const narrowed = {
    models: models ?? undefined,
    actions: actions ?? undefined,
    addresses: addresses ?? undefined,
    space: space ?? undefined,
    limits: limits ?? undefined,
  }
  return { name, environment, ...narrowed, notAfter: now + order.expires_in_ms, createdBy }
}

function madeAnswer(made: MadeKey): MadeKeyAnswer {
  const { kid, caller, notAfter } = made
  return made.key.open((key) => ({ key, kid, name: caller, expires_at: toTime(notAfter) }))
}

function keyRow(view: KeyView): KeyRow {
  const { kid, caller, environment, state, models, actions, addresses, limits, created_at, created_by } = view
  return {
    kid,
    name: caller,
    environment,
    state,
    models: models === null ? null : [...models],
    actions: actions === null ? null : [...actions],
    addresses: [...addresses],
    limits,
    created_at: toTime(created_at),
    created_by,
    secrets: view.secrets.map((secret) => ({
      number: secret.number,
      state: secret.state,
      expires_at: toTime(secret.not_after),
      last_used: secret.last_used,
    })),
  }
}
