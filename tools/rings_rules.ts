/**
 * Who may import whom. `ARCHITECTURE.md` says it in words; this is what is enforced.
 *
 * A ring may import only rings to its left, and rooms of one ring never import each other: no line here can allow that.
 * A folder may import its own files and what its line lists, nothing else.
 */
export interface Rules {
  readonly rings: readonly string[]
  /** Every folder under `src` that holds files; `.` is `src` itself. */
  readonly folders: Readonly<Record<string, FolderRule>>
  /** Files of `src` itself are never imported by a ring. Of those, these are imported by the listed ones only. */
  readonly reserved: Readonly<
    Record<string, { readonly importers: readonly string[]; readonly reason: string }>
  >
  /** Places that may use `import()`. */
  readonly dynamic: readonly string[]
  /** Places outside `src` that tests may import. */
  readonly testHelpers: readonly string[]
  readonly packages: Readonly<Record<string, { readonly places: readonly string[]; readonly reason: string }>>
  /** A built-in of Node that is in no list may be used nowhere. */
  readonly builtIns: Readonly<
    Record<string, { readonly places: readonly string[] | 'anywhere'; readonly reason: string }>
  >
  /** Folders that are programs of their own: they import these built-ins of Node and nothing else, not even each other. */
  readonly alone: Readonly<Record<string, { readonly builtIns: readonly string[]; readonly reason: string }>>
}

export interface FolderRule {
  /** Files, and folders with all below them. */
  readonly from: readonly string[]
  /** Files of this folder are plug-ins and do not import each other; only its `all.ts` imports them. */
  readonly alone?: boolean
}

export const RULES: Rules = {
  rings: ['base', 'trust', 'door', 'rooms', 'proof', 'faces'],
  folders: {
    '.': { from: [] },
    base: { from: [] },
    'trust/access': { from: ['base', 'trust/access/tokens'] },
    'trust/access/issued': {
      from: ['base', 'trust/access', 'trust/access/tokens', 'trust/access/possession'],
    },
    'trust/access/possession': { from: ['base', 'trust/access', 'trust/access/tokens'] },
    'trust/access/tokens': { from: ['base', 'trust/access'] },
    'trust/cedar': { from: ['base'] },
    'trust/vault': { from: ['base'] },
    'trust/ledger': { from: ['base'] },
    door: { from: ['base', 'trust', 'door/detectors/all.ts', 'door/limits'] },
    'door/limits': { from: ['base', 'trust/access', 'door/route.ts'] },
    'door/detectors': { from: ['base', 'door/detector.ts'], alone: true },
    'rooms/log': { from: ['base', 'trust/access', 'trust/ledger', 'door/route.ts', 'door/token_bucket.ts'] },
    'rooms/models': {
      from: [
        'base',
        'trust/access',
        'door/detector.ts',
        'door/inspection_actions.ts',
        'door/route.ts',
        'door/stream_frame.ts',
        'rooms/models/formats',
        'rooms/models/pool',
        'rooms/models/providers/all.ts',
      ],
    },
    'rooms/models/pool': {
      from: [
        'base',
        'door/limits/taken.ts',
        'door/route.ts',
        'door/stream_frame.ts',
        'trust/access',
        'rooms/models',
      ],
    },
    'rooms/models/providers': {
      from: [
        'base',
        'door/stream_frame.ts',
        'trust/access/authorize.ts',
        'rooms/models',
        'rooms/models/formats',
        'rooms/models/translate',
      ],
      alone: true,
    },
    'rooms/models/translate': {
      from: [
        'base',
        'door/stream_frame.ts',
        'trust/access/authorize.ts',
        'rooms/models',
        'rooms/models/formats',
      ],
    },
    'rooms/models/formats': {
      from: ['base', 'door/detector.ts', 'door/stream_frame.ts', 'rooms/models/token_counts.ts'],
    },
    'rooms/admin': { from: ['base', 'trust', 'door/route.ts', 'door/outcome.ts'] },
    'rooms/backup': { from: ['base', 'trust/ledger', 'trust/vault'] },
    'rooms/identity': { from: ['base', 'trust/access', 'door/route.ts'] },
    'rooms/identity/scim': { from: ['base', 'trust/access', 'door/route.ts'] },
    'proof/posture': {
      from: [
        'base',
        'door/route.ts',
        'trust/ledger/read.ts',
        'trust/ledger/verify.ts',
        'proof/posture/checks/all.ts',
      ],
    },
    'proof/telemetry': {
      from: ['base', 'door/operation.ts', 'door/tracing.ts'],
    },
    'proof/posture/checks': {
      from: ['base', 'proof/posture/check.ts', 'proof/posture/facts.ts'],
      alone: true,
    },
    'proof/receipts': {
      from: ['base', 'door/route.ts', 'trust/access', 'trust/ledger'],
    },
    'proof/spend': {
      from: ['base', 'trust/ledger/read.ts'],
    },
    'proof/anchors': { from: ['base', 'trust/ledger'] },
    'proof/witness': { from: ['base', 'trust/ledger'] },
    'faces/http': { from: ['base', 'trust', 'door', 'rooms', 'proof'] },
    'faces/workers': {
      from: ['base', 'trust', 'door'],
    },
    'faces/cli': { from: ['base', 'trust', 'door', 'rooms', 'proof', 'faces/cli/commands/all.ts'] },
    'faces/cli/commands': { from: ['base', 'trust', 'door', 'rooms', 'proof', 'faces/cli'], alone: true },
  },
  reserved: {
    'main.ts': { importers: [], reason: 'it builds all of it, so whoever imports it imports everything' },
  },
  dynamic: [],
  testHelpers: ['test/support', 'test/fakes'],
  packages: {
    jose: {
      places: ['trust/access'],
      reason:
        'JOSE of identity providers is never hand-written: signatures, key sets, and the tokens that we issue',
    },
    undici: {
      places: ['base/http_client.ts', 'base/http_stream.ts'],
      reason: 'HTTP out: Pool.dispatch does 12 x what fetch does',
    },
    yaml: {
      places: ['config_yaml.ts', 'faces/cli'],
      reason: 'reads gatehouse.yaml with the position of every problem, and prints it again',
    },
    zod: {
      places: [
        'config.ts',
        'config_schema.ts',
        'config_identity.ts',
        'config_exchange.ts',
        'config_limits.ts',
        'config_models.ts',
        'config_outside.ts',
        'config_secret.ts',
        'config_scim.ts',
        'config_telemetry.ts',
        'config_witness.ts',
        'config_reference.ts',
        'rooms/models',
        'rooms/admin',
        'faces/cli',
      ],
      reason: 'one schema for validation, types and documentation, at every edge',
    },
  },
  builtIns: {
    'node:child_process': {
      places: ['faces/cli', 'base/run_program.ts', 'base/files_apart.ts'],
      reason:
        'a verb that starts the bench; programs that are called without a shell, as git; and a process that may hang',
    },
    'node:cluster': {
      places: ['main_fleet.ts', 'main_worker.ts'],
      reason: 'starts the workers, hands connections out to them, and tells them when nobody does any more',
    },
    'node:crypto': { places: ['base/crypto.ts', 'base/ids.ts'], reason: 'one page to audit' },
    'node:dns': {
      places: ['main_listeners.ts', 'base/upstream_address.ts'],
      reason:
        'to tell whether the name of a listener is an address of this machine, and where that of an upstream leads',
    },
    'node:fs': {
      places: ['base', 'faces/cli', 'main.ts', 'main_furnish.ts'],
      reason: 'file work has one seam',
    },
    'node:http': {
      places: ['faces/http', 'faces/cli'],
      reason: 'listeners, and the client of the admin socket',
    },
    'node:https': {
      places: ['faces/http', 'faces/cli'],
      reason: 'listeners, and a caller that asks why',
    },
    'node:net': {
      places: [
        'base/address.ts',
        'base/upstream_address.ts',
        'trust/access/address_ranges.ts',
        'faces/http',
        'main_fleet.ts',
        'main_worker.ts',
      ],
      reason:
        'isIP and BlockList: forms of addresses, no sockets; and the pipes between the writer and a worker',
    },
    'node:os': { places: ['base/files.ts'], reason: 'to tell where a write with O_DSYNC reaches the disk' },
    'node:process': {
      places: ['base/run_program.ts', 'base/files_apart_process.ts'],
      reason:
        'to end a program together with those that it has started; and the other end of a process that may hang',
    },
    'node:sqlite': {
      places: ['base/sqlite.ts', 'base/home_lock.ts'],
      reason: 'one way to open a database, with its pragmas; and the lock of the home',
    },
    'node:stream': { places: ['faces/workers'], reason: 'types of the two ends of a channel' },
    'node:path': { places: 'anywhere', reason: 'pure' },
    'node:tls': { places: ['faces/http'], reason: 'certificates of the listeners' },
    'node:timers': { places: 'anywhere', reason: 'to yield in long work' },
    'node:util': { places: 'anywhere', reason: 'pure' },
    'node:zlib': { places: 'anywhere', reason: 'pure' },
  },
  alone: {
    verifier: {
      builtIns: ['node:crypto', 'node:fs', 'node:url', 'node:util'],
      reason: 'who checks Gatehouse must not have to trust any other line of it',
    },
  },
}
