import type { JsonValue } from './json.ts'

/**
 * Every way Gatehouse refuses or fails, in one table.
 *
 * `status` is the HTTP status, `exit` the process exit status of the CLI (sysexits.h), `title` the sentence the
 * caller reads and `hint` what to do about it. Nothing here may hold a value from a request.
 */
export const FAULTS = {
  'caller.unknown': {
    status: 401,
    exit: 77,
    title: 'No valid credential came with the request.',
    hint: 'Send "Authorization: Bearer gate_…" with a live key. An operator makes one with: gatehouse key create --name NAME',
  },
  'action.denied': {
    status: 403,
    exit: 77,
    title: 'No policy permits this caller to do this.',
    hint: 'Run "gatehouse why ENTRY" to see the deciding stage, and ask an operator for a policy or a key with a wider scope.',
  },
  'content.blocked': {
    status: 422,
    exit: 65,
    title: 'Inspection found content that may not pass.',
    hint: 'Remove the credential from the content and send it again.',
  },
  'input.invalid': {
    status: 400,
    exit: 65,
    title: 'The request is not valid.',
    hint: 'Correct the named field.',
  },
  'input.too_large': {
    status: 413,
    exit: 65,
    title: 'The request is larger than the limit.',
    hint: 'Send less, or raise limits.body_bytes in gatehouse.yaml.',
  },
  'input.slow': {
    status: 408,
    exit: 65,
    title: 'The request took too long to arrive.',
    hint: 'Send the whole request within the time limit.',
  },
  'input.aborted': { status: 499, exit: 75, title: 'The caller went away.', hint: 'Nothing to do.' },
  'target.invalid': {
    status: 400,
    exit: 65,
    title: 'The request target is not acceptable.',
    hint: 'Use an origin-form path without "#", "\\", "..", "//" or encoded slashes.',
  },
  'route.unknown': {
    status: 404,
    exit: 64,
    title: 'There is no such route.',
    hint: 'See docs/reference/routes.md.',
  },
  'method.wrong': {
    status: 405,
    exit: 64,
    title: 'The route does not take this method.',
    hint: 'See docs/reference/routes.md.',
  },
  'extension.refused': {
    status: 400,
    exit: 65,
    title: 'The request has a field that this model does not take.',
    hint: 'Remove the field, or set "extensions: pass" for the model in gatehouse.yaml.',
  },
  'api.unsupported': {
    status: 400,
    exit: 65,
    title: 'The provider of this model cannot do this in the same way.',
    hint: 'Leave out what the detail names, or use the API that this model speaks itself; see docs/reference/translations.md.',
  },
  'source.throttled': {
    status: 429,
    exit: 75,
    title: 'Too many requests without a valid credential came from this source.',
    hint: 'Wait for Retry-After seconds and send a valid key.',
  },
  'caller.throttled': {
    status: 429,
    exit: 75,
    title: 'Too many requests with this key were refused.',
    hint: 'Correct what is refused; "gatehouse why" explains the earlier ones. Then wait for Retry-After seconds.',
  },
  'load.exceeded': {
    status: 503,
    exit: 75,
    title: 'The door is at its limit of requests in flight, or of bytes that they hold.',
    hint: 'Try again after Retry-After seconds.',
  },
  'ledger.unwritable': {
    status: 503,
    exit: 74,
    title: 'The ledger cannot record, so nothing was done.',
    hint: 'An operator should run "gatehouse doctor" and free space in the home or replace the disk.',
  },
  'ledger.corrupt': {
    status: 500,
    exit: 65,
    title: 'The ledger does not verify.',
    hint: 'Run "gatehouse ledger verify" and keep a copy of the home before anything else.',
  },
  'policy.unavailable': {
    status: 503,
    exit: 78,
    title: 'No valid policy set is loaded, so everything is refused.',
    hint: 'An operator should run "gatehouse policy check", mend the files and start the door again.',
  },
  'policy.invalid': {
    status: 422,
    exit: 65,
    title: 'The policy set is not valid; the set in force stays.',
    hint: 'Run "gatehouse policy check" for the places.',
  },
  'policy.locking': {
    status: 409,
    exit: 65,
    title: 'The policy set would lock the operator out of changing policies.',
    hint: 'Permit System::"operator" the action policy:change.',
  },
  'model.unknown': {
    status: 404,
    exit: 66,
    title: 'There is no such model that you may use.',
    hint: 'See GET /v1/models for the models that you may use.',
  },
  'upstream.failed': {
    status: 502,
    exit: 69,
    title: 'The model provider failed.',
    hint: 'Try again; an operator sees the reason with "gatehouse why ENTRY".',
  },
  'upstream.slow': {
    status: 504,
    exit: 69,
    title: 'The model provider did not answer in time.',
    hint: 'Try again, or raise timeout_ms of the model.',
  },
  'upstream.invalid': {
    status: 502,
    exit: 69,
    title: 'The model provider answered something that cannot be read.',
    hint: 'An operator sees the reason with "gatehouse why ENTRY".',
  },
  'upstream.oversized': {
    status: 502,
    exit: 69,
    title: 'The model provider answered more than the limit.',
    hint: 'Ask for a shorter answer.',
  },
  'upstream.limited': {
    status: 429,
    exit: 75,
    title: 'The model provider limits the rate of requests.',
    hint: 'Try again after Retry-After seconds.',
  },
  'upstream.rejected': {
    status: 400,
    exit: 65,
    title: 'The model provider rejected the request.',
    hint: 'Correct the request as the detail says.',
  },
  'upstream.unauthorized': {
    status: 502,
    exit: 78,
    title: 'The model provider did not accept the key of this door.',
    hint: 'An operator should check the key reference of the model.',
  },
  'upstream.unconfigured': {
    status: 503,
    exit: 78,
    title: 'The model has no provider key yet.',
    hint: 'Set the environment variable or file that the key of the model refers to, and restart.',
  },
  'entry.unknown': {
    status: 404,
    exit: 66,
    title: 'There is no such entry that you may see.',
    hint: 'Take the id from the x-request-id header of your own request.',
  },
  'key.unknown': {
    status: 404,
    exit: 66,
    title: 'There is no key with this id.',
    hint: 'See "gatehouse key list".',
  },
  'key.conflicting': {
    status: 409,
    exit: 65,
    title: 'The key cannot be changed in this way now.',
    hint: 'See "gatehouse key list".',
  },
  'caller.missing': {
    status: 404,
    exit: 66,
    title: 'There is no caller with this name.',
    hint: 'See "gatehouse key list".',
  },
  'config.invalid': {
    status: 500,
    exit: 78,
    title: 'The configuration is not valid.',
    hint: 'Run "gatehouse config check".',
  },
  'listener.exposed': {
    status: 500,
    exit: 78,
    title: 'A listener outside loopback needs TLS and a credential.',
    hint: 'Set "tls: {cert, key}", or listen on 127.0.0.1.',
  },
  'listener.unavailable': {
    status: 500,
    exit: 69,
    title: 'The address cannot be listened on.',
    hint: 'Stop the other program or choose another port with --listen.',
  },
  'home.locked': {
    status: 500,
    exit: 75,
    title: 'Another process holds this home.',
    hint: 'Stop it, or give another folder with --home DIR.',
  },
  'home.unwritable': {
    status: 500,
    exit: 73,
    title: 'The home folder cannot be written.',
    hint: 'Give the folder to this user, or another one with --home DIR.',
  },
  'home.exposed': {
    status: 500,
    exit: 77,
    title: 'Others could change what is in the home folder.',
    hint: 'Run "chmod go-w" on the folder, and see that it belongs to the user that runs the door.',
  },
  'home.damaged': {
    status: 500,
    exit: 65,
    title: 'A file in the home folder is missing or damaged.',
    hint: 'Restore the home from a copy; do not delete the rest.',
  },
  'usage.wrong': {
    status: 400,
    exit: 64,
    title: 'The command line is not valid.',
    hint: 'See "gatehouse --help".',
  },
  'door.unreachable': {
    status: 503,
    exit: 69,
    title: 'The running door does not answer.',
    hint: 'Start it with "npm start".',
  },
  'internal.bug': {
    status: 500,
    exit: 70,
    title: 'Gatehouse made a mistake.',
    hint: 'Report the entry id; the request was refused.',
  },
} as const satisfies Record<string, FaultRow>

interface FaultRow {
  readonly status: number
  readonly exit: number
  readonly title: string
  readonly hint: string
}

export type FaultCode = keyof typeof FAULTS

/** True for a code of the table; another version of Gatehouse may know others. */
export function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(FAULTS, code)
}

/** What only the ledger and the operator may read; every value is kept as sensitive unless the ledger classes it public. */
export type FaultDetail = Readonly<Record<string, JsonValue>>

export interface FaultOptions {
  /** One sentence for the caller, made only of our own words and field paths, never of request values. */
  readonly say?: string
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/** A refusal or failure that is part of the contract. Anything else that is thrown is a bug. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly detail: FaultDetail
  readonly say: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: FaultCode, detail: FaultDetail = {}, options: FaultOptions = {}) {
    const message = `${code}: ${options.say ?? FAULTS[code].title}`
    const depth = Error.stackTraceLimit
    // A refusal is no accident. Where it was made is worth less than the time to find out, which floods would cost again
    // and again; a bug is another matter.
    if (code !== 'internal.bug') Error.stackTraceLimit = 0
    super(message, { cause: options.cause })
    Error.stackTraceLimit = depth
    this.name = 'Fault'
    this.code = code
    this.detail = detail
    this.say = options.say
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Turns whatever was thrown into a `Fault`; an unexpected one becomes `internal.bug` and keeps its cause. */
export function asFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  return new Fault(
    'internal.bug',
    { error: thrown instanceof Error ? thrown.message : String(thrown) },
    { cause: thrown },
  )
}
