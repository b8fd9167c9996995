import { Fault } from '#base/fault.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import { decodePart, NO_QUERY, parseTarget, type QueryPair, type RequestTarget } from './target.ts'

/** A route with what its path and query gave. */
export interface FoundRoute {
  readonly route: GuardedRoute
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly QueryPair[]
}

type Methods = ReadonlyMap<string, FoundRoute>

interface Pattern {
  readonly segments: readonly string[]
  readonly methods: Map<string, GuardedRoute>
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/** Finds the route of a request. Paths without `{name}` are found by one look-up of the whole target. */
export class RouteTable {
  readonly #exact = new Map<string, Map<string, FoundRoute>>()
  readonly #patterns: Pattern[] = []

  /** Throws TypeError when two routes take the same method and path: which one would act must not be a matter of order. */
  constructor(routes: readonly GuardedRoute[]) {
    for (const route of routes) {
      if (route.path.includes('{')) this.#addPattern(route)
      else this.#addExact(route)
    }
  }

  /** Throws `target.invalid`, `route.unknown`, and `method.wrong` with `allow` in its detail. */
  find(method: string, target: string, host: string): FoundRoute {
    const direct = this.#exact.get(target)
    if (direct !== undefined) return pick(direct, method)
    const parsed = parseTarget(target, host)
    const exact = this.#exact.get(parsed.path)
    if (exact !== undefined) return { ...pick(exact, method), query: parsed.query }
    return this.#findPattern(method, parsed)
  }

  #findPattern(method: string, { segments, query }: RequestTarget): FoundRoute {
    const pattern = this.#patterns.find((one) => matches(one.segments, segments))
    if (pattern === undefined) throw new Fault('route.unknown')
    const route = pattern.methods.get(method)
    if (route === undefined) throw wrong(pattern.methods.keys())
    const params: Record<string, string> = {}
    for (const [at, segment] of pattern.segments.entries())
      if (isRest(segment)) params[nameOf(segment)] = segments.slice(at).map(decodePart).join('/')
      else if (segment.startsWith('{')) params[nameOf(segment)] = decodePart(segments[at] ?? '')
    return { route, params, query }
  }

  #addExact(route: GuardedRoute): void {
    const methods = this.#exact.get(route.path) ?? new Map<string, FoundRoute>()
    add(methods, route, { route, params: NO_PARAMS, query: NO_QUERY })
    this.#exact.set(route.path, methods)
  }

  #addPattern(route: GuardedRoute): void {
    const segments = route.path.slice(1).split('/')
    const shape = segments.map(shapeOf).join('/')
    let pattern = this.#patterns.find((one) => one.segments.map(shapeOf).join('/') === shape)
    if (pattern === undefined) this.#patterns.push((pattern = { segments, methods: new Map() }))
    add(pattern.methods, route, route)
  }
}

function add<Of>(methods: Map<string, Of>, route: GuardedRoute, value: Of): void {
  if (methods.has(route.method)) throw new TypeError(`two routes take ${route.method} ${route.path}`)
  methods.set(route.method, value)
}

function pick(methods: Methods, method: string): FoundRoute {
  const found = methods.get(method)
  if (found === undefined) throw wrong(methods.keys())
  return found
}

function wrong(methods: Iterable<string>): Fault {
  return new Fault('method.wrong', { allow: [...methods].sort().join(', ') })
}

function shapeOf(segment: string): string {
  if (isRest(segment)) return '{...}'
  return segment.startsWith('{') ? '{}' : segment
}

/** `{name...}`, at the end of a path only: this segment and all behind it. */
function isRest(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('...}')
}

function nameOf(segment: string): string {
  return segment.slice(1, isRest(segment) ? -'...}'.length : -1)
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  const isLonger = isRest(pattern.at(-1) ?? '') && segments.length > pattern.length && segments.at(-1) !== ''
  if (pattern.length !== segments.length && !isLonger) return false
  return pattern.every((part, at) => (part.startsWith('{') ? segments[at] !== '' : part === segments[at]))
}
