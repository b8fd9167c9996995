import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import { Turns } from '#base/turns.ts'
import type { Detector, InspectionAction } from './detector.ts'
import { HoldBack } from './hold_back.ts'
import { inspectInPieces, type InPieces, type Inspection } from './inspect.ts'
import { UPSTREAM_KEY, type RuleActions } from './inspection_actions.ts'
import { QuickLook } from './quick_look.ts'
import { IslandDetectors } from './island_search.ts'
import type { Inspected } from './route.ts'
import { withRules } from './with_rules.ts'

export type Direction = 'request' | 'response'

/** What passed inspection: the value to go on with, and the rules that found something in it. */
export interface Passed<T> {
  readonly value: T
  readonly findings: readonly string[]
}

/** Whether somebody may see what a rule finds; asked only about what was found. */
export type MaySee = (rule: string) => boolean

export interface InspectorParts {
  readonly detectors: readonly Detector[]
  readonly actions: Readonly<Record<Direction, RuleActions>>
  /** Of routes that are treated otherwise, by name. */
  readonly routes?: ReadonlyMap<string, InspectorParts['actions']>
  /** What happens to long runs of base 64 and the like in a stream that are too long to be held. */
  readonly encoded: InspectionAction
}

/** Runs the detectors over a whole value, with the actions that the configuration names for each direction. */
export class Inspector {
  readonly #parts: InspectorParts
  readonly #quickLook: QuickLook
  readonly #turns: Turns
  readonly #routes: ReadonlyMap<string, Inspector>
  readonly #islands: IslandDetectors
  /** By the detector of our own key at an upstream; there is one for each model. */
  readonly #withSecret = new WeakMap<Detector, IslandDetectors>()

  constructor(parts: InspectorParts, turns: Turns = new Turns()) {
    this.#parts = parts
    this.#quickLook = new QuickLook(parts.detectors)
    this.#turns = turns
    this.#islands = new IslandDetectors(parts.detectors)
    const { routes = new Map(), ...common } = parts
    this.#routes = new Map(
      [...routes].map(([name, actions]) => [name, new Inspector({ ...common, actions }, turns)]),
    )
  }

  /** The inspector of a route: this one, unless the route is treated otherwise. */
  ofRoute(name: string): Inspector {
    return this.#routes.get(name) ?? this
  }

  /**
   * Gives the value itself when there is nothing to take out, a redacted copy otherwise; throws `content.blocked`. A value of
   * ordinary size is done at once; a large one takes turns with all other work, and comes as a promise.
   */
  inspect<T extends JsonValue>(
    direction: Direction,
    inspected: Inspected,
    value: T,
    maySee: MaySee = nobody,
  ): Passed<T> | Promise<Passed<T>> {
    if (inspected !== 'all' || this.#quickLook.findsNothing(value)) return { value, findings: NO_FINDINGS }
    const actions = seenBy(maySee, this.#parts.actions[direction])
    const pieces = applied(this.#parts.detectors, actions, value)
    const first = pieces.next()
    return first.done === true ? first.value : this.#inTurns(pieces)
  }

  /** A guard for one channel of a streamed answer; what `secret` finds blocks it. */
  guard(maySee: MaySee = nobody, secret?: Detector): HoldBack {
    const { actions, encoded } = this.#parts
    const seen = seenBy(maySee, actions.response)
    if (secret === undefined) return new HoldBack({ detectors: this.#islands, action: seen, encoded })
    const action: RuleActions = (rule) => (rule === UPSTREAM_KEY ? 'block' : seen(rule))
    return new HoldBack({ detectors: this.#islandsWith(secret), action, encoded })
  }

  #islandsWith(secret: Detector): IslandDetectors {
    const known = this.#withSecret.get(secret)
    if (known !== undefined) return known
    const made = new IslandDetectors([...this.#parts.detectors, secret])
    this.#withSecret.set(secret, made)
    return made
  }

  async #inTurns<T>(pieces: InPieces<T>): Promise<T> {
    for (;;) {
      await this.#turns.next()
      const piece = pieces.next()
      if (piece.done === true) return piece.value
    }
  }
}

const NO_FINDINGS: readonly string[] = Object.freeze([])
/** In this order: what blocks is not to be hidden in what is redacted. */
const TAKING: readonly InspectionAction[] = ['block', 'redact']

function nobody(): boolean {
  return false
}

/** The same actions, but what may be seen passes. Policy is asked once for each rule. */
function seenBy(maySee: MaySee, actions: RuleActions): RuleActions {
  const known = new Map<string, InspectionAction>()
  return (rule) => {
    const action = known.get(rule) ?? (actions(rule) !== 'pass' && maySee(rule) ? 'pass' : actions(rule))
    known.set(rule, action)
    return action
  }
}

/** Looks for everything first, and then takes out what is to be taken out, each action apart. */
function* applied<T extends JsonValue>(
  detectors: readonly Detector[],
  actions: RuleActions,
  value: T,
): InPieces<Passed<T>> {
  const findings = rulesOf(yield* inspectInPieces(detectors, 'pass', value))
  let clean = value
  for (const action of TAKING) {
    if (findings.length === 0) break
    const wanted = detectors.map((detector) => withRules(detector, (rule) => actions(rule) === action))
    const inspection = yield* inspectInPieces(wanted, action, clean)
    if (inspection.kind === 'block') throw blocked([...findings, ...rulesOf(inspection, false)])
    clean = inspection.value
  }
  return { value: clean, findings }
}

/** The rules that found something, each once. Throws `content.blocked` for what could not be looked at. */
function rulesOf<T>({ kind, findings }: Inspection<T>, throws = true): readonly string[] {
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort()
  if (throws && kind === 'block') throw blocked(rules)
  return rules
}

function blocked(rules: readonly string[]): Fault {
  return new Fault('content.blocked', { findings: [...new Set(rules)].sort() })
}
