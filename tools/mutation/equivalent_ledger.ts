import type { Equivalent } from './equivalent.ts'

/** As `EQUIVALENT`, of the ledger. */
export const LEDGER_EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'ledger/merkle.ts',
    reason: 'the common bytes spare an allocation; own ones give the same hash',
    changes: ['end <= LEAF.length -> false', 'end <= LEAF.length -> end < LEAF.length'],
  },
  {
    file: 'ledger/commitment.ts',
    reason: 'the common bytes spare an allocation; own ones give the same hash',
    changes: ['most <= MESSAGE.length -> false', 'most <= MESSAGE.length -> most < MESSAGE.length'],
  },
  {
    file: 'ledger/cut.ts',
    reason: 'a list of a few short texts is kept as it is; cut as others are it stays the same',
    changes: [
      'depth < KEPT_DEPTH && isShortList(value) -> false',
      'function isShortList(list: readonly JsonValue[]): boolean { -> {}',
      'list.length <= KEPT_PARTS && -> false',
      'list.length <= KEPT_PARTS -> list.length < KEPT_PARTS',
      'list.length <= KEPT_PARTS -> list.length > KEPT_PARTS',
      "(each) => typeof each === 'string' && each.length <= LIMITS.fieldCharacters -> () => undefined",
      "typeof each === 'string' && each.length <= LIMITS.fieldCharacters -> false",
      '\'string\' -> ""',
      'each.length <= LIMITS.fieldCharacters -> each.length < LIMITS.fieldCharacters',
      'each.length <= LIMITS.fieldCharacters -> each.length > LIMITS.fieldCharacters',
    ],
  },
  {
    file: 'ledger/leaf_check.ts',
    reason: 'what is in order is not written anew to compare; written anew it compares the same',
    changes: [
      'isInOrder(leaf, MOST_DEPTH) && !text.includes(UNREADABLE) && JSON.stringify(leaf) === text -> false',
      'function isInOrder(value: JsonValue | undefined, depth: number): boolean { -> {}',
      "typeof value !== 'object' -> false",
      'true -> false',
      'depth === 0 -> true',
      'depth === 0 -> depth !== 0',
      'isJsonArray(value) -> false',
      '(each) => isInOrder(each, depth - 1) -> () => undefined',
      'before !== undefined && name <= before -> true',
      'before !== undefined && name <= before -> before !== undefined || name <= before',
      'before !== undefined -> true',
      'name <= before -> true',
      'name <= before -> name < before',
      'name <= before -> name > before',
      '!isInOrder(value[name], depth - 1) -> isInOrder(value[name], depth - 1)',
      '!isInOrder(value[name], depth - 1) -> true',
      '\'\\ufffd\' -> ""',
    ],
  },
  {
    file: 'ledger/leaf_check.ts',
    reason: 'two texts of equal bytes are of equal length, and one is no beginning of the other',
    changes: ['canonical.length === bytes.length -> true', 'at < 0 -> false'],
  },
  {
    file: 'ledger/leaf_shape.ts',
    reason: 'shapes are kept to be found again; without that they are made again, or take more memory',
    changes: ['FIRST.next.clear() -> ;'],
  },
  {
    file: 'ledger/leaf.ts',
    reason: 'each field that is cut takes 30 bytes: no 64 of them are longer than a leaf',
    changes: [
      '\'internal.bug\' -> ""',
      "{ error: 'an entry has more fields than a leaf can hold' } -> {}",
      '\'an entry has more fields than a leaf can hold\' -> ""',
    ],
  },
  {
    file: 'ledger/pseudonym.ts',
    reason: 'what was derived is kept; without that it is derived again, or takes more memory',
    changes: [
      'found !== undefined -> false',
      'known.size >= REMEMBERED -> true',
      'known.size >= REMEMBERED -> false',
      'known.size >= REMEMBERED -> known.size > REMEMBERED',
      'known.size >= REMEMBERED -> known.size < REMEMBERED',
      'known.clear() -> ;',
      'known.set(value, made) -> ;',
    ],
  },
  {
    file: 'ledger/sidecar.ts',
    reason: 'keys are kept; without that they are derived again, or take more memory',
    changes: [
      'known !== undefined -> false',
      'this.#segmentKeys.size >= KEPT_KEYS -> true',
      'this.#segmentKeys.size >= KEPT_KEYS -> false',
      'this.#segmentKeys.size >= KEPT_KEYS -> this.#segmentKeys.size > KEPT_KEYS',
      'this.#segmentKeys.size >= KEPT_KEYS -> this.#segmentKeys.size < KEPT_KEYS',
      'this.#segmentKeys.clear() -> ;',
      'this.#segmentKeys.set(info, key) -> ;',
    ],
  },
  {
    file: 'ledger/sidecar.ts',
    reason: 'a text of 64 characters is a hash as a whole or not at all; either check is enough',
    changes: [
      "typeof value === 'string' && value.length === 2 * SHA256_BYTES -> true",
      'value.length === 2 * SHA256_BYTES -> true',
      '/^[0-9a-f]{64}$/ -> /[0-9a-f]{64}$/',
      '/^[0-9a-f]{64}$/ -> /^[0-9a-f]{64}/',
    ],
  },
  {
    file: 'ledger/packing.ts',
    reason:
      'how large the pieces are in which zstd works, and how hard it tries: what comes out reads the same',
    changes: [
      'const LEAVES_ZSTD = { -> {}',
      '{ params, chunkSize: ZSTD_CHUNK_BYTES } -> {}',
      '{ chunkSize: LIMITS.leafBytes } -> {}',
      'maxOutputLength < ZSTD_PIECE_BYTES -> true',
      'maxOutputLength < ZSTD_PIECE_BYTES -> false',
      'maxOutputLength < ZSTD_PIECE_BYTES -> maxOutputLength <= ZSTD_PIECE_BYTES',
      'maxOutputLength < ZSTD_PIECE_BYTES -> maxOutputLength >= ZSTD_PIECE_BYTES',
      '8 * 1_024 * 1_024 -> 8 * 1_024 / 1_024',
      '8 * 1_024 -> 8 / 1_024',
    ],
  },
  {
    file: 'ledger/packing.ts',
    reason: 'memory that is given back at once is else given back later',
    changes: ['release(zipped) -> ;'],
  },
  {
    file: 'ledger/packing.ts',
    reason: 'a function that ends without a return gives undefined',
    changes: ['} catch { -> {}'],
  },
  {
    file: 'ledger/sealed_sidecar.ts',
    reason: 'how hard zstd tries, and when memory is given back: what comes out reads the same',
    changes: ['const RECORDS_ZSTD = { -> {}', 'release(zipped) -> ;'],
  },
  {
    file: 'ledger/held_outside.ts',
    reason: 'a list has nothing at -1, and a function that ends without a return gives undefined',
    changes: ['quorum < 1 -> false', '} catch { -> {}'],
  },
  {
    file: 'ledger/reindex.ts',
    reason: 'what is not there cannot be opened, and the other check finds that',
    changes: ['bytes === undefined -> false'],
  },
  {
    file: 'ledger/tile_check.ts',
    reason: 'behind the end of a list there is nothing to look at',
    changes: ['from < tiles.length -> from <= tiles.length'],
  },
  {
    file: 'ledger/tile_edge.ts',
    reason: 'nobody asks for a row of an empty tree; what is not made of tiles is made of entries',
    changes: ['[] -> ["Stryker was here"]', '\'entries\' -> ""'],
  },
  {
    file: 'ledger/tile_entries.ts',
    reason: 'what is no segment holds no entry',
    changes: ['[] -> ["Stryker was here"]'],
  },
  {
    file: 'ledger/tile_files.ts',
    reason: 'an error without a code is none of those with one',
    changes: ['\'\' -> "Stryker was here!"'],
  },
  {
    file: 'ledger/tiled_log.ts',
    reason: 'the same tree once more is the same edge, in more time',
    changes: ['head.size > this.#edge.size -> head.size >= this.#edge.size'],
  },
  {
    file: 'ledger/verify_log.ts',
    reason: 'memory that is given back at once is else given back later; more turns are given to other work',
    changes: [
      '[records, text] -> []',
      'each !== undefined -> false',
      'release(each) -> ;',
      'this.size % BUNDLE > 0 -> false',
    ],
  },
  {
    file: 'ledger/opened_packs.ts',
    reason:
      'heads and packs are kept up to a bound of memory; fewer are read again, and more take more of it',
    changes: [
      'this.#heads.size >= KEPT_HEADS -> true',
      'this.#heads.size >= KEPT_HEADS -> false',
      'this.#heads.size >= KEPT_HEADS -> this.#heads.size > KEPT_HEADS',
      'this.#heads.clear() -> ;',
    ],
  },
  {
    file: 'ledger/find_open_intents.ts',
    reason: 'entries of other kinds are passed over unread; read they are passed over, too',
    changes: [
      '!bytes.includes(\'"kind":"intent"\') && !bytes.includes(\'"kind":"outcome"\') -> false',
      '\'"kind":"intent"\' -> ""',
      '\'"kind":"outcome"\' -> ""',
    ],
  },
  {
    file: 'ledger/find_open_intents.ts',
    reason: 'how often other work gets a turn',
    changes: [
      'index % LEAVES_AT_ONCE === 0 -> true',
      'index % LEAVES_AT_ONCE === 0 -> false',
      'index % LEAVES_AT_ONCE === 0 -> index % LEAVES_AT_ONCE !== 0',
      'index % LEAVES_AT_ONCE -> index * LEAVES_AT_ONCE',
    ],
  },
  {
    file: 'ledger/changes.ts',
    reason: 'an outcome of a request that changed nothing is passed over unread; read it is passed over, too',
    changes: [
      "changes.size > 0 && isOfKind(bytes, 'outcome') -> true",
      "changes.size > 0 && isOfKind(bytes, 'outcome') -> changes.size > 0 || isOfKind(bytes, 'outcome')",
      'changes.size > 0 -> true',
      'changes.size > 0 -> changes.size >= 0',
    ],
  },
  {
    file: 'ledger/proof.ts',
    reason: 'what the later checks refuse as well: an index outside, an end before the start',
    changes: ['at !== 0 -> true', 'walk.right !== 0 -> true', 'end <= start -> end < start'],
  },
]
