import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import type { ActContext, Acted, RawRequest, Route } from '#door/route.ts'
import { checkPermit, type Permit } from '#trust/access/authorize.ts'
import { withAnswerLength } from './answer_length.ts'
import type { Catalogue } from './catalogue.ts'
import { demandOf } from './demand.ts'
import { placeOf, type ModelApi } from './provider.ts'

const ACTION = 'model:infer'

/** A request whose known fields have been checked. Frozen, with all its fields. */
export interface ModelRequest extends JsonObject {
  readonly model: string
}

/** What tells the routes to a model apart. */
export interface ModelCall {
  /** Stable name for metrics and the ledger. */
  readonly name: string
  readonly path: string
  readonly api: ModelApi
  readonly envelope: Route<JsonObject>['envelope']
  readonly streams: boolean
  /** Throws `input.invalid` with the path of the first field that is wrong. */
  readonly check: (value: JsonValue) => asserts value is ModelRequest
  /** Where a field stands that is not one of the known ones. */
  readonly unknownField: (request: ModelRequest) => string | undefined
}

/** A route to the models: one request of an API, answered whole or as a stream. */
export function inferRoute(catalogue: Catalogue, call: ModelCall): Route<ModelRequest> {
  const { name, path, envelope } = call
  return {
    name,
    listener: 'door',
    method: 'POST',
    path,
    media: 'json',
    envelope,
    action: ACTION,
    record: 'grouped',
    inspect: { request: 'all', response: 'all' },
    parse: (request) => parse(catalogue, call, request),
    target: (request) => catalogue.target(request.model),
    demand: (request) => demandOf(call.api, request, catalogue.find(request.model)?.settings),
    act: (permit, request, context) => act(catalogue, call, { permit, request, context }),
  }
}

function parse(catalogue: Catalogue, { api, check }: ModelCall, { query, body }: RawRequest): ModelRequest {
  // A query could say something else than the body, so there is none; and its names are the caller's: none is said.
  if (query.some(([name, value]) => name !== ANTHROPIC_BETA || value !== 'true')) {
    const say = 'This route takes no query parameters; all fields are in the body.'
    throw new Fault('input.invalid', {}, { say })
  }
  const value = withAnswerLength(
    api,
    parseStrictJson(body, LIMITS),
    (model) => catalogue.find(model)?.settings.maxOutputTokens,
  )
  const checked: (value: JsonValue) => asserts value is ModelRequest = check
  checked(value)
  return value
}

/** Anthropic's client puts `?beta=true` behind the paths of its beta methods; it says nothing that the body does not. */
const ANTHROPIC_BETA = 'beta'

interface Asked {
  readonly permit: Permit
  readonly request: ModelRequest
  readonly context: ActContext
}

async function act(
  catalogue: Catalogue,
  { api, streams, unknownField }: ModelCall,
  { permit, request, context }: Asked,
): Promise<Acted> {
  const model = catalogue.find(request.model)
  checkPermit(permit, ACTION, catalogue.target(request.model).ref)
  if (model === undefined) throw new Fault('model.unknown')
  const { settings, connection } = model
  if (settings.extensions === 'refuse') checkExtensions(unknownField(request))
  const { id, memory, onAbort, trace, mayTryAgain } = context
  const call = { id, memory, onAbort, trace, mayTryAgain }
  if (streams && request['stream'] === true)
    return { kind: 'stream', answer: await connection.stream(api, permit, request, call) }
  const { status, body, usage, facts: more } = await connection.call(api, permit, request, call)
  return { kind: 'whole', status, body, facts: { ...placeOf(settings), ...usage, ...more } }
}

function checkExtensions(unknown: string | undefined): void {
  if (unknown !== undefined)
    throw new Fault('extension.refused', {}, { say: `The model does not take ${unknown}.` })
}
