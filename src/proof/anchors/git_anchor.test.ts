import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { randomBytes } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { BYTES } from '#base/limits.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import { AnchorFailure, type AnchorTarget } from './anchor_keeper.ts'
import { gitAnchor, type GitAnchorParts } from './git_anchor.ts'

function signed(size: number): SignedHead {
  const head = { origin: 'gatehouse.local/AAAABBBBCCCCDDDD', size, root: Buffer.alloc(32, size) }
  return { head, text: `checkpoint of ${size}\n` }
}

function gitHere(): boolean {
  try {
    execFileSync('git', ['--version'])
    return true
  } catch {
    return false
  }
}

const NO_GIT = gitHere() ? false : 'git is not on this machine'

interface Repository {
  readonly folder: string
  git(...args: readonly string[]): string
  anchor(more?: Partial<GitAnchorParts>): AnchorTarget
}

function repository(t: TestContext): Repository {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-anchor-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const bare = path.join(folder, 'remote.git')
  execFileSync('git', ['init', '--quiet', '--bare', bare])
  return {
    folder,
    git: (...args) => execFileSync('git', ['--git-dir', bare, ...args], { encoding: 'utf8' }),
    anchor: (more = {}) =>
      gitAnchor({
        repository: bare,
        branch: 'checkpoints',
        path: 'logs/gatehouse',
        directory: path.join(folder, 'own'),
        files: NODE_FILES,
        env: { PATH: process.env['PATH'], HOME: folder, GIT_DIR: '/nowhere', GIT_WORK_TREE: '/nowhere' },
        timeoutMs: 30_000,
        headOf: (text) => {
          const [, size] = /^checkpoint of (\d+)\n$/.exec(text) ?? []
          return size === undefined ? undefined : signed(Number(size)).head
        },
        ...more,
      }),
  }
}

test(
  'gitAnchor adds a commit for each checkpoint, and leaves what else is there',
  { skip: NO_GIT },
  async (t) => {
    const { git, anchor, folder } = repository(t)
    const target = anchor()
    await target.put(signed(3))
    // Somebody else commits to the same branch.
    const work = path.join(folder, 'work')
    execFileSync('git', [
      'clone',
      '--quiet',
      '--branch',
      'checkpoints',
      path.join(folder, 'remote.git'),
      work,
    ])
    fs.writeFileSync(path.join(work, 'README'), 'ours\n')
    const inWork = (...args: string[]): unknown =>
      execFileSync('git', ['-C', work, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args])
    inWork('add', 'README')
    inWork('commit', '--quiet', '-m', 'a page')
    inWork('push', '--quiet')
    await target.put(signed(12))
    assert.equal(git('show', 'checkpoints:logs/gatehouse'), 'checkpoint of 12\n')
    assert.equal(git('show', 'checkpoints:README'), 'ours\n')
    assert.equal(git('show', 'checkpoints~2:logs/gatehouse'), 'checkpoint of 3\n')
    assert.match(
      git('log', '-1', '--format=%an %s', 'checkpoints'),
      /^Gatehouse gatehouse\.local\/\w+: 12 entries\n$/,
    )
    assert.equal(git('rev-list', '--count', 'checkpoints').trim(), '3')
  },
)

test(
  'gitAnchor runs no hook: neither those of its own folder nor of the machine',
  { skip: NO_GIT },
  async (t) => {
    const { anchor, folder } = repository(t)
    const hooks = path.join(folder, 'hooks')
    const marker = path.join(folder, 'ran')
    fs.mkdirSync(path.join(folder, 'own', 'hooks'), { recursive: true })
    fs.mkdirSync(hooks)
    for (const place of [hooks, path.join(folder, 'own', 'hooks')])
      for (const name of ['pre-push', 'reference-transaction', 'post-index-change', 'fsmonitor-watchman'])
        fs.writeFileSync(path.join(place, name), `#!/bin/sh\npwd >> ${marker}\n`, { mode: 0o755 })
    fs.writeFileSync(path.join(folder, '.gitconfig'), `[core]\n\thooksPath = ${hooks}\n`)
    await anchor().put(signed(1))
    assert.equal(fs.existsSync(marker), false)
  },
)

test(
  'gitAnchor runs nothing of a repository that is a folder: whoever may write there must not come in here',
  { skip: NO_GIT },
  async (t) => {
    const { anchor, folder, git } = repository(t)
    const target = anchor()
    await target.put(signed(1))
    const bare = path.join(folder, 'remote.git')
    const marker = path.join(folder, 'ran')
    const script = path.join(folder, 'script')
    fs.writeFileSync(script, `#!/bin/sh\necho "$0" >> ${marker}\ncat > /dev/null\n`, { mode: 0o755 })
    for (const name of ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction'])
      fs.copyFileSync(script, path.join(bare, 'hooks', name))
    // Others that a configuration of a repository can name.
    execFileSync('git', ['init', '--quiet', '--bare', path.join(folder, 'other.git')])
    fs.writeFileSync(
      path.join(bare, 'objects', 'info', 'alternates'),
      `${path.join(folder, 'other.git', 'objects')}\n`,
    )
    git('config', 'core.alternateRefsCommand', script)
    git('config', 'core.fsmonitor', script)
    git('config', 'receive.autogc', 'true')
    git('config', 'gc.auto', '1')
    git('config', 'gc.recentObjectsHook', script)
    git('config', 'uploadpack.packObjectsHook', script)
    // Somebody else has pushed, so that it is fetched from too.
    const id = git('commit-tree', '-p', 'checkpoints', '-m', 'x', 'checkpoints^{tree}').trim()
    git('-c', 'core.hooksPath=/dev/null', 'update-ref', 'refs/heads/checkpoints', id)
    await target.put(signed(2))
    assert.equal(git('show', 'checkpoints:logs/gatehouse'), 'checkpoint of 2\n')
    assert.equal(git('rev-parse', 'checkpoints~1').trim(), id)
    assert.equal(fs.existsSync(marker) ? fs.readFileSync(marker, 'utf8') : '', '')
  },
)

test(
  'gitAnchor goes on after git was killed: what it left locked does not stay so',
  { skip: NO_GIT },
  async (t) => {
    const { anchor, folder, git } = repository(t)
    await anchor().put(signed(1))
    for (const name of [
      'anchor.index.lock',
      'config.lock',
      'refs/put.lock',
      'refs/anchor.lock',
      'shallow.lock',
    ])
      fs.writeFileSync(path.join(folder, 'own', name), '')
    await anchor().put(signed(2))
    assert.equal(git('show', 'checkpoints:logs/gatehouse'), 'checkpoint of 2\n')
  },
)

test('gitAnchor commits nothing that is there already', { skip: NO_GIT }, async (t) => {
  const { anchor, git } = repository(t)
  await anchor().put(signed(1))
  await anchor().put(signed(1))
  assert.equal(git('rev-list', '--count', 'checkpoints').trim(), '1')
})

test(
  'gitAnchor puts no older checkpoint over a newer one: the home was rolled back',
  { skip: NO_GIT },
  async (t) => {
    const { anchor, folder, git } = repository(t)
    await anchor().put(signed(12))
    const fresh = anchor({ directory: path.join(folder, 'fresh') })
    for (const target of [anchor(), fresh])
      await assert.rejects(
        target.put(signed(3)),
        (thrown) =>
          thrown instanceof AnchorFailure &&
          thrown.why.contradicts &&
          /holds 12 entries of this log, of which 3 are here: it was rolled back/.test(thrown.message),
      )
    assert.equal(git('rev-list', '--count', 'checkpoints').trim(), '1')
    assert.equal(await fresh.put(signed(12)), undefined)
  },
)

const REWRITTEN: readonly [why: string, change: (repository: Repository) => void][] = [
  ['an older commit', ({ git }) => git('update-ref', 'refs/heads/checkpoints', 'checkpoints~1')],
  ['no branch', ({ git }) => git('update-ref', '-d', 'refs/heads/checkpoints')],
  [
    'a commit without the file',
    ({ git }) => {
      const tree = git('mktree', '--missing').trim()
      git('update-ref', 'refs/heads/checkpoints', git('commit-tree', '-m', 'x', tree).trim())
    },
  ],
]

for (const [why, change] of REWRITTEN)
  test(
    `gitAnchor says that the branch was rewritten, until somebody looks: ${why}`,
    { skip: NO_GIT },
    async (t) => {
      const place = repository(t)
      for (const size of [1, 2]) assert.equal(await place.anchor().put(signed(size)), undefined)
      change(place)
      // Put there all the same; a new start knows it too.
      for (const size of [3, 4])
        assert.match((await place.anchor().put(signed(size))) ?? '', /has lost what was put/)
      assert.equal(place.git('show', 'checkpoints:logs/gatehouse'), 'checkpoint of 4\n')
      fs.rmSync(path.join(place.folder, 'own'), { recursive: true })
      assert.equal(await place.anchor().put(signed(5)), undefined)
    },
  )

test(
  'gitAnchor fetches no more than it may: however large the branch of somebody else is',
  { skip: NO_GIT },
  async (t) => {
    const { anchor, folder, git } = repository(t)
    const fetchBytes = BYTES.mib
    const limited = (): AnchorTarget => anchor({ fetchBytes })
    await limited().put(signed(1))
    const large = path.join(folder, 'large')
    // What does not pack.
    fs.writeFileSync(large, randomBytes(fetchBytes + 1))
    const blob = git('hash-object', '-w', large).trim()
    fs.rmSync(large)
    const tree = execFileSync('git', ['--git-dir', path.join(folder, 'remote.git'), 'mktree'], {
      input: `100644 blob ${blob}\tlarge\n`,
      encoding: 'utf8',
    }).trim()
    const before = git('rev-parse', 'checkpoints').trim()
    const id = git('commit-tree', '-p', before, '-m', 'x', tree).trim()
    git('update-ref', 'refs/heads/checkpoints', id)
    for (let tries = 0; tries < 3; tries++)
      await assert.rejects(
        limited().put(signed(2)),
        (thrown) => thrown instanceof AnchorFailure && /more than 1 MB/.test(thrown.message),
      )
    const own = path.join(folder, 'own')
    assert.ok(sizeOf(own) <= fetchBytes + 200_000, `${sizeOf(own)} bytes are left`)
    git('update-ref', 'refs/heads/checkpoints', before)
    assert.equal(await limited().put(signed(3)), undefined)
    assert.ok(sizeOf(own) < 200_000)
    fs.writeFileSync(path.join(own, 'objects', 'pack', 'pack-x.pack'), Buffer.alloc(3 * fetchBytes + 1))
    await assert.rejects(limited().put(signed(4)), /has filled its folder/)
  },
)

test(
  'gitAnchor keeps what it has fetched in packs that it tidies up: also where the branch is always written anew',
  { skip: NO_GIT },
  async (t) => {
    const { anchor, folder, git } = repository(t)
    const bytes = 300_000
    for (let size = 1; size <= 5; size++) {
      const blob = execFileSync(
        'git',
        ['--git-dir', path.join(folder, 'remote.git'), 'hash-object', '-w', '--stdin'],
        {
          input: randomBytes(bytes),
          encoding: 'utf8',
        },
      ).trim()
      const tree = execFileSync('git', ['--git-dir', path.join(folder, 'remote.git'), 'mktree'], {
        input: `100644 blob ${blob}\tlarge\n`,
        encoding: 'utf8',
      }).trim()
      git('update-ref', 'refs/heads/checkpoints', git('commit-tree', '-m', 'x', tree).trim())
      await anchor().put(signed(size))
      assert.equal(git('show', 'checkpoints:logs/gatehouse'), `checkpoint of ${size}\n`)
    }
    const left = sizeOf(path.join(folder, 'own'))
    assert.ok(left < 4 * bytes, `${left} bytes are left`)
  },
)

/** Bytes of all files below a folder. */
function sizeOf(folder: string): number {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .reduce((sum, each) => sum + fs.statSync(path.join(each.parentPath, each.name)).size, 0)
}

test('gitAnchor ends a git that hangs when the door ends', { skip: NO_GIT }, async (t) => {
  const { anchor, folder } = repository(t)
  const programs = path.join(folder, 'bin')
  fs.mkdirSync(programs)
  fs.writeFileSync(path.join(programs, 'git'), '#!/bin/sh\nsleep 60\n', { mode: 0o755 })
  const target = anchor({ env: { PATH: `${programs}:${process.env['PATH'] ?? ''}` } })
  const before = performance.now()
  const putting = assert.rejects(target.put(signed(1)), AnchorFailure)
  setTimeout(() => target.close?.(), 1_000)
  await putting
  assert.ok(performance.now() - before < 30_000)
})

test('gitAnchor shows nothing of the other side that a terminal would obey', { skip: NO_GIT }, async (t) => {
  const { anchor, folder } = repository(t)
  const programs = path.join(folder, 'bin')
  fs.mkdirSync(programs)
  const says = 'remote: \\033[2J\\033]0;x\\007 https://user:secret@host/\\r done'
  fs.writeFileSync(path.join(programs, 'git'), `#!/bin/sh\nprintf '${says}' >&2\nexit 1\n`, { mode: 0o755 })
  const target = anchor({ env: { PATH: `${programs}:${process.env['PATH'] ?? ''}` } })
  await assert.rejects(target.put(signed(1)), (thrown) => {
    assert.ok(thrown instanceof AnchorFailure)
    assert.equal(thrown.message, 'git init fails: remote:  [2J ]0;x  https://host/  done')
    return true
  })
})

test('gitAnchor says why it cannot push', { skip: NO_GIT }, async (t) => {
  const { anchor, folder, git } = repository(t)
  const none = anchor({ repository: path.join(folder, 'none.git') })
  await assert.rejects(
    none.put(signed(1)),
    (thrown) => thrown instanceof AnchorFailure && thrown.message.startsWith('git ls-remote fails: '),
  )
  git('config', 'receive.hideRefs', 'refs/heads/checkpoints')
  await assert.rejects(anchor().put(signed(1)), /cannot be pushed to: /)
  const missing = anchor({ env: { PATH: path.join(folder, 'empty') } })
  await assert.rejects(missing.put(signed(1)), /not installed/)
})
