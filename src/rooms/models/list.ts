import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { knownTarget, type RawRequest, type Route } from '#door/route.ts'
import { authorize, authorizeVia, checkPermit, permitOf, type Policies } from '#trust/access/authorize.ts'
import type { Caller } from '#trust/access/caller.ts'
import type { Catalogue, CatalogueModel } from './catalogue.ts'

const ACTION = 'model:list'
const REF: EntityRef = { type: 'Endpoint', id: 'models' }
const TARGET = knownTarget(REF, {}, [{ type: 'Space', id: 'default' }])

interface NoInput extends JsonObject {}

interface NamedModel extends JsonObject {
  readonly model: string
}

/** `GET /v1/models`: only the models that the caller may infer with. */
export function listRoute(catalogue: Catalogue, policies: Policies): Route<NoInput> {
  return {
    ...COMMON,
    name: 'models',
    path: '/v1/models',
    parse: (request) => {
      checkNoQuery(request)
      return Object.freeze({})
    },
    act: async (permit, _input, { caller }) => {
      checkPermit(permit, ACTION, REF)
      const models = [...catalogue.all].filter((model) => mayInfer(policies, caller, model))
      return {
        kind: 'whole',
        status: 200,
        body: { object: 'list', data: models.map(describe) },
        facts: { count: models.length },
      }
    },
  }
}

/** `GET /v1/models/{model}`: a model that does not exist and one that the caller may not use look the same. */
export function modelRoute(catalogue: Catalogue, policies: Policies): Route<NamedModel> {
  return {
    ...COMMON,
    name: 'model',
    path: '/v1/models/{model}',
    parse: (request) => {
      checkNoQuery(request)
      return Object.freeze({ model: request.params['model'] ?? '' })
    },
    act: async (permit, { model: name }, { caller }) => {
      checkPermit(permit, ACTION, REF)
      const model = catalogue.find(name)
      if (model === undefined || !mayInfer(policies, caller, model))
        throw new Fault('model.unknown', { asked: name })
      return { kind: 'whole', status: 200, body: describe(model), facts: {} }
    },
  }
}

const COMMON = {
  listener: 'door',
  method: 'GET',
  media: 'json',
  envelope: 'openai',
  action: ACTION,
  record: 'grouped',
  inspect: { request: 'all', response: 'all' },
  target: () => TARGET,
} as const

function checkNoQuery({ query }: RawRequest): void {
  if (query.length > 0) throw new Fault('input.invalid', {}, { say: 'This route takes no query parameters.' })
}

/** The same question as a call of the model would put, so the list cannot say more than the calls. */
function mayInfer(policies: Policies, caller: Caller, { target }: CatalogueModel): boolean {
  const permit = permitOf(() => authorize(policies, { caller, action: 'model:infer', target, findings: [] }))
  if (permit === undefined || target.via === undefined) return permit !== undefined
  // A pool is of use to whom one of its members is open.
  return target.via.some((member) => permitOf(() => authorizeVia(policies, permit, member)) !== undefined)
}

function describe({ settings }: CatalogueModel): JsonObject {
  // Clients expect a time of creation; ours is not known, and 0 says so.
  return { id: settings.name, object: 'model', created: 0, owned_by: settings.provider }
}
