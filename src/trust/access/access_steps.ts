/** The tables of callers, keys and what callers belong to: each step runs once and is never changed. */
export const ACCESS_STEPS: readonly string[] = [
  `CREATE TABLE caller (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('Service', 'User')),
    space TEXT NOT NULL,
    tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    disabled_at INTEGER
  ) STRICT`,
  `CREATE TABLE key (
    kid TEXT PRIMARY KEY,
    caller TEXT NOT NULL REFERENCES caller (name),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    pepper_id TEXT NOT NULL,
    models TEXT,
    actions TEXT,
    addresses TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER
  ) STRICT`,
  `CREATE TABLE key_secret (
    kid TEXT NOT NULL REFERENCES key (kid),
    number INTEGER NOT NULL,
    mac BLOB NOT NULL CHECK (length(mac) = 32),
    created_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    last_used_day INTEGER,
    PRIMARY KEY (kid, number)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE tenant (
    name TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    limits TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE space (
    name TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL REFERENCES tenant (name),
    parent TEXT REFERENCES space (name),
    inherits INTEGER NOT NULL CHECK (inherits IN (0, 1)),
    limits TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE caller_group (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('local', 'scim')),
    external_id TEXT UNIQUE,
    parent TEXT REFERENCES caller_group (id),
    limits TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT`,
  // What the first homes had: every caller in one space of one tenant, by name alone.
  `INSERT INTO tenant
    SELECT tenant, hex(randomblob(8)), NULL, 1, min(created_at), min(created_at)
    FROM (SELECT tenant, created_at FROM caller UNION ALL SELECT 'default', 0) GROUP BY tenant`,
  `INSERT INTO space
    SELECT space, hex(randomblob(8)), min(tenant), NULL, 0, NULL, 1, min(created_at), min(created_at)
    FROM (SELECT space, tenant, created_at FROM caller UNION ALL SELECT 'default', 'default', 0) GROUP BY space`,
  `CREATE TABLE known_caller (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('Service', 'User')),
    source TEXT NOT NULL CHECK (source IN ('local', 'scim')),
    space TEXT NOT NULL REFERENCES space (name),
    external_id TEXT,
    profile TEXT,
    limits TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    disabled_at INTEGER,
    deleted_at INTEGER
  ) STRICT`,
  `INSERT INTO known_caller
    SELECT hex(randomblob(8)), name, kind, 'local', space, NULL, NULL, NULL, 1, created_at, created_by,
      coalesce(disabled_at, created_at), disabled_at, NULL
    FROM caller ORDER BY rowid`,
  // A caller that was deleted stays for the sake of its keys, and gives up its names.
  'CREATE UNIQUE INDEX caller_name ON known_caller (name) WHERE deleted_at IS NULL',
  'CREATE UNIQUE INDEX caller_external_id ON known_caller (external_id) WHERE deleted_at IS NULL',
  `CREATE TABLE caller_key (
    kid TEXT PRIMARY KEY,
    caller TEXT NOT NULL REFERENCES known_caller (id),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    pepper_id TEXT NOT NULL,
    models TEXT,
    actions TEXT,
    addresses TEXT NOT NULL,
    limits TEXT,
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER
  ) STRICT`,
  `INSERT INTO caller_key
    SELECT kid, known_caller.id, environment, pepper_id, models, actions, addresses, NULL, not_before,
      key.created_at, key.created_by, revoked_at
    FROM key JOIN known_caller ON known_caller.name = key.caller ORDER BY key.rowid`,
  'CREATE INDEX key_caller ON caller_key (caller)',
  `CREATE TABLE caller_key_secret (
    kid TEXT NOT NULL REFERENCES caller_key (kid),
    number INTEGER NOT NULL,
    mac BLOB NOT NULL CHECK (length(mac) = 32),
    created_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    last_used_day INTEGER,
    PRIMARY KEY (kid, number)
  ) STRICT, WITHOUT ROWID`,
  'INSERT INTO caller_key_secret SELECT kid, number, mac, created_at, not_after, last_used_day FROM key_secret',
  'DROP TABLE key_secret',
  'DROP TABLE key',
  'DROP TABLE caller',
  'ALTER TABLE known_caller RENAME TO caller',
  'ALTER TABLE caller_key RENAME TO key',
  'ALTER TABLE caller_key_secret RENAME TO key_secret',
  `CREATE TABLE group_member (
    group_id TEXT NOT NULL REFERENCES caller_group (id) ON DELETE CASCADE,
    caller TEXT NOT NULL REFERENCES caller (id),
    PRIMARY KEY (group_id, caller)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX member_group ON group_member (caller)',
  `CREATE TABLE caller_role (
    caller TEXT NOT NULL REFERENCES caller (id),
    role TEXT NOT NULL,
    PRIMARY KEY (caller, role)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE group_role (
    group_id TEXT NOT NULL REFERENCES caller_group (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (group_id, role)
  ) STRICT, WITHOUT ROWID`,
]
