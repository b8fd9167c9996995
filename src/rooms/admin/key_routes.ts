import * as z from 'zod'
import type { Clock, Millis } from '#base/clock.ts'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { KeyView } from '#trust/access/caller_view.ts'
import type { Callers, MadeKey } from '#trust/access/callers.ts'
import { toTerms, type NewKey } from '#trust/access/new_key.ts'
import type { RawRequest, Route } from '#door/route.ts'
import { acted, adminRoute, parseBody, parseNothing } from './admin_route.ts'
import type { KeyRow, MadeKeyAnswer } from './answers.ts'
import type { Changes } from './changes.ts'
import { toTime } from './to_time.ts'

/** What the routes of keys work with. */
export interface KeyRouteParts {
  readonly callers: Pick<Callers, 'createKey' | 'listKeys' | 'rotateKey' | 'revokeKey'>
  readonly changes: Changes
  readonly clock: Clock
}

const SHOWN_ONCE = 'It shows a new key, this once, to the operator who made it.'
const KID = /^[0-9A-Za-z]{12}$/

const KeyOrder = z.strictObject({
  name: z.string(),
  environment: z.enum(['live', 'test']).default('live'),
  models: z.array(z.string()).nullable().default(null),
  actions: z.array(z.string()).nullable().default(null),
  addresses: z.array(z.string()).nullable().default(null),
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
    exempt: SHOWN_ONCE,
    parse: (request) => parseBody(KeyOrder, request),
    act: async (order, { id, caller }) => {
      const now = clock.now()
      const asked = toNewKey(order, now, printRef(caller.ref))
      // What cannot be made must not stand in the ledger as a change.
      const { name, scope, addresses, notAfter } = toTerms(asked, now)
      const narrowed = { models: scope.models ?? null, actions: scope.actions ?? null, addresses }
      await changes.record(id, 'key:create', { name, ...narrowed, expires: toTime(notAfter) })
      const made = callers.createKey(asked)
      return acted(201, madeAnswer(made), { kid: made.kid })
    },
  })
}

/** `GET /admin/keys`. */
export function listKeysRoute({ callers }: KeyRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'key_list',
    method: 'GET',
    path: '/admin/keys',
    action: 'key:list',
    parse: parseNothing,
    act: async () => acted(200, { keys: callers.listKeys().map(keyRow) }),
  })
}

/** `POST /admin/keys/{kid}/rotate`: a second secret; the first goes on for a day. */
export function rotateKeyRoute({ callers, changes }: KeyRouteParts): Route<KeyName> {
  return adminRoute({
    name: 'key_rotate',
    method: 'POST',
    path: '/admin/keys/{kid}/rotate',
    action: 'key:rotate',
    exempt: SHOWN_ONCE,
    parse: parseKid,
    act: async ({ kid }, { id }) => {
      checkKnown(callers, kid)
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
    parse: parseKid,
    act: async ({ kid }, { id }) => {
      checkKnown(callers, kid)
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

function checkKnown(callers: KeyRouteParts['callers'], kid: string): void {
  if (!callers.listKeys().some((key) => key.kid === kid)) throw new Fault('key.unknown')
}

function toNewKey(order: KeyOrder, now: Millis, createdBy: string): NewKey {
  const { name, environment, models, actions, addresses } = order
  const narrowed = {
    models: models ?? undefined,
    actions: actions ?? undefined,
    addresses: addresses ?? undefined,
  }
  return { name, environment, ...narrowed, notAfter: now + order.expires_in_ms, createdBy }
}

function madeAnswer(made: MadeKey): MadeKeyAnswer {
  const { kid, caller, notAfter } = made
  return made.key.open((key) => ({ key, kid, name: caller, expires_at: toTime(notAfter) }))
}

function keyRow(view: KeyView): KeyRow {
  const { kid, caller, environment, state, models, actions, addresses, created_at, created_by } = view
  return {
    kid,
    name: caller,
    environment,
    state,
    models: models === null ? null : [...models],
    actions: actions === null ? null : [...actions],
    addresses: [...addresses],
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
