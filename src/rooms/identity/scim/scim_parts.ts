import type { JsonObject } from '#base/json.ts'
import type { Turns } from '#base/turns.ts'
import type { ActContext, ActedWhole } from '#door/route.ts'
import type { Change, Directory } from '#trust/access/directory.ts'
import type { ScimTerms } from './scim_terms.ts'

/** What the routes of SCIM work with. */
export interface ScimParts {
  readonly directory: Directory
  /** Records what is about to change, before it changes. Throws `ledger.unwritable`; then nothing is changed. */
  readonly changes: {
    record(id: string, what: string, fields: JsonObject): Promise<void>
  }
  readonly terms: ScimTerms
  /** Long lists give way to other work. */
  readonly turns: Pick<Turns, 'next'>
}

/** Plans a change, records it, and makes it; nothing else changes the directory in between. */
export async function carryOut<T>(
  { directory, changes }: ScimParts,
  { id }: ActContext,
  plan: () => Change<T>,
): Promise<T> {
  return await directory.carryOut(async ({ what, fields }) => await changes.record(id, what, fields), plan)
}

/** An answer with a resource in it, and where and what it is. */
export function answered(
  status: number,
  body: JsonObject,
  { location, etag }: { readonly location?: string; readonly etag: string },
): ActedWhole {
  return {
    kind: 'whole',
    status,
    body,
    headers: location === undefined ? { etag } : { location, etag },
    facts: {},
  }
}

/** 204 or 304: there is nothing to say. */
export function silent(status: 204 | 304, etag?: string): ActedWhole {
  return { kind: 'whole', status, body: null, headers: etag === undefined ? undefined : { etag }, facts: {} }
}
