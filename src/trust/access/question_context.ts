import type { Question } from '#base/decider.ts'
import type { Assurance, Caller } from './caller.ts'

type Context = Question['context']

interface Contexts {
  readonly assurance: Context
  readonly withKey: Context
  readonly withoutKey: Context
}

/** By assurance, which many callers share: frozen all through, so that the decider checks and prepares it once. */
const CONTEXTS = new WeakMap<Assurance, Contexts>()
const NO_FINDINGS = Object.freeze([])

/** What every question brings along. */
export function contextOf(
  { assurance, kid }: Pick<Caller, 'assurance' | 'kid'>,
  findings: readonly string[],
): Context {
  const contexts = CONTEXTS.get(assurance) ?? makeContexts(assurance)
  if (findings.length === 0) return kid === undefined ? contexts.withoutKey : contexts.withKey
  return { findings: [...findings], via_key: kid !== undefined, assurance: contexts.assurance }
}

function makeContexts(assurance: Assurance): Contexts {
  const { aal, via, binding, amr, actors = [], acr, authTime } = assurance
  const facts = Object.freeze({
    aal,
    via,
    binding,
    amr: Object.freeze([...amr]),
    actors: Object.freeze([...actors]),
    ...(acr === undefined ? {} : { acr }),
    ...(authTime === undefined ? {} : { auth_time: authTime }),
  })
  const contexts = {
    assurance: facts,
    withKey: Object.freeze({ findings: NO_FINDINGS, via_key: true, assurance: facts }),
    withoutKey: Object.freeze({ findings: NO_FINDINGS, via_key: false, assurance: facts }),
  }
  // What can still change is read again.
  if (Object.isFrozen(assurance)) CONTEXTS.set(assurance, contexts)
  return contexts
}
