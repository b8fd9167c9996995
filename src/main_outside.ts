import path from 'node:path'
import { sameBytes } from '#base/bytes.ts'
import { sha256Hex } from '#base/crypto.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { openUpstream, type Upstream } from '#base/http_client.ts'
import { LIMITS } from '#base/limits.ts'
import type { Sealed } from '#base/sealed.ts'
import { AnchorKeeper, type AnchorState, type AnchorTarget } from '#proof/anchors/anchor_keeper.ts'
import { gitAnchor } from '#proof/anchors/git_anchor.ts'
import { objectAnchor } from '#proof/anchors/object_anchor.ts'
import { Gathering } from '#proof/witness/gathering.ts'
import { WitnessClient } from '#proof/witness/witness_client.ts'
import type { OutsideAnswer } from '#rooms/admin/answers.ts'
import { toTime } from '#rooms/admin/to_time.ts'
import { openCheckpoint } from '#trust/ledger/checkpoint.ts'
import { parseCosignerKey, parseLogKey } from '#trust/ledger/cosignature.ts'
import { furthest, witnessedAt, type HeldOutside, type WitnessPolicy } from '#trust/ledger/held_outside.ts'
import { listOrigins } from '#trust/ledger/layout.ts'
import type { NoteVerifier } from '#trust/ledger/note.ts'
import { olderEnds } from '#trust/ledger/older_ends.ts'
import { TiledLog } from '#trust/ledger/tiled_log.ts'
import { resolveSecret, type Config, type SecretReference } from './config.ts'
import { secretReader } from './main_config.ts'
import type { OpenHome } from './main_home.ts'

type LedgerConfig = Config['ledger']
type Environment = Readonly<Record<string, string | undefined>>

/** Those who hold the ledger outside this machine: witnesses, and places that get checkpoints. */
export interface OpenOutside {
  /** Asks witnesses and fills places from now on. */
  start(): void
  held(): HeldOutside
  /** The same with every holder, for an operator. */
  read(): OutsideAnswer
  /** What an operator should look after. */
  readonly problems: readonly string[]
  close(): Promise<void>
}

/** Opens what the configuration names, and asks nobody yet. Throws `config.invalid` for a secret that is not there. */
export async function openOutside(
  home: OpenHome,
  { clock, env }: { readonly clock: Clock; readonly env: Environment },
): Promise<OpenOutside> {
  const { ledger } = home
  const config = home.config.ledger
  const upstreams: Upstream[] = []
  const policy = policyOf(config)
  const own = ownKeys(home)
  if (policy.witnesses.flat().some((key) => own.some(({ publicKey }) => sameBytes(publicKey, key.publicKey))))
    throw invalid('ledger.witnesses names a key of this ledger itself, which proves nothing.')
  const keepers = anchorsOf(home, { env, clock, upstreams }).map(
    ({ target, everyMs }) => new AnchorKeeper({ target, checkpoints: ledger.checkpoints, clock, everyMs }),
  )
  const gathering = await gatheringOf(home, clock, upstreams)
  const before = await olderEnds(NODE_FILES, path.join(home.directory, 'ledger'), ledger.origin)
  const held = (): HeldOutside => ({ ...heldNow(home, policy, keepers), before })
  const holders = (): OutsideAnswer['holders'] => holdersNow(home, gathering, keepers)
  return {
    start: () => {
      gathering?.start()
      for (const keeper of keepers) keeper.start()
    },
    held,
    read: () => {
      const { witnessed, anchored } = held()
      return {
        quorum: policy.quorum,
        witnessed: witnessed?.entries ?? null,
        witnessed_at: timeOf(witnessed?.at),
        anchored: anchored?.entries ?? null,
        anchored_at: timeOf(anchored?.at),
        holders: holders(),
      }
    },
    get problems() {
      // What files lack is a problem of the ledger itself.
      const others = holders().filter(({ kind }) => kind !== 'file')
      const found = others.flatMap(({ name, problem }) => (problem === null ? [] : [`${name} ${problem}`]))
      return gathering?.problem === undefined ? found : [...found, gathering.problem]
    },
    close: async () => {
      // They begin nothing new, and whoever is being asked is hung up on: nobody outside holds up the end of the door.
      const closing = [...keepers, ...(gathering === undefined ? [] : [gathering])]
      const ends = closing.map(async (each) => await each.close())
      await Promise.all(upstreams.map(async (upstream) => await upstream.close()))
      await Promise.all(ends)
    },
  }
}

/** The keys of the log in use. */
function ownKeys({ logKeys }: OpenHome): readonly NoteVerifier[] {
  return logKeys.named.map(({ key }) => parseLogKey(key)).filter((key) => key !== undefined)
}

/** The keys of the witnesses of a configuration. */
export function policyOf({ witnesses }: Pick<LedgerConfig, 'witnesses'>): WitnessPolicy {
  const list = witnesses?.list ?? []
  const keys = list.map((each) => each.keys.map(parseCosignerKey).filter((key) => key !== undefined))
  return { quorum: witnesses?.quorum ?? 0, witnesses: keys }
}

async function gatheringOf(
  home: OpenHome,
  clock: Clock,
  upstreams: Upstream[],
): Promise<Gathering | undefined> {
  const { config, ledger, configFolder, directory } = home
  const { witnesses: wanted } = config.ledger
  if (wanted === undefined) return undefined
  const { folders } = await listOrigins(NODE_FILES, path.join(directory, 'ledger'))
  const folder = folders.find(({ origin }) => origin === ledger.origin)
  if (folder === undefined) throw new Fault('internal.bug', { error: 'the log in use has no folder' })
  const tree = new TiledLog(NODE_FILES, folder)
  const { witnesses: keys } = policyOf(config.ledger)
  const witnesses = wanted.list.map((each, at) => {
    const upstream = reach(each.url, each, { timeoutMs: wanted.timeout_ms, folder: configFolder })
    upstreams.push(upstream)
    return new WitnessClient({
      keys: keys[at] ?? [],
      upstream,
      path: `${new URL(each.url).pathname.replace(/\/+$/, '')}/add-checkpoint`,
      consistencyProof: async (first, second) => await tree.consistencyProof(first, second),
      clock,
      firstWaitMs: wanted.every_ms,
    })
  })
  const { quorum, every_ms: everyMs } = wanted
  return new Gathering({ witnesses, quorum, checkpoints: ledger.checkpoints, clock, everyMs })
}

interface Around {
  readonly env: Environment
  readonly clock: Clock
  readonly upstreams: Upstream[]
}

function anchorsOf(
  home: OpenHome,
  around: Around,
): readonly { readonly target: AnchorTarget; readonly everyMs: number }[] {
  const { git_anchors: repositories, object_anchors: storages } = home.config.ledger
  const gits = repositories.map(({ every_ms: everyMs, timeout_ms: timeoutMs, ...each }) => {
    const name = `git-${sha256Hex(`${each.repository} ${each.branch}`).slice(0, 16)}`
    const directory = path.join(home.directory, 'anchors', name)
    return {
      target: gitAnchor({
        ...each,
        directory,
        files: NODE_FILES,
        env: around.env,
        timeoutMs,
        headOf: (text) => openCheckpoint(text, ownKeys(home)),
      }),
      everyMs,
    }
  })
  const objects = storages.map((each, at) => ({
    target: storageOf(home, each, at, around),
    everyMs: each.every_ms,
  }))
  return [...gits, ...objects]
}

const DAY_MS = 86_400_000

function storageOf(
  { configFolder }: OpenHome,
  storage: LedgerConfig['object_anchors'][number],
  at: number,
  { env, clock, upstreams }: Around,
): AnchorTarget {
  const { endpoint, bucket, region, prefix, mode, timeout_ms: timeoutMs } = storage
  const upstream = reach(endpoint, storage, { timeoutMs, folder: configFolder })
  upstreams.push(upstream)
  const secret = (name: 'access_key_id' | 'secret_access_key' | 'session_token'): Sealed | undefined => {
    const reference: SecretReference | undefined = storage[name]
    if (reference === undefined) return undefined
    const value = resolveSecret(reference, env, secretReader(configFolder))
    if (value === undefined)
      throw invalid(
        `ledger.object_anchors.${at}.${name} refers to a variable or file that is empty or missing.`,
      )
    return value
  }
  const id = secret('access_key_id')
  const key = secret('secret_access_key')
  const token = secret('session_token')
  if (id === undefined || key === undefined)
    throw invalid('ledger.object_anchors needs both parts of the key.')
  return objectAnchor({
    endpoint: new URL(endpoint),
    upstream,
    bucket,
    region,
    prefix,
    mode,
    retentionMs: storage.retention_days * DAY_MS,
    withCredentials: (use) =>
      id.open((accessKeyId) =>
        key.open((secretAccessKey) => {
          const credentials = { accessKeyId, secretAccessKey }
          return token === undefined
            ? use(credentials, undefined)
            : token.open((text) => use(credentials, text))
        }),
      ),
    clock,
  })
}

/** One place that is called, with the rules that hold for all such calls. */
function reach(
  url: string,
  { network, roots }: { readonly network: 'public' | 'private'; readonly roots?: string | undefined },
  { timeoutMs, folder }: { readonly timeoutMs: number; readonly folder: string },
): Upstream {
  const pem = roots === undefined ? undefined : secretReader(folder)(roots)
  if (roots !== undefined && pem === undefined)
    throw invalid('A file of "roots" below ledger cannot be read.')
  return openUpstream({
    origin: new URL(url).origin,
    connections: 1,
    connectTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    maxAnswerBytes: LIMITS.noteBytes,
    network,
    roots: pem,
  })
}

function heldNow({ ledger }: OpenHome, policy: WitnessPolicy, keepers: readonly AnchorKeeper[]): HeldOutside {
  const { cosigned } = ledger.checkpoints
  const at = cosigned && witnessedAt(cosigned.text, policy)
  const places = [
    // On the disk of the ledger it is no more outside than the ledger is.
    ...ledger
      .state()
      .anchors.flatMap(({ size: entries, at: since, isNear }) =>
        isNear === true ? [] : [{ entries, at: since }],
      ),
    ...keepers.map(({ state }) => state),
  ]
  const held = places.flatMap(({ entries, at: since }) =>
    entries === undefined ? [] : [{ entries, at: since }],
  )
  return {
    origin: ledger.origin,
    witnessed: cosigned === undefined || at === undefined ? undefined : { entries: cosigned.head.size, at },
    anchored: furthest(held),
  }
}

function holdersNow(
  { ledger }: OpenHome,
  gathering: Gathering | undefined,
  keepers: readonly AnchorKeeper[],
): OutsideAnswer['holders'] {
  const files = ledger.state().anchors.map(({ path: name, size: entries, at, problem, contradicts }) => ({
    kind: 'file' as const,
    name,
    entries,
    at,
    problem,
    contradicts,
  }))
  const witnesses = (gathering?.witnesses ?? []).map((each) => ({ kind: 'witness' as const, ...each }))
  const others = keepers.map(({ state }): AnchorState => state)
  return [...witnesses, ...files, ...others].map(({ kind, name, entries, at, problem, contradicts }) => ({
    kind,
    name,
    entries: entries ?? null,
    at: timeOf(at),
    problem: problem ?? null,
    contradicts,
  }))
}

function timeOf(at: number | undefined): string | null {
  return at === undefined ? null : toTime(at)
}

function invalid(say: string): Fault {
  return new Fault('config.invalid', {}, { say })
}
