/** Some files of a folder, with the tests beside them, that one run can mutate in its time. */
export interface Piece {
  readonly name: string
  readonly folder: string
  /** Names of its files without `.ts`; the test beside each is among its tests. */
  readonly only: readonly string[]
  readonly alsoTests: readonly string[]
  readonly leftOut: readonly string[]
}

const FOLDER = 'src/trust/ledger'

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '))
}

function besideOther(...names: readonly string[]): readonly string[] {
  return names.map((name) => `${FOLDER}/${name}.test.ts`)
}

/** Files of the ledger that are in no piece, and why. */
export const IN_NO_PIECE: Readonly<Record<string, string>> = {
  'ledger_crash.test.ts': 'stops the machine at every step of a life, which takes seconds',
  'checkpoints_crash.test.ts': 'stops the machine at every step of a life, which takes seconds',
  'size.test.ts': 'weighs thousands of entries, which takes seconds',
}

/**
 * The ledger, in pieces. Its tests of crashes are in none, nor is what takes seconds: a mutant that survives costs all
 * the tests that come by it.
 */
export const LEDGER_PIECES: readonly Piece[] = [
  {
    name: 'ledger-proofs',
    folder: FOLDER,
    only: words(
      'checkpoint cosignature log_keys merkle note proof receipt receipt_maker succession tile_path',
      'tlog_proof',
    ),
    alsoTests: [],
    leftOut: [],
  },
  {
    name: 'ledger-entries',
    folder: FOLDER,
    only: words(
      'bundle class_table commitment cut frame id_filter later_drafts leaf leaf_check leaf_shape',
      'packed_text packing place_of pseudonym raw_segment sealed_sidecar secrets_in_order',
      'secrets_match seeds sidecar usual_leaf',
    ),
    alsoTests: [],
    leftOut: ['any changed byte, with the digest made right or not'],
  },
  {
    name: 'ledger-tiles',
    folder: FOLDER,
    only: words(
      'exported_tile last_used reindex tile_bundles tile_check tile_edge tile_entries tile_export',
      'tile_files tile_mender tile_raw_tail tile_rows tiled_log tiled_logs',
    ),
    alsoTests: besideOther('receipt_maker', 'load_tiles'),
    leftOut: [
      'the machine stops at any step',
      'any step ends with',
      'at the edges of tiles: three levels',
      'at most five of them',
      'tile makes what is wrong on disk anew from the entries',
    ],
  },
  {
    name: 'ledger-writing',
    folder: FOLDER,
    only: words('active_segment checkpointer entry_queue group_commit ledger lost_entries'),
    alsoTests: besideOther(
      'anchor_copier',
      'anchor_file',
      'held_outside',
      'later_drafts',
      'ledger_refusals',
      'log_keys',
      'open',
    ),
    leftOut: ['and waits no longer'],
  },
  {
    name: 'ledger-sealing',
    folder: FOLDER,
    only: words('compact pack_segment seal sealer space'),
    alsoTests: besideOther('ledger'),
    leftOut: ['whatever step a crash comes at'],
  },
  {
    name: 'ledger-opening',
    folder: FOLDER,
    only: words('layout load open origin state'),
    alsoTests: besideOther('known_heads', 'ledger', 'load_tiles', 'log_keys', 'sealer', 'verify_places'),
    leftOut: ['rotated a hundred times', 'though the ledger opens'],
  },
  {
    name: 'ledger-reading',
    folder: FOLDER,
    only: words(
      'changes entries_since entry_finder find_open_intents open_intents opened_packs raw_index',
      'read search_queue segment_reader shred sweeper',
    ),
    alsoTests: [],
    leftOut: ['whatever step a crash comes at'],
  },
  {
    name: 'ledger-verify',
    folder: FOLDER,
    only: words(
      'anchor_copier anchor_file anchor_places contradiction held_outside known_heads older_ends verify',
      'verify_held verify_log',
    ),
    alsoTests: besideOther('log_keys', 'open', 'tile_check', 'verify_forms', 'verify_places'),
    leftOut: ['in every file, spread over all of it', 'and waits no longer'],
  },
]
