import fs from 'node:fs'
import path from 'node:path'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { printRef, type Decision } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { readForeignJson } from '#base/foreign_json.ts'
import { isJsonArray, isJsonObject, printJson, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryKind } from '#base/recorder.ts'
import { Sealed } from '#base/sealed.ts'
import { SecretEcho } from '#base/secret_echo.ts'
import { openDatabase } from '#base/sqlite.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { DETECTORS } from '#door/detectors/all.ts'
import { inspect } from '#door/inspect.ts'
import { QuickLook } from '#door/quick_look.ts'
import { knownTarget, type Target } from '#door/route.ts'
import { checkChatRequest, type ChatRequest } from '#rooms/models/chat_request.ts'
import { authorize, type Policies } from '#trust/access/authorize.ts'
import type { Caller, Proven } from '#trust/access/caller.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import { openPolicies } from '#trust/access/policy_set.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import type { LedgerKeys } from '#trust/ledger/open.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'
import { UPSTREAM_KEY } from './contestants.ts'
import { ROOT } from './processes.ts'
import { StraightLog, type StraightEntry } from './straight_log.ts'

/** The one model, as the home of the governed contestant has it. */
const MODEL = 'house'
const PLACE = { provider: 'openai', region: 'eu' } as const
const TARGET = knownTarget({ type: 'Model', id: MODEL }, PLACE, [{ type: 'Space', id: 'default' }])
const ACTION = 'model:infer'

/** One request on its way, and what both its entries are made with. */
export interface Entered {
  readonly id: string
  readonly seed: Uint8Array
  readonly address: string
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number
}

/** A request that may go out. */
export interface Admitted {
  readonly intent: StraightEntry
  /** For the provider. */
  readonly body: string
}

/** An answer that may go to the caller. */
export interface Settled {
  readonly outcome: StraightEntry
  readonly body: string
}

/**
 * The work that the promises of the door need for one chat request, as functions in a straight line. Each uses the same
 * primitive as the door, on the same policies, entities and key; around them is no pipeline.
 */
export class Guarantees {
  /** The one key, for whoever sends the load. */
  readonly key: string
  readonly log: StraightLog
  readonly ledgerKeys: LedgerKeys
  readonly #callers: Callers
  readonly #policies: Policies
  readonly #look = new QuickLook(DETECTORS)
  readonly #echo = new SecretEcho(new Sealed(UPSTREAM_KEY))

  private constructor(
    opened: { readonly callers: Callers; readonly policies: Policies },
    log: StraightLog,
    ledgerKeys: LedgerKeys,
  ) {
    this.#callers = opened.callers
    this.#policies = opened.policies
    this.log = log
    this.ledgerKeys = ledgerKeys
    const asked = { name: 'bench', models: [MODEL], createdBy: 'System::"bench"' }
    this.key = opened.callers.createKey(asked).key.open((text) => text)
  }

  /** Makes a home of its own in an empty folder. */
  static async open(folder: string): Promise<Guarantees> {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const keys = openLocalKeys({ directory: path.join(folder, 'keys'), isNewHome: true })
    const callers = openCallers({
      database: openDatabase(path.join(folder, 'state.db')),
      peppers: keys.peppers,
      clock: SYSTEM_CLOCK,
      later: (work) => void setTimeout(work, 1_000).unref(),
    })
    const policies = await openPolicies({
      directory: path.join(ROOT, 'policies'),
      stateDirectory: path.join(folder, 'policy'),
      engine: cedarEngine,
      schema: SCHEMA,
      files: NODE_FILES,
    })
    if (policies.starting !== undefined) await policies.swap(policies.starting)
    const {
      log: { signingPem },
      sidecarKey,
      pseudonymKey,
    } = keys
    const ledgerKeys = { signingPem, sidecarKey, pseudonymKey }
    const log = await StraightLog.create(path.join(folder, 'ledger'), ledgerKeys)
    return new Guarantees({ callers, policies }, log, ledgerKeys)
  }

  /** 1. Who it is. Throws `caller.unknown`. */
  prove(authorization: string | undefined, address: string): Proven {
    const token = authorization?.startsWith(BEARER) === true ? authorization.slice(BEARER.length) : undefined
    if (token === undefined) return this.#callers.authenticate(NO_CREDENTIAL, address)
    return this.#callers.authenticate({ kind: 'bearer', token: new Sealed(token) }, address)
  }

  /** 2. What is asked. Throws `input.invalid`. */
  parse(body: Uint8Array): ChatRequest {
    const value = parseStrictJson(body, LIMITS)
    checkRequest(value)
    return value
  }

  /** 3. Whether it may. Throws `action.denied`. */
  authorize(caller: Caller, { model }: ChatRequest): Decision {
    const target = targetOf(model)
    return authorize(this.#policies, { caller, action: ACTION, target, findings: NO_FINDINGS }).decision
  }

  /** 4. Whether it holds what may not pass. Throws `content.blocked`. */
  search(value: JsonValue): void {
    if (this.#look.findsNothing(value)) return
    const { kind, findings } = inspect(DETECTORS, 'block', value)
    if (kind === 'block') throw new Fault('content.blocked', { findings: findings.map(({ rule }) => rule) })
  }

  /** 2. The request as the provider gets it: the value that was judged. */
  printRequest(request: ChatRequest): string {
    return printJson({ ...request, model: 'mock' })
  }

  /** 5. What is on record before it is done. */
  intent(entered: Entered, { ref, kid }: Caller, asked: Asked): StraightEntry {
    const { content, decision } = asked
    const { policies, set, entities } = decision
    return this.#entry('intent', entered, {
      action: ACTION,
      route: 'chat',
      address: entered.address,
      caller: printRef(ref),
      kid: kid ?? null,
      content,
      resource: printRef(TARGET.ref),
      policies,
      set,
      entities,
    })
  }

  /** 6. What the provider answered, under the name that the caller knows. Throws `upstream.invalid`. */
  parseAnswer(bytes: Uint8Array): JsonObject {
    if (this.#echo.isIn(bytes)) throw new Fault('upstream.invalid', { reason: 'answer_holds_key' })
    const value = readForeignJson(UTF8.decode(bytes), ANSWER_LIMITS)
    if (!isJsonObject(value) || !isJsonArray(value['choices'] ?? null))
      throw new Fault('upstream.invalid', { reason: 'answer_shape' })
    return Object.freeze({ ...value, model: MODEL })
  }

  /** 5. What became of it. */
  outcome(entered: Entered, answer: JsonObject, content: string): StraightEntry {
    return this.#entry('outcome', entered, {
      ...PLACE,
      ...usageOf(answer['usage']),
      status: 200,
      content,
      ms: Math.round(performance.now() - entered.startedAt),
    })
  }

  /** 5. Why nothing came of it; an outcome where its intent is on record. */
  refusal(kind: 'refusal' | 'outcome', entered: Entered, fault: Fault): StraightEntry {
    return this.#entry(kind, entered, { ...fault.detail, address: entered.address, code: fault.code })
  }

  #entry(kind: EntryKind, { id, seed }: Entered, fields: Record<string, JsonValue>): StraightEntry {
    return this.log.entryOf({ kind, id, at: Date.now(), fields, reserved: false }, seed)
  }
}

/** What an intent is about. */
export interface Asked {
  readonly decision: Pick<Decision, 'policies' | 'set' | 'entities'>
  /** SHA-256 of the body as it came. */
  readonly content: string
}

/** Everything from the body of a request to what is written before it goes out, in one turn. */
export function admit(guarantees: Guarantees, entered: Entered, proven: Proven, body: Uint8Array): Admitted {
  // The body took its time: a key that ended meanwhile opens nothing.
  const caller = proven.recheck()
  const request = guarantees.parse(body)
  guarantees.authorize(caller, request)
  guarantees.search(request)
  const decision = guarantees.authorize(caller, request)
  return {
    intent: guarantees.intent(entered, caller, { decision, content: sha256Hex(body) }),
    body: guarantees.printRequest(request),
  }
}

/** Everything from the bytes of an answer to what goes to the caller, in one turn. */
export function settle(guarantees: Guarantees, entered: Entered, bytes: Uint8Array): Settled {
  const answer = guarantees.parseAnswer(bytes)
  guarantees.search(answer)
  const body = printJson(answer)
  return { outcome: guarantees.outcome(entered, answer, sha256Hex(body)), body }
}

const BEARER = 'Bearer '
const NO_CREDENTIAL = { kind: 'none' } as const
const NO_FINDINGS: readonly string[] = Object.freeze([])
const UTF8 = new TextDecoder('utf-8', { fatal: true })
const ANSWER_LIMITS = { jsonDepth: LIMITS.jsonDepth, jsonNodes: LIMITS.answerJsonNodes } as const
const checkRequest: (value: JsonValue) => asserts value is ChatRequest = checkChatRequest

/** A name that is no model has no facts, so that no policy about models matches. */
function targetOf(model: string): Target {
  return model === MODEL ? TARGET : { ref: { type: 'Model', id: model }, entities: [], known: false }
}

function usageOf(usage: JsonValue | undefined): Record<string, JsonValue> {
  if (!isJsonObject(usage)) return {}
  const { prompt_tokens: tokensIn, completion_tokens: tokensOut } = usage
  if (!Number.isSafeInteger(tokensIn) || !Number.isSafeInteger(tokensOut)) return {}
  return { tokens_in: tokensIn ?? null, tokens_out: tokensOut ?? null }
}
