import { namesTag } from '#base/entity_tag.ts'
import { Fault } from '#base/fault.ts'
import type { Preconditions } from '#door/route.ts'

/** A weak tag (RFC 7644 section 3.14): two answers of one version may differ in what was asked for. */
export function etagOf({ version }: { readonly version: number }): string {
  return `W/"${version}"`
}

/** Throws `resource.changed` unless the client believes right of what it changes, or believes nothing. */
export function checkUnchanged(found: { readonly version: number }, ifMatch: string | null): void {
  if (ifMatch !== null && !namesTag(ifMatch, etagOf(found))) throw new Fault('resource.changed')
}

/** True when the client has this version already. */
export function isHeld(found: { readonly version: number }, ifNoneMatch: string | null): boolean {
  return ifNoneMatch !== null && namesTag(ifNoneMatch, etagOf(found))
}

/** What of the headers goes with the input of a route. */
export function preconditionsOf({ preconditions }: { readonly preconditions?: Preconditions | undefined }): {
  readonly ifMatch: string | null
  readonly ifNoneMatch: string | null
} {
  return { ifMatch: preconditions?.ifMatch ?? null, ifNoneMatch: preconditions?.ifNoneMatch ?? null }
}
