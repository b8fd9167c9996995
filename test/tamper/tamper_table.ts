import fs from 'node:fs'
import path from 'node:path'
import { utf8 } from '#base/bytes.ts'
import { FILE, segmentPath } from '#trust/ledger/layout.ts'
import type { SimulatedFiles } from '../support/simulated_files.ts'
import {
  editBundle,
  editLeaves,
  exportTo,
  forgedCheckpoint,
  forkOf,
  inFolder,
  mendTile,
  rekeyed,
  remade,
  retold,
  rewritten,
  verifyHome,
  verifyOutside,
  type Finding,
  type Scene,
} from './scene.ts'

/** What two programs say of one edit: without anything from outside, and with a checkpoint that was held there. */
export interface TamperRow {
  readonly edit: string
  /** Undefined where the edit does not exist there. */
  readonly home: Sayings | undefined
  readonly exported: Sayings | undefined
}

export interface Sayings {
  readonly alone: Finding
  readonly outside: Finding
}

interface TamperedHome {
  readonly files: SimulatedFiles
  /** The keys of the home that it is checked with, where these are other ones. */
  readonly pem?: string
}

interface Edit {
  readonly name: string
  readonly home?: (scene: Scene) => Promise<TamperedHome> | TamperedHome
  /** Changes an export of the home. */
  readonly exported?: (target: string, scene: Scene) => Promise<void> | void
}

type Leaves = readonly Uint8Array[]

/** Edits of entries by one who knows the formats and makes every checksum right again; in the export with or without tiles. */
function ofEntries(name: string, edit: (leaves: Leaves) => Leaves): Edit[] {
  return [
    {
      name,
      home: (scene) => ({ files: editLeaves(scene, edit) }),
      exported: (target) => editBundle(target, edit),
    },
    {
      name: `${name}, and its hash tile made anew`,
      exported: (target) => {
        editBundle(target, edit)
        mendTile(target)
      },
    },
  ]
}

/** What no door writes, by whoever has all keys of the home and makes everything else right again. */
function ofWriters(name: string, from: string, to: string): Edit {
  const made = async (scene: Scene): Promise<SimulatedFiles> =>
    await remade(scene, (leaf) => rewritten(leaf, from, to))
  return {
    name: `${name}, and all else made anew with the keys of the home`,
    home: async (scene) => ({ files: await made(scene) }),
    exported: async (target, scene) => await exportAnew(await made(scene), target),
  }
}

const EDITS: readonly Edit[] = [
  {
    name: 'a bit of a sealed entry is flipped',
    home: (scene) => ({ files: flipped(scene, segmentPath(scene.folder, 0, 'leaves'), 9_000) }),
    exported: (target) => flipTime(path.join(target, 'tile/entries/000'), 9_000),
  },
  ...ofEntries('an entry says something else', (leaves) => leaves.with(2, retold(leaves[2]))),
  ...ofEntries('an entry is dropped', (leaves) => leaves.toSpliced(2, 1)),
  ...ofEntries('an entry is inserted', (leaves) => leaves.toSpliced(2, 0, retold(leaves[2]))),
  ...ofEntries('two entries are exchanged', (leaves) =>
    leaves.with(2, leaves[3] ?? utf8('')).with(3, leaves[2] ?? utf8('')),
  ),
  ...ofEntries('the last entries are cut off', (leaves) => leaves.slice(0, -2)),
  {
    name: 'two hash tiles are exchanged',
    home: ({ home, folder }) => {
      const files = home.reopen('kept')
      const [one, other] = ['000', '001'].map((name) => `${folder.path}/tile/0/${name}`)
      const [first, second] = [one, other].map((name) => files.all().get(name ?? ''))
      files.tamper(one ?? '', second)
      files.tamper(other ?? '', first)
      return { files }
    },
    exported: (target) => {
      const [one = '', other = ''] = ['000', '001'].map((name) => path.join(target, 'tile/0', name))
      const [first, second] = [fs.readFileSync(one), fs.readFileSync(other)]
      fs.writeFileSync(one, second)
      fs.writeFileSync(other, first)
    },
  },
  {
    name: 'the checkpoint states another tree, under its old signature',
    home: async (scene) => ({ files: withCheckpoint(scene, await forgedCheckpoint(scene)) }),
    exported: async (target, scene) => writeCheckpoint(target, await forgedCheckpoint(scene)),
  },
  {
    name: 'an older checkpoint of the log is put back, and nothing else',
    home: (scene) => ({ files: withCheckpoint(scene, checkpointOf(scene.older, scene)) }),
    exported: (target, scene) => writeCheckpoint(target, checkpointOf(scene.older, scene)),
  },
  {
    name: 'the key in the ledger folder is exchanged, and the checkpoint signed with it',
    home: async (scene) => ({ files: (await rekeyed(scene)).files }),
    exported: async (target, scene) => await exportAnew((await rekeyed(scene)).files, target),
  },
  {
    name: 'all keys of the home are exchanged, and the checkpoint signed with the new one',
    home: rekeyed,
    exported: async (target, scene) => await exportAnew((await rekeyed(scene)).files, target),
  },
  ofWriters('an entry is not canonical: a space', '"at":', '"at": '),
  ofWriters('an entry is not canonical: a name twice', '"kid":', '"kid":"kid","kid":'),
  ofWriters('an entry has an unknown field', '"v":1', '"v":1,"vow":1'),
  ofWriters('an entry has a field of another type', '"policies":["space-default-models"]', '"policies":1'),
  {
    name: 'a sidecar is edited',
    home: (scene) => ({ files: flipped(scene, segmentPath(scene.folder, 0, 'sidecar'), 500) }),
  },
  {
    name: 'the whole home is rolled back to an older copy',
    home: ({ older }) => ({ files: older.reopen('kept') }),
    exported: async (target, { older }) => await exportAnew(older, target),
  },
  {
    name: 'the log is forked from an older copy, with its own key',
    home: async (scene) => ({ files: await forkOf(scene) }),
    exported: async (target, scene) => await exportAnew(await forkOf(scene), target),
  },
]

/** Every edit in the table, tried on both verifiers. */
export async function tamperRows(scene: Scene): Promise<readonly TamperRow[]> {
  const rows: TamperRow[] = []
  for (const { name, home, exported } of EDITS)
    rows.push({
      edit: name,
      home: home && (await tryHome(scene, home)),
      exported: exported && (await tryExport(scene, exported)),
    })
  rows.push(await receiptRow(scene))
  return rows
}

async function tryHome(scene: Scene, edit: NonNullable<Edit['home']>): Promise<Sayings> {
  const { files, pem } = await edit(scene)
  const alone = await verifyHome(files, undefined, pem)
  const outside = await verifyHome(files, scene.outside, pem)
  return { alone: plain(alone, scene), outside: plain(outside, scene) }
}

async function tryExport(scene: Scene, edit: NonNullable<Edit['exported']>): Promise<Sayings> {
  return await inFolder(async (folder) => {
    const target = path.join(folder, 'log')
    const held = path.join(folder, 'held')
    fs.writeFileSync(held, scene.outside)
    await exportTo(scene.home, target)
    await edit(target, scene)
    const alone = verifyOutside(['log', target], scene.key)
    const outside = verifyOutside(['log', target, '--against', held], scene.key)
    return { alone: plain(alone, scene, folder), outside: plain(outside, scene, folder) }
  })
}

/** What a caller holds is checked against its own entry alone. */
async function receiptRow(scene: Scene): Promise<TamperRow> {
  const said = await inFolder((folder) => {
    const file = path.join(folder, 'receipt')
    fs.writeFileSync(file, scene.receipt.replace('"value":"10.0.3.3"', '"value":"10.0.3.4"'))
    return plain(verifyOutside(['receipt', file], scene.key), scene, folder)
  })
  return {
    edit: 'a disclosed value in a receipt is edited',
    home: undefined,
    exported: { alone: said, outside: said },
  }
}

/** Without what is another in each run: folders, the name of the log, ids of keys. */
function plain(finding: Finding, { folder }: Scene, target = '/none'): Finding {
  return finding
    ?.replaceAll(`${folder.path}/`, '')
    .replaceAll(`${folder.path} `, '')
    .replaceAll(`${target}/`, '')
    .replaceAll(folder.origin, 'ORIGIN')
    .replaceAll(/key [0-9a-f]{8}/g, 'key ID')
}

function flipped({ home }: Scene, name: string, at: number): SimulatedFiles {
  const files = home.reopen('kept')
  const bytes = Uint8Array.from(files.all().get(name) ?? utf8(''))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  files.tamper(name, bytes)
  return files
}

/** A bit in the second digit of the first time behind that place: what is changed is an entry still, as it would not be anywhere. */
function flipTime(file: string, from: number): void {
  const bytes = fs.readFileSync(file)
  const digit = bytes.indexOf('"at":', from) + '"at":1'.length
  bytes[digit] = (bytes[digit] ?? 0) ^ 1
  fs.writeFileSync(file, bytes)
}

function checkpointOf(files: SimulatedFiles, { folder }: Scene): string {
  return Buffer.from(files.all().get(`${folder.path}/${FILE.checkpoint}`) ?? '').toString('utf8')
}

function withCheckpoint({ home, folder }: Scene, note: string): SimulatedFiles {
  const files = home.reopen('kept')
  files.tamper(`${folder.path}/${FILE.checkpoint}`, utf8(note))
  return files
}

function writeCheckpoint(target: string, note: string): void {
  fs.writeFileSync(path.join(target, 'checkpoint'), note)
}

async function exportAnew(files: SimulatedFiles, target: string): Promise<void> {
  fs.rmSync(target, { recursive: true })
  await exportTo(files, target)
}
