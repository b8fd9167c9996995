import * as z from 'zod'

/** The forms of what the admin routes answer. The routes make them, the command line reads them. Times are RFC 3339. */

export const MadeKeyAnswer = z.strictObject({
  key: z.string(),
  kid: z.string(),
  name: z.string(),
  expires_at: z.string(),
})

const KEY_STATES = ['live', 'pending', 'expired', 'idle', 'revoked', 'disabled'] as const

export const KeyRow = z.strictObject({
  kid: z.string(),
  name: z.string(),
  environment: z.string(),
  /** `live` when any of its secrets is. */
  state: z.enum(KEY_STATES),
  /** Null where they narrow nothing. */
  models: z.array(z.string()).nullable(),
  actions: z.array(z.string()).nullable(),
  addresses: z.array(z.string()),
  created_at: z.string(),
  created_by: z.string(),
  /** The secrets, newest last, each with the day of its last use. */
  secrets: z.array(
    z.strictObject({
      number: z.int(),
      state: z.enum(KEY_STATES),
      expires_at: z.string(),
      last_used: z.string().nullable(),
    }),
  ),
})

export const KeyListAnswer = z.strictObject({ keys: z.array(KeyRow) })

export const CallerRow = z.strictObject({
  name: z.string(),
  kind: z.string(),
  space: z.string(),
  state: z.enum(['live', 'disabled']),
  created_at: z.string(),
  created_by: z.string(),
})

export const CallerListAnswer = z.strictObject({ callers: z.array(CallerRow) })

export const PolicyProblemRow = z.strictObject({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  message: z.string(),
})

export const PolicyAnswer = z.strictObject({
  state: z.enum(['good', 'degraded', 'none']),
  /** Hash of the set in force; null when there is none. */
  set: z.string().nullable(),
  /** The files of that set, by hash. */
  files: z.array(z.strictObject({ name: z.string(), hash: z.string() })),
  /** What is wrong with the working files; they are not the set in force then. */
  problems: z.array(PolicyProblemRow),
})

export const PolicyCheckAnswer = z.strictObject({
  valid: z.boolean(),
  /** Hash that the working files would have as a set; null when they are not one. */
  set: z.string().nullable(),
  policies: z.array(z.string()),
  problems: z.array(PolicyProblemRow),
})

export const PolicyApplyAnswer = z.strictObject({
  before: z.string().nullable(),
  after: z.string(),
  files: z.int(),
})

export const HealthAnswer = z.strictObject({
  state: z.enum(['ready', 'degraded']),
  uptime_s: z.int(),
  in_flight: z.int(),
  ledger: z.strictObject({
    state: z.enum(['writable', 'unwritable']),
    /** Why it cannot be written; null when it can. */
    reason: z.string().nullable(),
    entries: z.int(),
    /** Entries since the newest checkpoint that is also held outside. */
    unanchored: z.int(),
    days_left: z.number().nullable(),
    problems: z.array(z.string()),
  }),
  policy: z.strictObject({
    state: z.enum(['good', 'degraded', 'none']),
    set: z.string().nullable(),
    problems: z.int(),
  }),
  listeners: z.array(z.strictObject({ name: z.string(), address: z.string(), rule: z.string() })),
})

export type MadeKeyAnswer = z.infer<typeof MadeKeyAnswer>
export type KeyRow = z.infer<typeof KeyRow>
export type CallerRow = z.infer<typeof CallerRow>
export type PolicyAnswer = z.infer<typeof PolicyAnswer>
export type PolicyCheckAnswer = z.infer<typeof PolicyCheckAnswer>
export type PolicyApplyAnswer = z.infer<typeof PolicyApplyAnswer>
export type HealthAnswer = z.infer<typeof HealthAnswer>
