import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import { openUpstream } from '#base/http_client.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import { startObjectStore } from '../../../test/fakes/object_store.ts'
import { AnchorFailure, AnchorKeeper, type AnchorTarget } from './anchor_keeper.ts'
import { awsAuthorization } from './aws_signature.ts'
import { gitAnchor, type GitAnchorParts } from './git_anchor.ts'
import { objectAnchor, objectName, type ObjectAnchorParts } from './object_anchor.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the test', region: 'eu-test-1' }
const DAY_MS = 86_400_000

function signed(size: number): SignedHead {
  const head = { origin: 'gatehouse.local/AAAABBBBCCCCDDDD', size, root: Buffer.alloc(32, size) }
  return { head, text: `checkpoint of ${size}\n` }
}

test('awsAuthorization answers the example of AWS for a PUT', () => {
  const bodyHash = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'
  const authorization = awsAuthorization(
    {
      method: 'PUT',
      path: '/test%24file.text',
      headers: {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        host: 'examplebucket.s3.amazonaws.com',
        'x-amz-content-sha256': bodyHash,
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      bodyHash,
    },
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    { region: 'us-east-1', service: 's3', at: Date.parse('2013-05-24T00:00:00Z') },
  )
  assert.match(authorization, /Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/)
})

async function openStore(
  t: TestContext,
  more: Partial<ObjectAnchorParts> = {},
): Promise<{ readonly store: Awaited<ReturnType<typeof startObjectStore>>; readonly anchor: AnchorTarget }> {
  const clock = new HandClock()
  const store = await startObjectStore({ ...KEYS, token: 'lent' }, () => clock.now())
  const upstream = openUpstream({
    origin: store.origin,
    connections: 1,
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 5_000,
    bodyTimeoutMs: 5_000,
    totalTimeoutMs: 5_000,
    maxAnswerBytes: 1_024,
  })
  t.after(async () => {
    await upstream.close()
    await store.close()
  })
  const anchor = objectAnchor({
    endpoint: new URL(store.origin),
    upstream,
    bucket: 'locked',
    region: KEYS.region,
    prefix: 'a prefix/',
    mode: 'compliance',
    retentionMs: 400 * DAY_MS,
    withCredentials: (use) => use(KEYS, 'lent'),
    clock,
    ...more,
  })
  return { store, anchor }
}

test('objectAnchor puts each checkpoint as an object of its own, locked for its time', async (t) => {
  const { store, anchor } = await openStore(t)
  for (const size of [3, 12, 12]) await anchor.put(signed(size))
  assert.deepEqual(store.wrong, [])
  const until = new Date(new HandClock().now() + 400 * DAY_MS).toISOString()
  assert.deepEqual(
    [...store.objects.entries()].map(([key, each]) => [decodeURIComponent(key), each]),
    [3, 12].map((size) => [
      `/locked/a prefix/gatehouse.local/AAAABBBBCCCCDDDD/${String(size).padStart(16, '0')}-${Buffer.alloc(4, size).toString('hex')}.checkpoint`,
      { body: `checkpoint of ${size}\n`, mode: 'COMPLIANCE', until },
    ]),
  )
})

test('objectName tells apart two trees of one size: a fork overwrites nothing', () => {
  const other = { head: { ...signed(3).head, root: Buffer.alloc(32, 9) } }
  assert.notEqual(objectName('', signed(3)), objectName('', other))
})

const WRONG: readonly [why: string, parts: Partial<ObjectAnchorParts>, problem: RegExp][] = [
  [
    'another secret',
    { withCredentials: (use) => use({ ...KEYS, secretAccessKey: 'x' }, 'lent') },
    /refuses the key/,
  ],
  ['no session token', { withCredentials: (use) => use(KEYS, undefined) }, /refuses the key/],
  ['another region', { region: 'us-east-1' }, /refuses the key/],
  ['a time that is over', { retentionMs: -1 }, /answers 400/],
]

for (const [why, parts, problem] of WRONG)
  test(`objectAnchor says why storage takes nothing: ${why}`, async (t) => {
    const { store, anchor } = await openStore(t, parts)
    await assert.rejects(
      anchor.put(signed(1)),
      (thrown) => thrown instanceof AnchorFailure && problem.test(thrown.message),
    )
    assert.equal(store.objects.size, 0)
    assert.equal(store.wrong.length, 1)
  })

test('objectAnchor says what storage answers, and that it is away', async (t) => {
  const { store, anchor } = await openStore(t)
  for (const [status, problem] of [
    [404, /no such bucket/],
    [500, /answers 500/],
    [307, /cannot be reached: upstream\.invalid/],
  ] as const) {
    store.answers(status)
    await assert.rejects(anchor.put(signed(1)), problem)
  }
  await store.close()
  await assert.rejects(anchor.put(signed(1)), /cannot be reached: upstream\.failed/)
})

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
    // The other end of a push to a folder is a program of its own, under the rules of whoever owns that.
    const ran = fs.existsSync(marker) ? fs.readFileSync(marker, 'utf8').trim().split('\n') : []
    assert.deepEqual(
      ran.filter((place) => place !== path.join(folder, 'remote.git')),
      [],
    )
  },
)

test('gitAnchor says why it cannot push', { skip: NO_GIT }, async (t) => {
  const { anchor, folder, git } = repository(t)
  const none = anchor({ repository: path.join(folder, 'none.git') })
  await assert.rejects(
    none.put(signed(1)),
    (thrown) => thrown instanceof AnchorFailure && thrown.message.startsWith('git ls-remote fails: '),
  )
  git('config', 'receive.denyNonFastForwards', 'true')
  fs.mkdirSync(path.join(folder, 'remote.git', 'hooks'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'remote.git', 'hooks', 'pre-receive'), '#!/bin/sh\nexit 1\n', {
    mode: 0o755,
  })
  await assert.rejects(anchor().put(signed(1)), /^Error: cannot be pushed to: |cannot be pushed to/)
  const missing = anchor({ env: { PATH: path.join(folder, 'empty') } })
  await assert.rejects(missing.put(signed(1)), /not installed/)
})

test('AnchorKeeper puts what is new, and keeps what went wrong as a state', async () => {
  const clock = new HandClock()
  const put: number[] = []
  const at = { newest: signed(3), fails: false }
  const target: AnchorTarget = {
    name: 'x',
    kind: 'object',
    put: async ({ head }) => {
      if (at.fails) throw new AnchorFailure('is away')
      put.push(head.size)
      return Promise.resolve()
    },
  }
  const checkpoints = {
    get newest() {
      return at.newest
    },
  }
  const keeper = new AnchorKeeper({ target, checkpoints, clock, everyMs: 1_000 })
  assert.equal(keeper.state.entries, undefined)
  await keeper.put()
  await keeper.put()
  assert.deepEqual(keeper.state, {
    name: 'x',
    kind: 'object',
    entries: 3,
    at: clock.now(),
    problem: undefined,
  })
  at.newest = signed(5)
  at.fails = true
  await keeper.put()
  assert.equal(keeper.state.entries, 3)
  assert.equal(keeper.state.problem, 'is away')
  at.fails = false
  await keeper.put()
  assert.deepEqual(put, [3, 5])
  assert.equal(keeper.state.problem, undefined)
  await keeper.close()
})
