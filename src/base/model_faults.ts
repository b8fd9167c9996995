import type { FaultRow } from './fault_row.ts'

/** The rows of the table of faults that speak of models and their providers. */
export const MODEL_FAULTS = {
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
} as const satisfies Record<string, FaultRow>
