import path from 'node:path'
import type { Files } from '#base/files.ts'
import { BYTES, LIMITS } from '#base/limits.ts'
import { runProgram } from '#base/run_program.ts'
import type { Head } from '#trust/ledger/checkpoint.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import { rolledBack } from '#trust/ledger/contradiction.ts'
import { AnchorFailure, type AnchorTarget } from './anchor_keeper.ts'

export interface GitAnchorParts {
  readonly repository: string
  readonly branch: string
  /** The file in it. */
  readonly path: string
  /** A folder of ours for the objects in between; made when missing, and may be deleted at any time. */
  readonly directory: string
  readonly files: Pick<Files, 'makeDirectory' | 'list' | 'unlink' | 'facts'>
  /** Bytes that one fetch may bring. Default: `LIMITS.gitFetchBytes`. */
  readonly fetchBytes?: number
  /** The environment of this process: git finds its programs and credentials by it. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  /** What a checkpoint of the log in use states, if it is signed by a key of it. */
  readonly headOf: (checkpoint: string) => Head | undefined
}

/** Another one may push between our fetch and our push. */
const TRIES = 3
const PUTS_KEPT = 50
/** The name of the index that one commit is made in. */
const INDEX = 'anchor.index'
/** Commits of our own folder: what the branch points to, what was pushed last, and what was pushed and is there no more. */
const REF = { tip: 'refs/anchor', put: 'refs/put', lost: 'refs/lost' } as const
const GC = ['gc', '--quiet', '--prune=now']
const PACKS = 'objects/pack'
/** The branch as it is, as it was pushed last, and as it was before it was lost. */
const KEPT_FETCHES = 3
const FULL =
  'has filled its folder with what was fetched: delete anchors/ in the home, and see who pushes there'
const LOST =
  'has lost what was put there: somebody has changed the branch. Find out who, and delete anchors/ in the home'

/** A repository elsewhere, whose branch gets a commit with each checkpoint; what else is in it stays. Needs `git`. */
export function gitAnchor(parts: GitAnchorParts): AnchorTarget {
  const ending = new AbortController()
  const git = new Git(parts, ending.signal)
  let puts = 0
  return {
    name: `git ${parts.repository} ${parts.branch}`,
    kind: 'git',
    put: async (checkpoint) => {
      await parts.files.makeDirectory(parts.directory)
      await tidy(parts)
      await git.run(['init', '--quiet', '--bare', '.'])
      await pushOnTop(git, parts, checkpoint)
      puts += 1
      // What was pushed is needed here no more.
      if (puts % PUTS_KEPT === 0) await git.ask(GC)
      return (await git.idOf(REF.lost)) === undefined ? undefined : LOST
    },
    close: () => ending.abort(),
  }
}

/**
 * Nobody else works in this folder: a lock in it is of a git that was killed, and would hold up all that come after; half a
 * pack would stay for ever, and each fetch that is too large leaves one.
 */
async function tidy({ files, directory, fetchBytes = LIMITS.gitFetchBytes }: GitAnchorParts): Promise<void> {
  const leftovers: readonly (readonly [folder: string, name: RegExp])[] = [
    ['.', /\.lock$/],
    ['refs', /\.lock$/],
    [PACKS, /^\.?tmp_/],
  ]
  for (const [below, left] of leftovers) {
    const folder = path.join(directory, below)
    for (const name of await files.list(folder))
      if (left.test(name)) await files.unlink(path.join(folder, name))
  }
  let bytes = 0
  for (const name of await files.list(path.join(directory, PACKS)))
    bytes += (await files.facts(path.join(directory, PACKS, name)))?.bytes ?? 0
  // Git tidies up behind each fetch, and somebody may have packed what it cannot pack anew.
  if (bytes > KEPT_FETCHES * fetchBytes) throw new AnchorFailure(FULL)
}

async function pushOnTop(git: Git, parts: GitAnchorParts, checkpoint: SignedHead): Promise<void> {
  const { repository, branch, path: file, headOf } = parts
  for (let tries = 1; ; tries++) {
    const tip = await git.tipOf(repository, branch)
    const there = tip && (await git.idOf(`${tip}:${file}`))
    await noteLoss(git, there, file)
    const note = there === undefined ? undefined : await git.ask(['cat-file', 'blob', there])
    const held = note && headOf(note.output)
    // Over the newer one the older one would look like the newest.
    if (held !== undefined && held.size > checkpoint.head.size)
      throw new AnchorFailure(rolledBack('holds', held.size, checkpoint.head.size))
    const blob = await git.run(['hash-object', '-w', '--stdin'], checkpoint.text)
    const commit = there === blob ? tip : await commitOn(git, tip, { file, blob, ...checkpoint.head })
    const pushed = there === blob ? undefined : await git.push(repository, `${commit}:refs/heads/${branch}`)
    if (pushed === undefined) return void (await git.run(['update-ref', REF.put, commit ?? '']))
    if (tries === TRIES) throw new AnchorFailure(`cannot be pushed to: ${pushed}`)
  }
}

/** Remembers what was pushed when the branch has something else in its place: whoever could, may do it again. */
async function noteLoss(git: Git, there: string | undefined, file: string): Promise<void> {
  const put = await git.idOf(`${REF.put}:${file}`)
  if (put !== undefined && put !== there) await git.run(['update-ref', REF.lost, REF.put])
}

/**
 * A commit on top of the branch as it is there now, made from objects alone: there are no working files, so nothing of
 * the repository is ever run or followed.
 */
async function commitOn(
  git: Git,
  parent: string | undefined,
  { file, blob, origin, size }: Head & { readonly file: string; readonly blob: string },
): Promise<string> {
  await git.run(parent === undefined ? ['read-tree', '--empty'] : ['read-tree', parent])
  await git.run(['update-index', '--add', '--cacheinfo', `100644,${blob},${file}`])
  const tree = await git.run(['write-tree'])
  const on = parent === undefined ? [] : ['-p', parent]
  return await git.run(['commit-tree', tree, ...on], `${origin}: ${size} entries\n`)
}

class Git {
  readonly #parts: GitAnchorParts
  readonly #signal: AbortSignal
  /** Where the repository is a folder, how git is to be started on its side too. */
  readonly #there: (program: string) => readonly string[]

  readonly #fetchBytes: number

  constructor(parts: GitAnchorParts, signal: AbortSignal) {
    this.#parts = parts
    this.#fetchBytes = parts.fetchBytes ?? LIMITS.gitFetchBytes
    this.#signal = signal
    const isFolder = path.isAbsolute(parts.repository)
    this.#there = (program) => (isFolder ? [`--${program}=git ${TAMED.join(' ')} ${program}`] : [])
  }

  /** The commit that a branch points to, which is here then; undefined when there is no such branch yet. */
  async tipOf(repository: string, branch: string): Promise<string | undefined> {
    const ref = `refs/heads/${branch}`
    const listed = await this.run(['ls-remote', '--quiet', ...this.#there('upload-pack'), repository, ref])
    if (listed === '') return undefined
    const put = await this.idOf(REF.put)
    // Nobody has pushed since: it is all here.
    if (put !== undefined && listed.startsWith(`${put}\t`)) return put
    const how = ['--quiet', '--no-tags', '--depth=1', '--no-write-fetch-head', '--no-recurse-submodules']
    const from = [...this.#there('upload-pack'), repository, `+${ref}:${REF.tip}`]
    const fetched = await this.ask(['fetch', ...how, ...from])
    if (fetched.status !== 0)
      throw new AnchorFailure(
        `git fetch fails, as it does where the files of the branch are more than ${this.#fetchBytes / BYTES.mib} MB: ${reasonOf(fetched.errors)}`,
      )
    // It brings all files of the branch again where somebody has written the branch anew.
    await this.ask(GC)
    return await this.run(['rev-parse', '--verify', `${REF.tip}^{commit}`])
  }

  /** Undefined when it was pushed, otherwise why it was not. */
  async push(repository: string, what: string): Promise<string | undefined> {
    const pushed = await this.ask(['push', '--quiet', ...this.#there('receive-pack'), repository, what])
    return pushed.status === 0 ? undefined : reasonOf(pushed.errors)
  }

  /** The id of an object that is here. */
  async idOf(name: string): Promise<string | undefined> {
    const { status, output } = await this.ask(['rev-parse', '--verify', '--quiet', name])
    return status === 0 ? output.trim() : undefined
  }

  /** What it prints, without space around it. Throws `AnchorFailure`. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const { status, output, errors } = await this.ask(args, input)
    if (status !== 0) throw new AnchorFailure(`git ${args[0] ?? ''} fails: ${reasonOf(errors)}`)
    return output.trim()
  }

  async ask(
    args: readonly string[],
    input?: string,
  ): Promise<{ readonly status: number; readonly output: string; readonly errors: string }> {
    const { directory, timeoutMs, env } = this.#parts
    const end = await runProgram({
      program: 'git',
      args: [...TAMED, ...args],
      env: { ...withoutGit(env), ...QUIET, GIT_DIR: directory, GIT_INDEX_FILE: path.join(directory, INDEX) },
      directory,
      input,
      timeoutMs,
      signal: this.#signal,
      outputBytes: LIMITS.noteBytes,
      most: { fileBytes: this.#fetchBytes, memoryBytes: LIMITS.gitMemoryBytes },
    })
    if (end.kind === 'missing') throw new AnchorFailure('needs the program git, which is not installed')
    if (end.kind === 'timeout') throw new AnchorFailure(`git takes longer than ${timeoutMs} ms`)
    return end
  }
}

/**
 * No program of the repository or of this machine is run: hooks, watchers, transports by command. Where the repository is a
 * folder, that holds for the other end of the transport too: who may write there must not run anything here. Without
 * spaces, as the command of that end is read by a shell.
 */
const TAMED = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.alternateRefsCommand', 'true'],
  ['receive.denyCurrentBranch', 'refuse'],
  ['receive.autogc', 'false'],
  ['protocol.allow', 'never'],
  ['protocol.https.allow', 'always'],
  ['protocol.ssh.allow', 'always'],
  ['protocol.file.allow', 'always'],
  // One file for all that is fetched, so that a limit for files is one for that.
  ['fetch.unpackLimit', '1'],
  // What is larger is never whole in memory, and the rest of the memory is not for one thread each.
  ['core.bigFileThreshold', '1m'],
  ['core.deltaBaseCacheLimit', '16m'],
  ['pack.threads', '1'],
  // It goes where the configuration says and nowhere else.
  ['http.followRedirects', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['push.recurseSubmodules', 'no'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`])

/** Nobody is there to be asked for a password. */
const QUIET: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS: '/bin/false',
  SSH_ASKPASS_REQUIRE: 'force',
  GIT_AUTHOR_NAME: 'Gatehouse',
  GIT_AUTHOR_EMAIL: 'gatehouse@localhost',
  GIT_COMMITTER_NAME: 'Gatehouse',
  GIT_COMMITTER_EMAIL: 'gatehouse@localhost',
  LC_ALL: 'C',
}

/** Variables of git that point elsewhere, as a hook that starts us would leave them, must not count here. */
function withoutGit(env: GitAnchorParts['env']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || name.startsWith('GIT_SSH')),
  )
}

/**
 * The last line of what git says, without what could be a password in an address. Much of it comes from the other side, and
 * it is shown on terminals.
 */
function reasonOf(errors: string): string {
  const line = errors.trim().split('\n').at(-1) ?? ''
  return line
    .replaceAll(/\/\/[^/@\s]*@/g, '//')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    .slice(0, 200)
}
