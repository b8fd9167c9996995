import { isLoopback, printListenAddress, type ListenAddress } from '#base/address.ts'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'

export type ListenerName = 'door' | 'admin' | 'metrics'

/** What the configuration declares for the one listener that may be plain text outside loopback. */
export interface PlaintextException {
  readonly reason: string
  readonly expiresAt: Millis
}

/** What is known of a listener before it may accept anything. */
export interface ListenerAsk {
  readonly name: ListenerName | 'witness'
  readonly hasTls: boolean
  /** True when a credential is asked of everybody: always for door and admin, with a token for metrics. */
  readonly hasCredential: boolean
  readonly hasProxies: boolean
  readonly exception: PlaintextException | undefined
}

/** The rule under which a listener is open. */
export type ListenerRule =
  | { readonly kind: 'socket' }
  | { readonly kind: 'loopback' }
  | { readonly kind: 'tls' }
  | ({ readonly kind: 'insecure' } & PlaintextException)

/**
 * The rule of a listener that is bound at `bound`, which is an address, never a name: `localhost` is what it resolved to.
 *
 * Throws `listener.exposed` when there is none.
 */
export function ruleFor(ask: ListenerAsk, bound: ListenAddress, now: Millis): ListenerRule {
  const isLocal = isLoopback(bound.host)
  if (ask.hasTls && (isLocal || ask.hasCredential)) return { kind: 'tls' }
  if (isLocal) return { kind: 'loopback' }
  const { exception } = ask
  const mayBePlain = ask.name === 'door' && exception !== undefined && ask.hasProxies
  if (mayBePlain && exception.expiresAt > now) return { kind: 'insecure', ...exception }
  throw new Fault(
    'listener.exposed',
    { listener: ask.name, address: printListenAddress(bound) },
    {
      say: `The ${ask.name} listener would be open at ${printListenAddress(bound)}. ${fix(ask, mayBePlain)}`,
    },
  )
}

/** The rule in words, for `gatehouse listeners`. */
export function describeRule(rule: ListenerRule): string {
  if (rule.kind !== 'insecure') return WORDS[rule.kind]
  const end = new Date(rule.expiresAt).toISOString().slice(0, 10)
  return `plain text, only from trusted proxies, until ${end}: ${rule.reason}`
}

const WORDS = {
  socket: 'only the owner of the home (mode 0600)',
  loopback: 'only this machine',
  tls: 'TLS and a credential',
} as const

function fix(ask: ListenerAsk, isExpired: boolean): string {
  if (isExpired) return 'The date of insecure_plaintext_listener has passed: set tls: {cert, key}.'
  if (ask.hasTls) return 'Set metrics_token: {from_env: NAME} too.'
  return ask.hasCredential
    ? 'Set tls: {cert, key}, or listen on 127.0.0.1.'
    : 'Set tls: {cert, key} and metrics_token: {from_env: NAME}, or listen on 127.0.0.1.'
}
