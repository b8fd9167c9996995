import { sha256Hex } from '#base/crypto.ts'
import type { Compiled, Decider, PolicyEngine, PolicyFile, PolicyProblem } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { readTextFolder, watchFolder } from '#base/text_folder.ts'
import type { Policies } from './authorize.ts'
import { OPERATOR } from './caller_facts.ts'
import { manifestOf, setHash, type PolicyHash } from './policy_manifest.ts'
import { keep, loadKept, type KeptSet } from './policy_state.ts'
import { contextOf } from './question_context.ts'

const SUFFIX = '.cedar'
/** An editor writes a file in several steps; a set is read when it has been quiet for so long. */
const QUIET_MS = 500

export interface PoliciesParts {
  /** The operator's working files, `HOME/policies`. */
  readonly directory: string
  /** Where the set that was applied last is kept, `HOME/policy`. */
  readonly stateDirectory: string
  readonly engine: PolicyEngine
  /** The schema that the engine checks against; part of the hash of a set. */
  readonly schema: string
  readonly files: Files
}

/** Where the set in force came from. */
export type PolicySource = 'working files' | 'last good'

export interface PolicyStatus {
  /** Hash of the set in force; undefined when there is none, and everything is refused. */
  readonly set: string | undefined
  readonly source: PolicySource | undefined
  /** False when the working files could not be taken when they were last tried. */
  readonly healthy: boolean
  /** The files of the set in force. */
  readonly files: readonly PolicyHash[]
  /** What was wrong with the working files when they were last tried. */
  readonly problems: readonly PolicyProblem[]
}

export interface PolicyCheck {
  /** The hash that the working files would have as a set; undefined when they are not one. */
  readonly set: string | undefined
  readonly policies: readonly string[]
  readonly files: readonly PolicyHash[]
  readonly problems: readonly PolicyProblem[]
}

/** A good set that is not in force yet. Only a keeper makes one, and only `swap` of the same keeper takes it. */
export interface Candidate {
  readonly set: string
  /** The set in force when this one was prepared. */
  readonly before: string | undefined
  readonly policies: readonly string[]
  readonly files: readonly PolicyHash[]
}

/** The policy sets of a home: the working files, the one in force, and the last that was applied. */
export interface PolicyKeeper extends Policies {
  /**
   * Set when the working files differed at the start from what was applied last: record the change, then `swap`.
   * Until then what was applied last is in force.
   */
  readonly starting: Candidate | undefined
  /** Looks at the working files and changes nothing. */
  check(): Promise<PolicyCheck>
  /**
   * Reads the working files as one set. Throws `policy.invalid` with `problems`, or `policy.locking` when the operator
   * could not change policies any more; then the set in force stays and `status` is not healthy.
   */
  prepare(): Promise<Candidate>
  /**
   * Keeps the set on disk and puts it in force, whole. Throws `home.unwritable`, or `policy.invalid` when another set
   * was put in force since this one was prepared; then the set in force stays.
   */
  swap(candidate: Candidate): Promise<void>
  status(): PolicyStatus
  /** The set in force with its texts, as it can be compiled elsewhere; undefined when there is none. */
  inForce(): { readonly set: string; readonly files: readonly PolicyFile[] } | undefined
  /** Calls back when the working files changed and have been quiet for 500 ms. For development. Gives a stop. */
  watch(onChange: () => void): () => void
}

/**
 * Opens the policies of a home. Working files that are good and were applied last are in force at once; bad ones leave
 * the last good set in force; with neither, `current` throws `policy.unavailable` for everything.
 */
export async function openPolicies(parts: PoliciesParts): Promise<PolicyKeeper> {
  const keeper = new Keeper(parts)
  await keeper.start()
  return keeper
}

interface InForce {
  readonly decider: Decider
  readonly source: PolicySource
  readonly texts: readonly PolicyFile[]
  readonly files: readonly PolicyHash[]
}

interface ReadSet {
  readonly files: readonly PolicyFile[]
  readonly problems: readonly PolicyProblem[]
}

interface Made {
  readonly files: readonly PolicyFile[]
  readonly decider: Decider
}

type Tried =
  | { readonly kind: 'good'; readonly candidate: Candidate }
  | { readonly kind: 'bad'; readonly fault: Fault; readonly problems: readonly PolicyProblem[] }

class Keeper implements PolicyKeeper {
  readonly #parts: PoliciesParts
  readonly #schemaHash: string
  /** What stands behind each candidate, so that nobody can hand in one of their own making. */
  readonly #made = new WeakMap<Candidate, Made>()
  #inForce: InForce | undefined
  #problems: readonly PolicyProblem[] = []
  #healthy = true
  #lastSwap: Promise<void> = Promise.resolve()
  #starting: Candidate | undefined

  constructor(parts: PoliciesParts) {
    this.#parts = parts
    this.#schemaHash = sha256Hex(parts.schema)
  }

  get starting(): Candidate | undefined {
    return this.#starting
  }

  async start(): Promise<void> {
    const kept = await loadKept(this.#parts.files, this.#parts.stateDirectory)
    const read = await this.#read()
    const isSame = read.problems.length === 0 && kept?.set === setHash(read.files, this.#schemaHash)
    // The same set is not compiled twice: it is most of a cold start.
    if (kept !== undefined && !isSame) this.#inForce = this.#revive(kept)
    const tried = this.#note(this.#try(read))
    if (tried.kind === 'bad') return
    if (isSame) this.#enforce(tried.candidate)
    else this.#starting = tried.candidate
  }

  current(): Decider {
    if (this.#inForce === undefined) throw new Fault('policy.unavailable')
    return this.#inForce.decider
  }

  async check(): Promise<PolicyCheck> {
    const read = await this.#read()
    const files = manifestOf(read.files)
    const tried = this.#try(read)
    if (tried.kind === 'bad') return { set: undefined, policies: [], files, problems: tried.problems }
    const { set, policies } = tried.candidate
    return { set, policies, files, problems: [] }
  }

  async prepare(): Promise<Candidate> {
    const tried = this.#note(this.#try(await this.#read()))
    if (tried.kind === 'bad') throw tried.fault
    const { candidate } = tried
    // Working files that were mended back to the last good set are in force as they stand.
    if (candidate.set === candidate.before) this.#enforce(candidate)
    return candidate
  }

  swap(candidate: Candidate): Promise<void> {
    // One after the other: two writers of one file would mix.
    const swapped = this.#lastSwap.then(() => this.#swap(candidate))
    this.#lastSwap = swapped.catch(() => undefined)
    return swapped
  }

  status(): PolicyStatus {
    return {
      set: this.#inForce?.decider.set,
      source: this.#inForce?.source,
      healthy: this.#healthy && this.#inForce !== undefined,
      files: this.#inForce?.files ?? [],
      problems: this.#problems,
    }
  }

  inForce(): { readonly set: string; readonly files: readonly PolicyFile[] } | undefined {
    return this.#inForce && { set: this.#inForce.decider.set, files: this.#inForce.texts }
  }

  watch(onChange: () => void): () => void {
    return watchFolder(this.#parts.directory, QUIET_MS, onChange)
  }

  async #swap(candidate: Candidate): Promise<void> {
    const { files } = this.#behind(candidate)
    if (candidate.before !== this.#inForce?.decider.set)
      throw new Fault('policy.invalid', {}, { say: 'Another set was applied meanwhile; apply again.' })
    const kept = { set: candidate.set, schemaHash: this.#schemaHash, files }
    await keep(this.#parts.files, this.#parts.stateDirectory, kept)
    this.#enforce(candidate)
    this.#starting = undefined
  }

  #enforce(candidate: Candidate): void {
    const { decider, files: texts } = this.#behind(candidate)
    this.#inForce = { decider, source: 'working files', files: candidate.files, texts }
  }

  #behind(candidate: Candidate): Made {
    const made = this.#made.get(candidate)
    if (made === undefined) throw new Fault('internal.bug', { error: 'a policy set was not prepared here' })
    return made
  }

  /** The set that was applied last, under the schema of today: a newer Gatehouse may not take it any more. */
  #revive(kept: KeptSet): InForce | undefined {
    const set = setHash(kept.files, this.#schemaHash)
    const compiled = this.#parts.engine.compile(kept.files, set)
    if (compiled.kind === 'bad') return undefined
    const { decider } = compiled
    return { decider, source: 'last good', files: manifestOf(kept.files), texts: kept.files }
  }

  async #read(): Promise<ReadSet> {
    const { files, faults } = await readTextFolder(this.#parts.directory, {
      suffix: SUFFIX,
      maxFiles: LIMITS.policyFiles,
      maxFileBytes: LIMITS.policyFileBytes,
    })
    const problems = faults.map(({ name, message }) => ({ file: name, line: 0, column: 0, message }))
    return { files, problems }
  }

  #try(read: ReadSet): Tried {
    if (read.problems.length > 0) return invalid(read.problems)
    const set = setHash(read.files, this.#schemaHash)
    const compiled: Compiled = this.#parts.engine.compile(read.files, set)
    if (compiled.kind === 'bad') return invalid(compiled.problems)
    if (!letsOperatorBack(compiled.decider)) return locking()
    const candidate: Candidate = Object.freeze({
      set,
      before: this.#inForce?.decider.set,
      policies: compiled.policies,
      files: manifestOf(read.files),
    })
    this.#made.set(candidate, { files: read.files, decider: compiled.decider })
    return { kind: 'good', candidate }
  }

  #note(tried: Tried): Tried {
    this.#problems = tried.kind === 'bad' ? tried.problems : []
    this.#healthy = tried.kind === 'good'
    return tried
  }
}

/** The way back from any mistake is to change policies again, so no set may close it. */
function letsOperatorBack(decider: Decider): boolean {
  const gatehouse = { type: 'System', id: 'gatehouse' }
  const { effect } = decider.decide({
    principal: OPERATOR.ref,
    action: { type: 'Action', id: 'policy:change' },
    resource: gatehouse,
    context: contextOf(OPERATOR, []),
    entities: [OPERATOR.entities, [{ ref: gatehouse, attributes: {}, parents: [] }]],
  })
  return effect === 'allow'
}

function invalid(all: readonly PolicyProblem[]): Tried {
  const problems = all.slice(0, LIMITS.policyProblems)
  const told = problems.map(({ file, line, column, message }) => ({ file, line, column, message }))
  const [first] = problems
  const place =
    first === undefined || first.file === ''
      ? 'The policies folder'
      : `${first.file}:${first.line}:${first.column}`
  const fault = new Fault(
    'policy.invalid',
    { problems: told, count: all.length },
    { say: `${place} is not valid.` },
  )
  return { kind: 'bad', problems, fault }
}

function locking(): Tried {
  const message = 'System::"operator" could not change policies under this set'
  return {
    kind: 'bad',
    problems: [{ file: '', line: 0, column: 0, message }],
    fault: new Fault('policy.locking'),
  }
}
