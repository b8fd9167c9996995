import { join } from 'node:path'
import type { Files } from '#base/files.ts'
import { runProgram } from '#base/run_program.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import { AnchorFailure, type AnchorTarget } from './anchor_keeper.ts'

export interface GitAnchorParts {
  readonly repository: string
  readonly branch: string
  /** The file in it. */
  readonly path: string
  /** A folder of ours for the objects in between; made when missing, and may be deleted at any time. */
  readonly directory: string
  readonly files: Pick<Files, 'makeDirectory'>
  /** The environment of this process: git finds its programs and credentials by it. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
}

/** Another one may push between our fetch and our push. */
const TRIES = 3
const PUTS_KEPT = 50
const OUTPUT_BYTES = 16 * 1_024
/** The name of the index that one commit is made in. */
const INDEX = 'anchor.index'

/** A repository elsewhere, whose branch gets a commit with each checkpoint; what else is in it stays. Needs `git`. */
export function gitAnchor(parts: GitAnchorParts): AnchorTarget {
  let puts = 0
  return {
    name: `git ${parts.repository} ${parts.branch}`,
    kind: 'git',
    put: async (checkpoint) => {
      await parts.files.makeDirectory(parts.directory)
      const git = new Git(parts)
      await git.run(['init', '--quiet', '--bare', '.'])
      for (let tries = 1; ; tries++) {
        const commit = await commitOf(git, parts, checkpoint)
        const pushed = await git.ask([
          'push',
          '--quiet',
          parts.repository,
          `${commit}:refs/heads/${parts.branch}`,
        ])
        if (pushed.status === 0) break
        if (tries === TRIES) throw new AnchorFailure(`cannot be pushed to: ${reasonOf(pushed.errors)}`)
      }
      puts += 1
      // What was pushed is needed here no more.
      if (puts % PUTS_KEPT === 0) await git.ask(['gc', '--quiet', '--prune=now'])
    },
  }
}

/**
 * A commit on top of the branch as it is there now, made from objects alone: there are no working files, so nothing of
 * the repository is ever run or followed.
 */
async function commitOf(
  git: Git,
  { repository, branch, path }: GitAnchorParts,
  { head, text }: SignedHead,
): Promise<string> {
  const parent = await newestOf(git, repository, branch)
  const blob = await git.run(['hash-object', '-w', '--stdin'], text)
  await git.run(parent === undefined ? ['read-tree', '--empty'] : ['read-tree', parent])
  await git.run(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`])
  const tree = await git.run(['write-tree'])
  const message = `${head.origin}: ${head.size} entries\n`
  const on = parent === undefined ? [] : ['-p', parent]
  return await git.run(['commit-tree', tree, ...on], message)
}

/** The commit that the branch points to; undefined when there is no such branch yet. */
async function newestOf(git: Git, repository: string, branch: string): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`
  const listed = await git.run(['ls-remote', '--quiet', repository, ref])
  if (listed === '') return undefined
  await git.run([
    'fetch',
    '--quiet',
    '--no-tags',
    '--depth=1',
    '--no-write-fetch-head',
    repository,
    `+${ref}:refs/anchor`,
  ])
  return await git.run(['rev-parse', '--verify', 'refs/anchor^{commit}'])
}

class Git {
  readonly #parts: GitAnchorParts

  constructor(parts: GitAnchorParts) {
    this.#parts = parts
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
      args: [...SETTINGS, ...args],
      env: { ...withoutGit(env), ...QUIET, GIT_DIR: directory, GIT_INDEX_FILE: join(directory, INDEX) },
      directory,
      input,
      timeoutMs,
      outputBytes: OUTPUT_BYTES,
    })
    if (end.kind === 'missing') throw new AnchorFailure('needs the program git, which is not installed')
    if (end.kind === 'timeout') throw new AnchorFailure(`git takes longer than ${timeoutMs} ms`)
    return end
  }
}

/** No program of the repository or of this machine is run: hooks, watchers, transports by command. */
const SETTINGS = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['protocol.ext.allow', 'never'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
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

/** The last line of what git says, without what could be a password in an address. */
function reasonOf(errors: string): string {
  const line = errors.trim().split('\n').at(-1) ?? ''
  return line.replaceAll(/\/\/[^/@\s]*@/g, '//').slice(0, 200)
}
