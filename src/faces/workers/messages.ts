import type { PolicyFile } from '#base/decider.ts'
import type { Millis } from '#base/clock.ts'
import type { EntryDraft } from '#base/recorder.ts'
import type { Reading } from '#base/metric_reading.ts'
import type { TraceContext } from '#base/trace_context.ts'
import type { ChargeEnd, ChargeParts } from '#door/limits/charge.ts'
import type { LimitedCaller } from '#door/limits/budgets.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { BytesAnswer, Stage, WholeAnswer } from '#door/outcome.ts'
import type { Demand, Preconditions } from '#door/route.ts'
import type { Caller, ClientCertificate } from '#trust/access/caller.ts'
import type { SentFault } from './sent_fault.ts'

/** Of the messages below. Two sides that differ in it do not talk. */
export const PROTOCOL = 1

/** What a worker asks of the writer, and tells it. */
export type WriterAnswers = {
  /** Resolves when the entry is on disk. */
  readonly append: { readonly ask: EntryDraft; readonly answer: SentReceipt }
  readonly appendLater: { readonly ask: EntryDraft; readonly answer: void }
  readonly prove: { readonly ask: SentProof; readonly answer: SentProven }
  /** By the number of what was proven. */
  readonly recheck: { readonly ask: number; readonly answer: SentProven }
  readonly proofEnded: { readonly ask: number; readonly answer: void }
  readonly reserve: { readonly ask: SentAsked; readonly answer: SentCharge | null }
  /** By the id of the request, as all that follows. */
  readonly reserveAgain: { readonly ask: string; readonly answer: boolean }
  readonly settle: { readonly ask: SentEnd; readonly answer: void }
  readonly release: { readonly ask: string; readonly answer: void }
  /** A request on a route that belongs to the writer. */
  readonly pass: { readonly ask: SentIncoming; readonly answer: SentOutcome }
  readonly passAborted: { readonly ask: string; readonly answer: void }
  readonly passEnded: { readonly ask: string; readonly answer: void }
}

/** What the writer asks of a worker. */
export type WorkerAnswers = {
  /** The first question. Resolves when the worker listens. */
  readonly serve: { readonly ask: ServeOrder; readonly answer: Serving }
  /** Resolves when it holds for every request from now on. */
  readonly change: { readonly ask: SharedState; readonly answer: null }
  readonly report: { readonly ask: null; readonly answer: WorkerReport }
  /** The body of a request that was passed on. */
  readonly body: { readonly ask: BodyAsked; readonly answer: string }
  /** Resolves when nothing is in flight any more. */
  readonly drain: { readonly ask: null; readonly answer: null }
}

export interface SentReceipt {
  readonly index: number
  /** Hex. */
  readonly hash: string
}

export interface SentProof {
  readonly credential: SentCredential
  readonly address: string
}

export interface SentToken {
  readonly scheme: 'bearer' | 'dpop'
  readonly token: string
  readonly owner?: string | undefined
}

export interface SentPossession {
  readonly proof?: { readonly jwt: string; readonly method: string; readonly url: string } | undefined
  readonly certificate?: ClientCertificate | undefined
}

export type SentCredential =
  | { readonly kind: 'none' | 'malformed' }
  | { readonly kind: 'bearer'; readonly token: string }
  | ({ readonly kind: 'presented'; readonly tokens: readonly SentToken[] } & SentPossession)

export interface SentProven {
  readonly caller: Caller
  /** The same number for the same caller while nothing of it changes. */
  readonly version: number
  /** For so long nobody need ask again, if nothing is changed. */
  readonly until: Millis
  /** What is kept of it in the writer, where it cannot be proven a second time; else undefined. */
  readonly kept?: number | undefined
}

export interface SentAsked {
  readonly id: string
  readonly caller: LimitedCaller
  readonly model: string
  /** Models that may answer in its place. */
  readonly members?: readonly string[] | undefined
  readonly demand: Demand
}

type Same = 'moment' | 'space' | 'model' | 'tokensIn' | 'tokensOut' | 'amount' | 'cost'

export interface SentCharge extends Pick<ChargeParts, Same> {
  readonly accounts: readonly { readonly name: string; readonly members?: readonly string[] | undefined }[]
  readonly prices: readonly (readonly [name: string, price: ChargePrice])[]
}

type ChargePrice = ChargeParts['prices'] extends ReadonlyMap<string, infer Price> ? Price : never

export interface SentEnd {
  readonly id: string
  readonly end: ChargeEnd
}

export interface SentIncoming {
  /** Method and path of the route, as `routeKey` has it. */
  readonly route: string
  readonly id: string
  readonly credential: SentCredential
  readonly possession?: SentPossession | undefined
  readonly address: string
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly trace?: TraceContext | undefined
  readonly preconditions?: Preconditions | undefined
}

export type SentOutcome =
  | WholeAnswer
  /** Bytes in base 64. */
  | (Omit<BytesAnswer, 'bytes'> & { readonly bytes: string })
  | { readonly kind: 'refusal'; readonly fault: SentFault; readonly stage: Stage }

export interface BodyAsked {
  readonly id: string
  /** Undefined for a stranger. */
  readonly caller?: string | undefined
}

/** A route without what handles it. */
export type SentRoute = Omit<GuardedRoute, 'handle'>

export interface ServeOrder {
  readonly protocol: number
  readonly version: string
  /** How many workers share what one process may take on. */
  readonly workers: number
  readonly config: { readonly text: string; readonly path: string }
  readonly host: string
  readonly port: number
  readonly origin: string
  /** Every route of the door. */
  readonly routes: readonly SentRoute[]
  /** Of the ledger. */
  readonly log: string
  /** Its folder, of which a worker reads what is open to all. */
  readonly ledger: string
  /** Base 64; only where spans are exported, which name callers by pseudonym. */
  readonly pseudonymKey?: string | undefined
  readonly state: SharedState
}

export interface Serving {
  readonly address: string
  readonly port: number
  readonly rule: SentRule
}

/** The rule of a listener. */
type SentRule =
  | { readonly kind: 'socket' | 'loopback' | 'tls' }
  | { readonly kind: 'insecure'; readonly reason: string; readonly expiresAt: Millis }

/** What all workers know of the writer. */
export interface SharedState {
  /** The policy set in force; undefined where there is none. */
  readonly policies?: { readonly set: string; readonly files: readonly PolicyFile[] } | undefined
  readonly readiness: { readonly isReady: boolean; readonly reasons: readonly string[] }
  readonly proofNonce: string
  /** Documents that are open to all, by path. */
  readonly documents?: Readonly<Record<string, string>> | undefined
}

export interface WorkerReport {
  readonly inFlight: number
  readonly residentBytes: number
  readonly readings: readonly Reading[]
}

export function routeKey({ method, path }: Pick<GuardedRoute, 'method' | 'path'>): string {
  return `${method} ${path}`
}
