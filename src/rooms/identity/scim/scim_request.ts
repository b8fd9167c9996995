import type { JsonObject } from '#base/json.ts'
import type { RawRequest } from '#door/route.ts'
import { preconditionsOf } from './etag.ts'
import { parseSelection } from './list_request.ts'
import { checkNoBody, parseId } from './scim_route.ts'

/** What a request says besides its path and body. */
export interface Wishes extends JsonObject {
  readonly ifMatch: string | null
  readonly ifNoneMatch: string | null
  readonly attributes: readonly string[] | null
  readonly excluded: readonly string[] | null
}

/** A request about one resource. */
export interface AskedOne extends Wishes {
  readonly id: string
}

/** The same, with the body of a change. */
export interface SentOne extends AskedOne {
  readonly body: JsonObject
}

export function wishesOf(request: RawRequest): Wishes {
  return { ...preconditionsOf(request), ...parseSelection(request.query) }
}

/** Throws `input.invalid` for a body, and `resource.unknown` for what is no id. */
export function parseAskedOne(request: RawRequest): AskedOne {
  checkNoBody(request)
  return { ...wishesOf(request), id: parseId(request) }
}
