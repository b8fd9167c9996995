import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { checkExportTarget } from './export_target.ts'

type Scene = (target: string, home: string) => Promise<string> | string

const SCENES: readonly (readonly [why: string, scene: Scene, isFit: boolean])[] = [
  ['a folder that is not there', (target) => path.join(target, 'new'), true],
  ['an export', (target) => target, true],
  [
    'a link to an export',
    async (target) => {
      await symlink(target, `${target}-link`)
      return `${target}-link`
    },
    true,
  ],
  [
    'a link in it to a folder elsewhere',
    async (target, home) => {
      await symlink(home, path.join(target, 'tile/1'))
      return target
    },
    false,
  ],
  [
    'a link in it in the place of a tile',
    async (target) => {
      await symlink('000', path.join(target, 'tile/0/001'))
      return target
    },
    false,
  ],
  [
    'a link in the place of all tiles',
    async (target, home) => {
      await rm(path.join(target, 'tile'), { recursive: true })
      await symlink(home, path.join(target, 'tile'))
      return target
    },
    false,
  ],
  ['the ledger', (_, home) => path.join(home, 'ledger'), false],
  ['a new folder in the ledger', (_, home) => path.join(home, 'ledger/0002-AAAAAAAAAAAAAAAA'), false],
  [
    'a new folder behind a link to the ledger',
    async (target, home) => {
      await symlink(path.join(home, 'ledger'), `${target}-link`)
      return path.join(`${target}-link`, 'new')
    },
    false,
  ],
  ['a new folder among the keys: no door would start', (_, home) => path.join(home, 'keys/log'), false],
  ['a folder beside the ledger', (_, home) => path.join(home, 'ledger-export'), true],
]

test('checkExportTarget refuses the ledger of a home that is named by a link to it', async () => {
  const base = await mkdtemp(path.join(tmpdir(), 'gatehouse-export-'))
  try {
    await mkdir(path.join(base, 'home/ledger'), { recursive: true })
    await symlink(path.join(base, 'home'), path.join(base, 'link'))
    const check = checkExportTarget(path.join(base, 'link'), path.join(base, 'home/ledger/new'))
    await assert.rejects(check, { code: 'export.foreign' })
  } finally {
    await rm(base, { recursive: true })
  }
})

for (const [why, scene, isFit] of SCENES)
  test(`checkExportTarget ${isFit ? 'takes' : 'refuses'}: ${why}`, async () => {
    const base = await mkdtemp(path.join(tmpdir(), 'gatehouse-export-'))
    const [target, home] = [path.join(base, 'mirror'), path.join(base, 'home')]
    try {
      await mkdir(path.join(target, 'tile/0'), { recursive: true })
      await writeFile(path.join(target, 'tile/0/000'), 'x')
      await mkdir(path.join(home, 'ledger'), { recursive: true })
      const check = checkExportTarget(home, await scene(target, home))
      if (isFit) await check
      else await assert.rejects(check, { code: 'export.foreign' })
    } finally {
      await rm(base, { recursive: true })
    }
  })
