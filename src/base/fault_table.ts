import type { FaultRow } from './fault_row.ts'
import { HOME_FAULTS } from './home_faults.ts'
import { MODEL_FAULTS } from './model_faults.ts'

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
  'proof.nonce': {
    status: 401,
    exit: 77,
    title: 'The proof of possession needs a nonce that is new.',
    hint: 'Take the nonce of the DPoP-Nonce header, and send the request again with a new proof.',
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
  'log.unknown': {
    status: 404,
    exit: 64,
    title: 'There is no such part of the log, or no checkpoint covers it yet.',
    hint: 'Read the checkpoint first: it says how many entries there are.',
  },
  'export.foreign': {
    status: 409,
    exit: 73,
    title: 'The folder holds something else than an export of this log.',
    hint: 'Name a folder that is empty or not there, or one that was written by the same command for the same log.',
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
    title: 'Too many requests of this caller were refused.',
    hint: 'Correct what is refused; "gatehouse why" explains the earlier ones. Then wait for Retry-After seconds.',
  },
  'load.exceeded': {
    status: 503,
    exit: 75,
    title: 'The door is at its limit of requests in flight, or of bytes that they hold.',
    hint: 'Try again after Retry-After seconds.',
  },
  'limit.exceeded': {
    status: 429,
    exit: 75,
    title: 'A limit on requests, tokens or money is reached.',
    hint: 'Try again after Retry-After seconds. Without that header the request is larger than the limit: send less, or ask an operator for a higher one.',
  },
  'limit.unbounded': {
    status: 400,
    exit: 65,
    title: 'A limit on tokens or money applies, and nothing says how much this request may take.',
    hint: 'Say how long the answer may be (max_completion_tokens, max_output_tokens or max_tokens), or ask an operator to set max_output_tokens for the model.',
  },
  'limit.unpriced': {
    status: 403,
    exit: 78,
    title: 'A limit on money applies, and what this request costs is not known.',
    hint: 'An operator should give the model, or each member of the pool, a price under prices in gatehouse.yaml.',
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
  ...MODEL_FAULTS,
  'entry.unknown': {
    status: 404,
    exit: 66,
    title: 'There is no such entry that you may see.',
    hint: 'Take the id from the x-request-id header of your own request.',
  },
  'receipt.pending': {
    status: 503,
    exit: 75,
    title: 'The request is not over, or no checkpoint covers its entries yet.',
    hint: 'Ask again after Retry-After seconds.',
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
    hint: 'See "gatehouse key list"; for keys of the ledger, "gatehouse ledger key".',
  },
  'caller.missing': {
    status: 404,
    exit: 66,
    title: 'There is no caller with this name.',
    hint: 'See "gatehouse caller list".',
  },
  'resource.unknown': {
    status: 404,
    exit: 66,
    title: 'There is no such resource that you may reach.',
    hint: 'Only users and groups that SCIM made can be reached by SCIM.',
  },
  'resource.conflicting': {
    status: 409,
    exit: 65,
    title: 'Another resource has this name.',
    hint: 'Choose another name, or change the resource that has it.',
  },
  'resource.changed': {
    status: 412,
    exit: 75,
    title: 'The resource has changed since it was read.',
    hint: 'Read it again, and send the change with its new ETag.',
  },
  'feature.unsupported': {
    status: 501,
    exit: 64,
    title: 'This part of the protocol is not supported.',
    hint: 'See docs/reference/scim.md.',
  },
  'grant.invalid': {
    status: 400,
    exit: 65,
    title: 'The subject or actor token was not accepted.',
    hint: 'Send a token that has not ended, of an issuer that the door knows; an operator sees the reason with "gatehouse why ENTRY".',
  },
  'grant.unsupported': {
    status: 400,
    exit: 65,
    title: 'This grant type is not supported.',
    hint: 'Send grant_type=urn:ietf:params:oauth:grant-type:token-exchange.',
  },
  'audience.unknown': {
    status: 400,
    exit: 65,
    title: 'There is no such audience that a token can be made for.',
    hint: 'Ask for one of identity.audiences in gatehouse.yaml.',
  },
  'scope.wider': {
    status: 400,
    exit: 65,
    title: 'The scope is wider than that of the subject token or the audience.',
    hint: 'Ask for less, or leave the scope out.',
  },
  'proof.invalid': {
    status: 400,
    exit: 65,
    title: 'The proof of possession is not valid, or there must be one.',
    hint: 'Send one new DPoP proof about this very request, or a client certificate.',
  },
  'nonce.needed': {
    status: 400,
    exit: 65,
    title: 'The proof of possession needs a nonce that is new.',
    hint: 'Take the nonce of the DPoP-Nonce header, and send the request again with a new proof.',
  },
  'exchange.off': {
    status: 503,
    exit: 78,
    title: 'This door exchanges no tokens.',
    hint: 'An operator turns it on with identity.issuer in gatehouse.yaml.',
  },
  'group.missing': {
    status: 404,
    exit: 66,
    title: 'There is no group with this name.',
    hint: 'See "gatehouse group list".',
  },
  'space.missing': {
    status: 404,
    exit: 66,
    title: 'There is no space with this name.',
    hint: 'See "gatehouse space list".',
  },
  'tenant.missing': {
    status: 404,
    exit: 66,
    title: 'There is no tenant with this name.',
    hint: 'See "gatehouse tenant list".',
  },
  'directory.conflicting': {
    status: 409,
    exit: 65,
    title: 'Callers, groups and spaces do not allow this change now.',
    hint: 'Do what the detail says, and see docs/explanation/callers.md.',
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
  'outcome.unknown': {
    status: 500,
    exit: 70,
    title: 'What became of the request is not known: the door ended, or could not record it.',
    hint: 'Look at the provider or at what should have changed, and ask again if it was not done. What was reserved for it counts.',
  },
  ...HOME_FAULTS,
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

export type FaultCode = keyof typeof FAULTS

/** True for a code of the table; another version of Gatehouse may know others. */
export function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(FAULTS, code)
}
