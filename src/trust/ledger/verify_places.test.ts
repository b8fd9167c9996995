import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import { ed25519PublicBytes, newEd25519Pem, sha256 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  PUBLIC_KEYS,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { signCheckpoint } from './checkpoint.ts'
import { FRAME_BYTES } from './frame.ts'
import type { LogKey } from './log_keys.ts'
import { noteSigner, noteVerifier, printVerifierKey } from './note.ts'
import { encodeGroup, encodeHead, groupPlace, scanSegment, type Group } from './raw_segment.ts'
import { closeSegmentSidecar, openSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { encodeRecord, SidecarBox } from './sidecar.ts'
import { parsePackedHead } from './packing.ts'
import { verifyLedger } from './verify.ts'

const RAW = '000000000256.raw'
const LEAVES = '000000000000.leaves'
const SIDECAR = '000000000000.sidecar'

interface Home {
  readonly files: SimulatedFiles
  /** Path of a file of the log. */
  readonly at: (name: string) => string
  readonly origin: string
  /** One checkpoint at 256 entries, then one behind each group of two. */
  readonly checkpoints: readonly string[]
}

async function writtenHome(): Promise<Home> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  const note = (each: number) => draft('note', { what: `note ${each}`, asked: `secret ${each}` })
  await Promise.all(Array.from({ length: 256 }, async (_, each) => await ledger.append(note(each))))
  const checkpoints = [await ledger.checkpoint()]
  await ledger.settled()
  for (let group = 0; group < 3; group++) {
    await Promise.all([0, 1].map(async (each) => await ledger.append(intent(group * 2 + each))))
    checkpoints.push(await ledger.checkpoint())
  }
  await ledger.close()
  files.judge = () => 'go'
  const { path, origin } = await newestFolder(files)
  return { files, at: (name) => `${path}/${name}`, origin, checkpoints }
}

const HOME = await writtenHome()
const BOX = new SidecarBox(KEYS.sidecarKey, HOME.origin)

function bytesOf(name: string): Buffer {
  return Buffer.from(HOME.files.all().get(HOME.at(name)) ?? assert.fail(name))
}

const GROUPS = scanSegment(bytesOf(RAW))?.groups ?? assert.fail()
const [FIRST = assert.fail(), SECOND = assert.fail(), LAST = assert.fail()] = GROUPS

function flipped(name: string, at: number): Buffer {
  const bytes = bytesOf(name)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

/** The active segment with these groups, made right again. */
function rawOf(
  groups: readonly Pick<Group, 'first' | 'leaves' | 'sealed'>[],
  origin = HOME.origin,
  first = 256,
): Buffer {
  const frames = groups.map((each) => encodeGroup(each.first, each.leaves, each.sealed))
  return Buffer.from(concat(encodeHead(origin, first), ...frames))
}

/** The secrets of the second group exchanged by someone who has the key. */
function withOtherSecrets(): Buffer {
  const plain = BOX.open(SECOND.sealed, groupPlace(256, SECOND)) ?? assert.fail()
  const half = plain.length / 2
  const swapped = concat(plain.subarray(half), plain.subarray(0, half))
  const sealed = BOX.close(swapped, groupPlace(256, SECOND))
  return rawOf([FIRST, { ...SECOND, sealed }, LAST])
}

async function sidecarWith(more: number): Promise<Uint8Array> {
  const { tiles } = parsePackedHead(bytesOf(LEAVES)) ?? assert.fail()
  const place = segmentPlace(0, 256, tiles)
  const records = (await openSegmentSidecar(BOX, place, bytesOf(SIDECAR))) ?? assert.fail()
  const kept = more < 0 ? records.slice(0, more) : [...records, ...records.slice(0, more)]
  return await closeSegmentSidecar(BOX, place, concat(...kept.map(encodeRecord)))
}

/** A packed file with another time in its head, and its digest made right again. */
function atAnotherTime(): Uint8Array {
  const body = Buffer.from(bytesOf(LEAVES).subarray(0, -32))
  body.writeUIntBE(7, 14, 6)
  return concat(body, sha256(body))
}

/** Where the frame behind the leaves of the last group starts. */
const GROUP_FRAME = LAST.end - LAST.sealed.length - 10 - FRAME_BYTES
const OTHERS =
  'LOG entries 256 to 261: not the entries that the checkpoint covers: changed, dropped, added or reordered'
const UNSIGNED = 'checkpoint: missing, damaged or not signed by the key of the log'
const LINES = (HOME.checkpoints.at(-1) ?? '').split('\n')

/** In the order in which they are found; LOG stands for the folder of the log. */
const HARMS: readonly [why: string, name: string, bytes: Uint8Array | undefined, found: readonly string[]][] =
  [
    ['nothing is wrong', RAW, bytesOf(RAW), []],
    [
      'the last group is torn',
      RAW,
      bytesOf(RAW).subarray(0, LAST.end - 3),
      [`${RAW} entry 260: what stands at byte ${GROUP_FRAME} and behind is damaged or was never finished`],
    ],
    [
      'a leaf of the first group is changed',
      RAW,
      flipped(RAW, FIRST.start + 20),
      [`${RAW} entry 256: damaged at byte ${FIRST.start}`],
    ],
    [
      'the head of the active segment is changed',
      RAW,
      flipped(RAW, 30),
      [`${RAW}: the head of the segment is damaged`],
    ],
    [
      'the active segment is of another log',
      RAW,
      rawOf(GROUPS, 'gatehouse.local/other'),
      [`${RAW}: the head of the segment is damaged`],
    ],
    [
      'the active segment says another start',
      RAW,
      rawOf(GROUPS, HOME.origin, 257),
      [`${RAW}: the head of the segment is damaged`],
    ],
    ['the active segment is gone', RAW, undefined, ['the last segment: the active segment is missing']],
    [
      'entries are missing before a segment',
      '000000000512.raw',
      rawOf([], HOME.origin, 512),
      ['000000000512.raw: entries from 262 on are missing or doubled'],
    ],
    [
      'the last group is gone',
      RAW,
      rawOf([FIRST, SECOND]),
      ['LOG entry 260: truncated: the checkpoint covers 262 entries, 260 are here'],
    ],
    [
      'an entry is doubled',
      RAW,
      rawOf([
        FIRST,
        SECOND,
        { ...LAST, leaves: [LAST.leaves[0], LAST.leaves[0]].map((each) => each ?? assert.fail()) },
      ]),
      [`${RAW} entries 260 to 261: the sidecar does not open for these entries`, OTHERS],
    ],
    [
      'secrets of one group are exchanged',
      RAW,
      withOtherSecrets(),
      [258, 259].map((at) => `${RAW} entry ${at}: the sidecar does not match the commitments`),
    ],
    ['the leaves are gone', LEAVES, undefined, [`${LEAVES}: missing`]],
    [
      'the digest of the leaves is changed',
      LEAVES,
      flipped(LEAVES, bytesOf(LEAVES).length - 1),
      [`${LEAVES}: the file was changed: its SHA-256 differs`],
    ],
    [
      'the head of the leaves is changed',
      LEAVES,
      flipped(LEAVES, 3),
      [
        `${LEAVES}: the file was changed: its SHA-256 differs`,
        `${LEAVES}: the head of the segment is damaged`,
      ],
    ],
    [
      'the time in the head is another',
      LEAVES,
      atAnotherTime(),
      [`${LEAVES}: the time in the head is not that of the first entry`],
    ],
    ['the sidecar is gone', SIDECAR, undefined, [`${SIDECAR}: missing`]],
    [
      'a byte of the sidecar is changed',
      SIDECAR,
      flipped(SIDECAR, 100),
      [`${SIDECAR}: the file was changed`],
    ],
    [
      'a record is missing in the sidecar',
      SIDECAR,
      await sidecarWith(-1),
      [`${SIDECAR}: it does not open with the key for these entries`],
    ],
    [
      'the sidecar has a record too many',
      SIDECAR,
      await sidecarWith(1),
      [`${SIDECAR}: it does not open with the key for these entries`],
    ],
    ['the checkpoint is gone', 'checkpoint', undefined, [UNSIGNED]],
    [
      'the checkpoint has lost the line of ML-DSA-44',
      'checkpoint',
      utf8([...LINES.slice(0, 5), ''].join('\n')),
      ['checkpoint: not signed by the key KEY of the log'],
    ],
    ['the names of the keys are gone', 'origin', undefined, ['origin: missing, damaged or of another log']],
    ['a stray file', 'x', utf8(''), ['x: not a file of the ledger']],
    ['a checkpoint of somebody else', 'checkpoint', utf8('x'), [UNSIGNED]],
  ]

test('verifyLedger goes on where a file stands in the place of a log: and names it', async () => {
  const files = HOME.files.reopen('kept')
  const place = `${LEDGER}/0002-AAAAAAAAAAAAAAAA`
  files.tamper(place, utf8('x'))
  const { problems, entries } = await verifyLedger({
    files,
    directory: LEDGER,
    keys: { logKeys: PUBLIC_KEYS },
  })
  assert.deepEqual(problems.at(-1), { place, what: 'not a folder of a ledger' })
  assert.ok(problems.every((each) => each.place.startsWith(place)))
  assert.ok(entries > 0, 'the log before it was read')
})

const NEW_KEY = { ed25519: ed25519PublicBytes(newEd25519Pem()), mlDsa44: undefined, hasEnded: false }
const REPLACED = PUBLIC_KEYS.map((key) => ({ ...key, hasEnded: true }))
const STRANGER = { ...NEW_KEY, ed25519: ed25519PublicBytes(newEd25519Pem()) }

const KEYS_CHANGED: readonly (readonly [
  why: string,
  logKeys: readonly LogKey[],
  found: readonly RegExp[],
])[] = [
  ['replaced, and not started since', [NEW_KEY, ...REPLACED], [/^checkpoint: .* replaced.*start the door/]],
  [
    'exchanged for those of somebody else',
    [STRANGER],
    [
      /^origin: not the key of this home$/,
      /^checkpoint: missing, damaged or not signed by the key of the log$/,
    ],
  ],
]

for (const [why, logKeys, found] of KEYS_CHANGED)
  test(`verifyLedger tells what to do from what was done to it: its keys were ${why}`, async () => {
    const files = HOME.files.reopen('kept')
    const report = await verifyLedger({ files, directory: LEDGER, keys: { logKeys } })
    assert.equal(report.ok, false)
    const problems = report.problems.map(({ place, what }) => `${place.split('/').at(-1)}: ${what}`)
    assert.equal(problems.length, found.length, problems.join('\n'))
    for (const [at, each] of found.entries()) assert.match(problems[at] ?? '', each)
  })

test('verifyLedger accuses where keys that have ended signed alone: the folder names one that signed since', async () => {
  const files = HOME.files.reopen('kept')
  const named = files.all().get(HOME.at('origin')) ?? assert.fail()
  const verifier = printVerifierKey(noteVerifier(HOME.origin, NEW_KEY.ed25519))
  files.tamper(HOME.at('origin'), concat(utf8(`${verifier}\n`), named))
  const logKeys = [NEW_KEY, ...REPLACED]
  const { problems } = await verifyLedger({ files, directory: LEDGER, keys: { logKeys } })
  assert.deepEqual(problems, [
    { place: HOME.at('checkpoint'), what: 'signed only by keys of the log that have ended' },
  ])
})

test('verifyLedger compares the entries with a checkpoint of keys that were replaced', async () => {
  const files = HOME.files.reopen('kept')
  files.tamper(HOME.at(RAW), encodeHead(HOME.origin, 256))
  const { problems } = await verifyLedger({
    files,
    directory: LEDGER,
    keys: { logKeys: [NEW_KEY, ...REPLACED] },
  })
  assert.ok(
    problems.some(({ what }) => what.startsWith('truncated')),
    JSON.stringify(problems),
  )
})

for (const [why, name, bytes, found] of HARMS)
  test(`verifyLedger says where and what: ${why}`, async () => {
    const files = HOME.files.reopen('kept')
    files.tamper(HOME.at(name), bytes)
    assert.deepEqual(await problemsOf(files), found)
  })

/** The other harms are in what is not read to open a ledger: it opens, and verification is what finds them. */
const REFUSED: Readonly<Record<string, readonly [place: string, what: string]>> = {
  'the last group is torn': ['LOG entry 260', 'truncated: the checkpoint covers 262 entries, 260 are here'],
  'a leaf of the first group is changed': [`${RAW} entry 256`, `damaged at byte ${FIRST.start}`],
  'the head of the active segment is changed': [RAW, 'the head of the segment is damaged'],
  'the active segment is of another log': [RAW, 'the head of the segment is damaged'],
  'the active segment says another start': [RAW, 'the head of the segment is damaged'],
  'the active segment is gone': ['LOG', 'the active segment is missing'],
  'entries are missing before a segment': ['000000000512.raw', 'entries from 262 on are missing or doubled'],
  'the last group is gone': ['LOG entry 260', 'truncated: the checkpoint covers 262 entries, 260 are here'],
  'an entry is doubled': ['LOG entries 0 to 261', 'not the entries that the checkpoint covers'],
  'the leaves are gone': [LEAVES, 'missing'],
  'the head of the leaves is changed': [LEAVES, 'the head of the segment is damaged'],
  'the sidecar is gone': [SIDECAR, 'missing'],
  'the checkpoint is gone': ['checkpoint', 'missing, damaged or not signed by the key of the log'],
  'a checkpoint of somebody else': ['checkpoint', 'missing, damaged or not signed by the key of the log'],
  'the names of the keys are gone': ['origin', 'missing or damaged'],
}

for (const [why, name, bytes] of HARMS)
  test(`openLedger ${REFUSED[why] === undefined ? 'opens' : 'says where and what'}: ${why}`, async () => {
    const files = HOME.files.reopen('kept')
    files.tamper(HOME.at(name), bytes)
    const refusal: unknown = await openOn(files, { segmentBytes: 10_000 }).then(
      async (ledger) => {
        await ledger.close()
        return undefined
      },
      (thrown: unknown) => thrown,
    )
    assert.ok(refusal === undefined || refusal instanceof Fault)
    const detail = refusal?.detail
    assert.deepEqual(detail && [detail['place'], detail['what']].map(shown), REFUSED[why])
  })

function shown(text: unknown): string {
  return String(text).replaceAll(HOME.at(''), '').replaceAll(HOME.at('').slice(0, -1), 'LOG')
}

async function problemsOf(files: SimulatedFiles, against?: string): Promise<readonly string[]> {
  const keys = { logKeys: PUBLIC_KEYS, sidecarKey: KEYS.sidecarKey }
  const { problems, isWhole, ok } = await verifyLedger({ files, directory: LEDGER, keys, against })
  assert.deepEqual([isWhole, ok], problems.length === 0 ? [true, true] : [false, false])
  return problems.map(({ place, what }) => shown(`${place}: ${what}`).replace(/key [0-9a-f]{8}/, 'key KEY'))
}

const NEWEST = HOME.checkpoints.at(-1) ?? ''

test('verifyLedger says where and what: the home is older than the checkpoint held outside', async () => {
  const files = HOME.files.reopen('kept')
  files.tamper(HOME.at('checkpoint'), utf8(HOME.checkpoints[2] ?? ''))
  assert.deepEqual(await problemsOf(files), [], 'not to be known without it')
  assert.deepEqual(await problemsOf(files, NEWEST), [
    'checkpoint: put back: it covers 260 entries, the checkpoint held outside 262',
  ])
  files.tamper(HOME.at(RAW), rawOf([FIRST, SECOND]))
  assert.deepEqual(await problemsOf(files, NEWEST), [
    'LOG entry 260: rolled back: the checkpoint held outside covers 262 entries, 260 are here',
  ])
  assert.deepEqual(await problemsOf(files, HOME.checkpoints[2]), [])
})

test('verifyLedger says where and what: the log was forked from one that is held outside', async () => {
  const [left, right] = await Promise.all(
    ['one', 'another'].map(async (what) => {
      const files = HOME.files.reopen('kept')
      const ledger = await openOn(files, { segmentBytes: 1e9 })
      await ledger.append(draft('note', { what }))
      const checkpoint = await ledger.checkpoint()
      await ledger.close()
      return { files, checkpoint }
    }),
  )
  if (left === undefined || right === undefined) assert.fail()
  assert.deepEqual(await problemsOf(left.files, left.checkpoint), [])
  assert.deepEqual(await problemsOf(left.files, right.checkpoint), [
    'LOG entries 0 to 262: forked: the checkpoint held outside covers other entries',
  ])
})

test('verifyLedger takes no word of a log but its own: of a checkpoint with its name and another key', async () => {
  const head = { origin: HOME.origin, size: 262, root: new Uint8Array(32) }
  const note = await signCheckpoint(head, [noteSigner(HOME.origin, newEd25519Pem())], 0)
  assert.deepEqual(await problemsOf(HOME.files, note), [
    'the checkpoint held outside: not signed by the key of the log',
  ])
})

test('verifyLedger says how many entries came after the furthest of those held outside: across logs', async () => {
  const { files: old } = HOME
  const files = old.reopen('kept')
  const restored = { origin: HOME.origin, size: 262, root: new Uint8Array(32) }
  const ledger = await openOn(files, { segmentBytes: 10_000, restored })
  await ledger.append(intent(1))
  const newest = await ledger.checkpoint()
  await ledger.append(intent(2))
  await ledger.append(intent(3))
  await ledger.close()
  const since = async (...notes: readonly string[]): Promise<readonly unknown[]> => {
    const held = notes.map((note, at) => ({ place: `place ${at}`, note }))
    const { problems, sinceOutside, agreeing, statement } = await verifyLedger({
      files,
      directory: LEDGER,
      held,
    })
    assert.deepEqual(problems, [])
    assert.match(statement, /; the home was restored from a copy, and what followed it is not known here$/)
    return [sinceOutside, agreeing]
  }
  const [first = '', , third = ''] = HOME.checkpoints
  assert.deepEqual(await since(), [266, []])
  assert.deepEqual(await since(first), [10, ['place 0']])
  assert.deepEqual(await since(first, third), [6, ['place 0', 'place 1']])
  assert.deepEqual(await since(newest, first), [2, ['place 1', 'place 0']])
  assert.deepEqual(await since('nothing'), [266, []])
})

test('verifyLedger compares no more of a log that could not be read whole: that is reported, and nothing else known', async () => {
  const files = HOME.files.reopen('kept')
  files.tamper(HOME.at(RAW), flipped(RAW, LAST.start + 20))
  assert.equal((await problemsOf(files, NEWEST)).length, 1)
})

test('verifyLedger takes another log for what it is: the one before it is missing', async () => {
  const files = HOME.files.reopen('kept')
  const renamed = HOME.at('').replace('/0001-', '/0002-')
  await files.makeDirectory(renamed.slice(0, -1))
  for (const [name, bytes] of HOME.files.all()) {
    if (!name.startsWith(HOME.at(''))) continue
    files.tamper(name.replace(HOME.at(''), renamed), bytes)
    files.tamper(name, undefined)
  }
  await files.removeDirectory(HOME.at('tile/0')).catch(() => undefined)
  await files.removeDirectory(HOME.at('tile')).catch(() => undefined)
  await files.removeDirectory(HOME.at('').slice(0, -1))
  assert.deepEqual(await problemsOf(files), [
    `${renamed.slice(0, -1)}: the log before it is missing or doubled`,
  ])
})

test('verifyLedger reports a hundred problems at most: more are the same damage seen again', async () => {
  const files = HOME.files.reopen('kept')
  for (let at = 0; at < 120; at++) files.tamper(HOME.at(`x${at}`), utf8(''))
  assert.equal((await problemsOf(files)).length, 100)
})
