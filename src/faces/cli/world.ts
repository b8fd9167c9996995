import type { Clock } from '#base/clock.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'

/** A stream that people or programs read. */
export interface Output {
  write(text: string): void
}

/** What a door told of itself when it opened. Addresses are URLs, or null for a listener that is off. */
export interface DoorFacts extends JsonObject {
  readonly door: string | null
  readonly admin: string | null
  readonly metrics: string | null
  readonly home: string
  readonly pid: number
}

/** What the first start of a home made. */
export interface FirstStart {
  readonly made: readonly string[]
  /** The first key itself, only on loopback and on the first run. */
  readonly key: string | undefined
  /** Where the first key is kept when it may not be printed. */
  readonly keyPath: string | undefined
  /** The verification keys of the ledger; of long ones the SHA-256. */
  readonly logKeys: readonly string[]
}

/** A door that serves until it is closed. */
export interface ServingDoor {
  readonly facts: DoorFacts
  readonly first: FirstStart | undefined
  /** Resolves when the door has stopped: with nothing after `close`, with the fault that stopped it otherwise. */
  readonly stopped: Promise<void>
  close(): Promise<void>
}

export interface Replied {
  readonly status: number
  readonly body: JsonValue
}

/** The admin routes of a door, wherever it runs. */
export interface DoorLine {
  /** Sends one request through the pipeline of the door. `body` undefined sends none. */
  call(method: 'GET' | 'POST', path: string, body: JsonObject | undefined): Promise<Replied>
  close(): Promise<void>
}

/** What a witness told of itself when it opened. */
export interface WitnessFacts extends JsonObject {
  readonly url: string
  readonly name: string
  /** Its verifier keys (c2sp.org/signed-note). */
  readonly keys: readonly string[]
  /** How many it cosigns for. */
  readonly logs: number
  readonly folder: string
  readonly pid: number
}

/** A witness that serves until it is closed. */
export interface ServingWitness {
  readonly facts: WitnessFacts
  /** True when its folder was made by this start. */
  readonly isNew: boolean
  /** Resolves when it has stopped. */
  readonly stopped: Promise<void>
  close(): Promise<void>
}

export interface ServeOptions {
  readonly home: string
  readonly config: string | undefined
  /** `HOST:PORT`, each undefined for what the configuration says. */
  readonly listen: string | undefined
  readonly adminListen: string | undefined
  readonly metricsListen: string | undefined
  /** How many processes serve; undefined for what the configuration says. */
  readonly workers: number | undefined
  /** False where a printed key would be lost or land in a program's log; the first key is then kept in a file. */
  readonly printsKey: boolean
  /** True on the word of an operator: what is lost of the ledger is lost, and a new log begins. */
  readonly acceptLoss: boolean
}

export interface OpenOptions {
  readonly home: string
  readonly config: string | undefined
  readonly listeners: 'none'
}

/** One listener with the rule it is under. */
export interface ListenerRow extends JsonObject {
  readonly name: string
  readonly address: string
  readonly rule: 'socket' | 'loopback' | 'tls' | 'insecure' | 'exposed'
  /** ISO date on which a declared exception ends; null without one. */
  readonly expires: string | null
}

/** One model, without anything secret. */
export interface ModelRow extends JsonObject {
  readonly name: string
  readonly provider: string
  /** `none`: the provider needs no key; `missing`: the reference gives nothing now. */
  readonly key: 'set' | 'missing' | 'none'
}

/** The configuration as the CLI may show it. */
export interface ConfigView {
  /** The file that was read; null when there is none and the defaults hold. */
  readonly path: string | null
  /** All of it with defaults, secrets as references only. */
  readonly redacted: JsonObject
  readonly listeners: readonly ListenerRow[]
  readonly models: readonly ModelRow[]
  /** Files outside this machine that get every checkpoint. */
  readonly anchors: readonly string[]
  /** The verifier keys of each witness, and how many witnesses it takes. */
  readonly witnesses: { readonly quorum: number; readonly keys: readonly (readonly string[])[] }
  /** The folder of the policy files. */
  readonly policies: string
}

/** Everything outside that the CLI touches; `main.ts` gives the real one. */
export interface World {
  readonly stdout: Output
  readonly stderr: Output
  readonly isTty: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The folder that holds package.json. */
  readonly project: string
  readonly version: string
  readonly clock: Clock
  /** Calls back once when the process is asked to stop. */
  readonly onStop: (listener: () => void) => void
  /** Starts a door that listens. Throws `home.locked`, `listener.unavailable`, `listener.exposed`, `config.invalid`. */
  readonly startDoor: (options: ServeOptions) => Promise<ServingDoor>
  /** Opens the same door without listeners, under the lock of the home. Throws `home.locked`. */
  readonly openDoor: (options: OpenOptions) => Promise<DoorLine>
  /** Starts a witness in a folder of its own. Throws `config.invalid`, `home.damaged`, `listener.unavailable`. */
  readonly startWitness: (directory: string) => Promise<ServingWitness>
  /** Reads the configuration without starting anything. Throws `config.invalid`. */
  readonly readConfig: (home: string, config: string | undefined) => Promise<ConfigView>
  /** As `readConfig`, and throws what a door would refuse to listen with: `listener.exposed` too. */
  readonly checkConfig: (home: string, config: string | undefined) => Promise<ConfigView>
}
