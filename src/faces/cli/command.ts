import type { JsonValue } from '#base/json.ts'
import type { World } from './world.ts'

/** One option of a command, without the dashes. */
export interface OptionRow {
  readonly name: string
  /** What stands for the value in the help, as in `DIR`; undefined for a switch. */
  readonly value: string | undefined
  readonly says: string
}

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly OptionRow[] = [
  {
    name: 'home',
    value: 'DIR',
    says: 'the home folder (default: GATEHOUSE_HOME, else .gatehouse beside package.json)',
  },
  { name: 'config', value: 'FILE', says: 'the configuration (default: gatehouse.yaml in the home)' },
  { name: 'json', value: undefined, says: 'print one JSON value on standard output, errors too' },
  { name: 'help', value: undefined, says: 'print this help' },
]

/** What a person typed, checked against the command. */
export interface Call {
  readonly world: World
  /** Absolute path of the home folder. */
  readonly home: string
  /** Absolute path of the configuration, where one was given. */
  readonly config: string | undefined
  readonly isJson: boolean
  readonly words: readonly string[]
  readonly option: (name: string) => string | undefined
  readonly isOn: (name: string) => boolean
}

/** What a command came to. One exit status for both forms, so `--json` cannot change it. */
export interface Answer {
  readonly exit: number
  /** What people read; ends without a line break. Empty prints nothing. */
  readonly text: string
  /** True for a document of which every byte counts: it is printed as it is, but not on a terminal. */
  readonly isExact?: boolean
  /** What programs read with `--json`; undefined when the command has printed all by itself. */
  readonly json: JsonValue | undefined
}

/** A command of the CLI. One file each, listed in `commands/all.ts`. */
export interface Command {
  /** As typed, as in `key create`; the file has underscores for spaces and hyphens. */
  readonly name: string
  readonly summary: string
  /** What follows the name, as in `KID`; empty for nothing. */
  readonly words: string
  readonly wordCount: { readonly least: number; readonly most: number }
  readonly options: readonly OptionRow[]
  /** A whole command line to copy. */
  readonly example: string
  /** Throws `Fault`. */
  readonly run: (call: Call) => Promise<Answer>
}
