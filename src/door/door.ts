import type { Clock } from '#base/clock.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Recorder } from '#base/recorder.ts'
import { authorize, isPermitted, type Policies } from '#trust/access/authorize.ts'
import type { Authenticator, Caller, ProvenAnywhere } from '#trust/access/caller.ts'
import { readBodyCredential } from './body_credential.ts'
import type { FloodGuard } from './flood_guard.ts'
import type { GuardedRoute } from './guarded.ts'
import { revealingAction } from './inspection_actions.ts'
import type { Inspector, MaySee } from './inspector.ts'
import type { Limits } from './limits/limiter.ts'
import type { Meter } from './meter.ts'
import type { Observation } from './observation.ts'
import type { Outcome } from './outcome.ts'
import { Passage } from './passage.ts'
import {
  NO_POSSESSION,
  type ActContext,
  type Incoming,
  type RawRequest,
  type Route,
  type Target,
} from './route.ts'
import type { Tracer } from './tracing.ts'
import { StrangerForms } from './stranger_forms.ts'

/** All that the pipeline works with; `main.ts` joins them. */
export interface DoorParts {
  readonly clock: Clock
  readonly authenticator: Authenticator<ProvenAnywhere>
  readonly policies: Policies
  readonly meter: Meter
  readonly limits: Limits
  readonly inspector: Inspector
  readonly recorder: Recorder
  readonly guard: Pick<FloodGuard, 'charge' | 'chargeKey' | 'chargeCaller'>
  /** Told of every request once, when it ends. */
  readonly observe: (observation: Observation) => void
  /** Without it no request is in a trace. */
  readonly tracer?: Pick<Tracer, 'begin'> | undefined
}

/**
 * The one way through Gatehouse. Each step either hands on something narrower or throws a `Fault`; whatever is thrown
 * becomes a refusal, and no act happens before its intent is on disk. Never rejects.
 */
export async function passThrough<Input extends JsonObject>(
  door: DoorParts,
  route: Route<Input>,
  incoming: Incoming,
): Promise<Outcome> {
  const { authenticator, policies, recorder } = door
  const inspector = door.inspector.ofRoute(route.name)
  const { action } = route
  const passage = new Passage(door, route, incoming)
  try {
    passage.enter('authenticate')
    const proving = authenticator.authenticate(incoming.credential, incoming.address)
    // A turn of its own only for what has to be fetched.
    const proven = proving instanceof Promise ? await proving : proving
    let { caller } = proven
    const holding = passage.sentBy(proven)

    // Only now: strangers never reach a parser of ours, nor any memory.
    passage.enter('parse')
    const body = passage.carries(await incoming.body(holding))
    // The body took its time: a key that ended meanwhile opens nothing.
    caller = await passage.recheck(proven)
    const input = route.parse(rawRequest(incoming, body))

    passage.enter('authorize')
    const target = passage.aimsAt(route.target(input, caller))
    authorize(policies, { caller, action, target, findings: [] })

    passage.enter('meter')
    holding.takePlace()
    const asked = { caller, target, demandOf: route.demand }
    await passage.reserves(asked, input)

    passage.enter('inspect_request')
    const maySend = maySee(policies, () => caller, target)
    const request = passage.found(await inspector.inspect('request', route.inspect.request, input, maySend))

    // The second question is about what will be dispatched: redacted, and with what was found. It can only narrow.
    passage.enter('admit')
    const { value, findings } = request
    // What was redacted may be longer than before.
    if (value !== input) await passage.reserves(asked, value)
    // Behind all that is waited for: a change that was answered meanwhile holds for this request, too.
    caller = await passage.recheck(proven)
    const admitted = { caller, action, target: route.target(value, caller), findings }
    const permit = authorize(policies, admitted)

    passage.enter('record')
    await recorder.append(passage.intent(permit.decision))
    passage.recorded()

    passage.enter('act')
    const context = contextOf(incoming, caller, { memory: holding, ...passage.forCalls })
    const acted = passage.acted(await route.act(permit, value, context))

    passage.enter('inspect_response')
    const mayRead = maySee(policies, () => caller, admitted.target)
    if (acted.kind === 'stream') {
      return passage.streams(acted.answer, {
        newGuard: () => inspector.guard(mayRead, acted.answer.secret),
        inspectRest: (value) => inspector.inspect('response', route.inspect.response, value, mayRead),
        recheck: async () => {
          caller = await proven.recheck()
          authorize(policies, { ...admitted, caller })
        },
      })
    }
    if (acted.kind === 'bytes') {
      if (route.inspect.response === 'all')
        throw new Fault('internal.bug', { error: 'bytes cannot be inspected' })
      passage.enter('settle')
      return await passage.answerBytes(acted)
    }
    const response = passage.found(
      await inspector.inspect<JsonValue>('response', route.inspect.response, acted.body, mayRead),
    )

    passage.enter('settle')
    return await passage.answer(acted, response.value)
  } catch (thrown) {
    return await passage.refuse(asFault(thrown))
  } finally {
    passage.leave()
  }
}

/** As `passThrough`, for a route whose credential may stand in the body: where the headers have one, that one counts. */
function passThroughForm<Input extends JsonObject>(
  door: DoorParts,
  route: Route<Input>,
  credentialIn: NonNullable<Route<Input>['credentialIn']>,
): GuardedRoute['handle'] {
  const forms = new StrangerForms()
  return async (incoming) => {
    if (incoming.credential.kind !== 'none') return await passThrough(door, route, incoming)
    try {
      const form = await readBodyCredential(forms, incoming, credentialIn)
      return await passThrough(door, route, form.incoming).finally(form.release)
    } catch (thrown) {
      return await new Passage(door, route, incoming).refuse(asFault(thrown))
    }
  }
}

function contextOf(
  incoming: Incoming,
  caller: Caller,
  more: Pick<ActContext, 'memory' | 'trace' | 'mayTryAgain'>,
): ActContext {
  const { id, address, possession = NO_POSSESSION } = incoming
  return { id, caller, address, possession, onAbort: (listener) => incoming.onAbort(listener), ...more }
}

function rawRequest({ params, query, preconditions }: Incoming, body: Uint8Array): RawRequest {
  return { params, query, preconditions, body }
}

/** Seeing is a question of its own: not permitted means masked. Only what models are asked and answer can be seen. */
function maySee(policies: Policies, caller: () => Caller, target: Target): MaySee {
  return (rule) =>
    target.ref.type === 'Model' &&
    isPermitted(policies, { caller: caller(), action: revealingAction(rule), target, findings: [rule] })
}

/** Joins a route to the door, so that a face can hold routes of every kind of input in one list. */
export function guarded<Input extends JsonObject>(door: DoorParts, route: Route<Input>): GuardedRoute {
  const { name, listener, method, path, media, envelope, action, credentialIn } = route
  return {
    name,
    listener,
    method,
    path,
    media,
    envelope,
    credentialAt: credentialIn === undefined ? 'headers' : 'body',
    action,
    handle:
      credentialIn === undefined
        ? (incoming) => passThrough(door, route, incoming)
        : passThroughForm(door, route, credentialIn),
  }
}
