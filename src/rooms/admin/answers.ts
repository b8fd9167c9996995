import * as z from 'zod'
import { isJsonObject, type JsonObject } from '#base/json.ts'

/** The forms of what the admin routes answer. The routes make them, the command line reads them. Times are RFC 3339. */

/** Kept and shown as it was given. */
const AnyObject = z.custom<JsonObject>(isJsonObject)

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
  /** Null without limits of its own. */
  limits: AnyObject.nullable(),
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

export const LimitRow = z.strictObject({
  /** Whose limit it is, as `group:eng model:gpt-*`. */
  of: z.string(),
  limit: z.string(),
  most: z.number(),
  used: z.number(),
  /** Held for what is under way. */
  reserved: z.number(),
})
export type LimitRow = z.infer<typeof LimitRow>

/** The fullest first; `total` counts those that are left out, too. */
export const LimitListAnswer = z.strictObject({ total: z.int(), limits: z.array(LimitRow) })
export type LimitListAnswer = z.infer<typeof LimitListAnswer>

/** Limits as they are set now; null for none. */
export const SetLimitsAnswer = z.strictObject({
  of: z.enum(['caller', 'group', 'space', 'tenant']),
  name: z.string(),
  limits: AnyObject.nullable(),
})

export const KeyListAnswer = z.strictObject({ total: z.int(), keys: z.array(KeyRow) })

export const CallerRow = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['User', 'Service']),
  /** `scim` for those that a provisioning system keeps. */
  source: z.enum(['local', 'scim']),
  space: z.string(),
  tenant: z.string(),
  state: z.enum(['live', 'disabled']),
  created_at: z.string(),
  created_by: z.string(),
})

export const CallerAnswer = CallerRow.extend({
  /** Names, sorted; without the groups that these are in. */
  groups: z.array(z.string()),
  roles: z.array(z.string()),
  external_id: z.string().nullable(),
  profile: AnyObject.nullable(),
  limits: AnyObject.nullable(),
  changed_at: z.string(),
  /** Everything that policies see it in, as printed references. */
  is_in: z.array(z.string()),
})

export const CallerListAnswer = z.strictObject({ total: z.int(), callers: z.array(CallerRow) })

/** What was deleted. */
export const GoneAnswer = z.strictObject({ name: z.string() })

export const GroupRow = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** The name as it was given. */
  display: z.string(),
  source: z.enum(['local', 'scim']),
  /** Name of the group that it is in. */
  parent: z.string().nullable(),
  roles: z.array(z.string()),
  /** How many are in it directly. */
  members: z.int(),
  created_at: z.string(),
})

export const GroupListAnswer = z.strictObject({ total: z.int(), groups: z.array(GroupRow) })

export const GroupAnswer = GroupRow.extend({
  /** Names of groups that are in it. */
  groups: z.array(z.string()),
  /** A part of the names of its members. */
  names: z.array(z.string()),
  limits: AnyObject.nullable(),
  changed_at: z.string(),
})

export const RoleListAnswer = z.strictObject({
  roles: z.array(
    z.strictObject({
      name: z.string(),
      callers: z.int(),
      /** Names of groups that have it. */
      groups: z.array(z.string()),
    }),
  ),
})

export const RoleAnswer = z.strictObject({ role: z.string(), holder: z.string() })

export const TenantRow = z.strictObject({ name: z.string(), spaces: z.int(), created_at: z.string() })

export const TenantListAnswer = z.strictObject({ tenants: z.array(TenantRow) })

export const SpaceRow = z.strictObject({
  name: z.string(),
  tenant: z.string(),
  parent: z.string().nullable(),
  /** True when policies see it in its parent. */
  inherits: z.boolean(),
  created_at: z.string(),
})

export const SpaceListAnswer = z.strictObject({ spaces: z.array(SpaceRow) })

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

/** What the ledger held when the leave to back up was given: the copy holds as much, or more. */
export const BackupAnswer = z.strictObject({ origin: z.string(), entries: z.int() })
export type BackupAnswer = z.infer<typeof BackupAnswer>

export const CompactAnswer = z.strictObject({
  bytes_before: z.int(),
  bytes_after: z.int(),
  /** Segments. */
  sealed: z.int(),
  /** Files that nothing needs. */
  removed: z.int(),
  /** Full segments that are still to be sealed: ask again. */
  waiting: z.int(),
})
export type CompactAnswer = z.infer<typeof CompactAnswer>

export const ReindexAnswer = z.strictObject({
  /** Tiles and segments that were looked at. */
  checked: z.int(),
  /** Tiles that were made anew. */
  tiles: z.int(),
  /** Filters of segments that were made anew. */
  filters: z.int(),
  /** Tiles that are none of their log and were removed, as `0001-…/tile/…`; of many the first hundred. */
  removed: z.array(z.string()),
  /** Where to go on: ask again with it; null when all is done. */
  next: z.strictObject({ log: z.string(), step: z.int() }).nullable(),
})
export type ReindexAnswer = z.infer<typeof ReindexAnswer>

/** The keys of an identity provider, as they were last read. */
export const IssuerRow = z.strictObject({
  name: z.string(),
  /** `stale`: they cannot be read at the moment, and what was read before counts; `none`: its tokens are refused. */
  state: z.enum(['waiting', 'fresh', 'stale', 'none']),
  keys: z.int(),
  read_at: z.string().nullable(),
  problems: z.array(z.string()),
})

/** Who holds checkpoints of the ledger where its operator cannot change them unnoticed. */
export const OutsideAnswer = z.strictObject({
  /** How many witnesses it takes; 0 without any. */
  quorum: z.int(),
  /** Entries that so many witnesses have cosigned, and since when. */
  witnessed: z.int().nullable(),
  witnessed_at: z.string().nullable(),
  /** Entries that files on other disks, repositories or storage hold a checkpoint of. */
  anchored: z.int().nullable(),
  anchored_at: z.string().nullable(),
  holders: z.array(
    z.strictObject({
      kind: z.enum(['witness', 'file', 'git', 'object']),
      name: z.string(),
      entries: z.int().nullable(),
      at: z.string().nullable(),
      problem: z.string().nullable(),
      /** True where the problem says that the log here is not what it was: evidence, and no outage. */
      contradicts: z.boolean(),
    }),
  ),
})
export type OutsideAnswer = z.infer<typeof OutsideAnswer>

export const HealthAnswer = z.strictObject({
  state: z.enum(['ready', 'degraded']),
  uptime_s: z.int(),
  in_flight: z.int(),
  ledger: z.strictObject({
    state: z.enum(['writable', 'unwritable']),
    /** Why it cannot be written; null when it can. */
    reason: z.string().nullable(),
    entries: z.int(),
    /** Entries since the newest checkpoint that is also held outside: who owns this machine can rewrite them unnoticed. */
    unanchored: z.int(),
    outside: OutsideAnswer,
    days_left: z.number().nullable(),
    /** Requests of which this door had to record that nobody knows what became of them. */
    unknown_outcomes: z.int(),
    problems: z.array(z.string()),
  }),
  policy: z.strictObject({
    state: z.enum(['good', 'degraded', 'none']),
    set: z.string().nullable(),
    problems: z.int(),
  }),
  listeners: z.array(z.strictObject({ name: z.string(), address: z.string(), rule: z.string() })),
  workers: z.array(
    z.object({
      number: z.int(),
      state: z.enum(['serving', 'starting', 'given up']),
      pid: z.int().nullable(),
      restarts: z.int(),
      in_flight: z.int(),
    }),
  ),
  issuers: z.array(IssuerRow),
})

export type MadeKeyAnswer = z.infer<typeof MadeKeyAnswer>
export type KeyRow = z.infer<typeof KeyRow>
export type CallerRow = z.infer<typeof CallerRow>
export type CallerAnswer = z.infer<typeof CallerAnswer>
export type GroupRow = z.infer<typeof GroupRow>
export type GroupAnswer = z.infer<typeof GroupAnswer>
export type TenantRow = z.infer<typeof TenantRow>
export type SpaceRow = z.infer<typeof SpaceRow>
export type PolicyAnswer = z.infer<typeof PolicyAnswer>
export type PolicyCheckAnswer = z.infer<typeof PolicyCheckAnswer>
export type PolicyApplyAnswer = z.infer<typeof PolicyApplyAnswer>
export type IssuerRow = z.infer<typeof IssuerRow>
export type HealthAnswer = z.infer<typeof HealthAnswer>

/** The verifier keys of the ledger (c2sp.org/signed-note), newest first. */
export const LogKeyListAnswer = z.strictObject({
  keys: z.array(
    z.strictObject({
      key: z.string(),
      /** `ends` signs along until then; what `ended` has signed still holds. */
      state: z.enum(['signs', 'ends', 'ended']),
      ends_at: z.string().nullable(),
    }),
  ),
})
export type LogKeyListAnswer = z.infer<typeof LogKeyListAnswer>

export const TokenKeyListAnswer = z.strictObject({
  keys: z.array(
    z.strictObject({
      kid: z.string(),
      /** `next` is published and signs nothing yet; `ends` has signed, and is published until those tokens have ended. */
      state: z.enum(['next', 'signs', 'ends']),
    }),
  ),
})
export type TokenKeyListAnswer = z.infer<typeof TokenKeyListAnswer>
