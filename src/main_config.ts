import path from 'node:path'
import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { NOT_PLAIN, readPlainFile, readPlainFileNow } from '#base/plain_file.ts'
import { loadConfig, type Config } from './config.ts'
import { DEFAULT_CONFIG_TEXT } from './config_default.ts'

/** The text of a configuration, and where it is from. */
export interface ConfigSource {
  readonly text: string
  readonly path: string
}

export interface ReadConfig {
  readonly config: Config
  readonly folder: string
  /** Null where there is no file. */
  readonly path: string | null
  readonly source: ConfigSource
}

/** Reads the configuration of a home; without a file the defaults hold. Throws `config.invalid`. */
export async function readConfig(home: string, file: string | undefined): Promise<ReadConfig> {
  const at = file ?? path.join(home, 'gatehouse.yaml')
  const folder = path.dirname(at)
  try {
    const bytes = await readPlainFile(at, { maxBytes: LIMITS.configBytes, links: 'follow' })
    const text = bytes.toString('utf8')
    return { config: loadConfig(text, at), folder, path: at, source: { text, path: at } }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    if (file === undefined && errorCode(thrown) === 'ENOENT') {
      const source = { text: DEFAULT_CONFIG_TEXT, path: at }
      return { config: loadConfig(DEFAULT_CONFIG_TEXT, at), folder, path: null, source }
    }
    const say = NOT_PLAIN.has(errorCode(thrown) ?? '')
      ? `The configuration is not a plain file of at most ${LIMITS.configBytes} bytes.`
      : 'The configuration file cannot be read.'
    throw new Fault('config.invalid', {}, { say, cause: thrown })
  }
}

/** Reads a secret's file relative to the configuration; undefined when it cannot be read. */
export function secretReader(folder: string): (file: string) => string | undefined {
  return (file) => {
    try {
      const rules = { maxBytes: LIMITS.secretFileBytes, links: 'follow' } as const
      return readPlainFileNow(path.resolve(folder, file), rules).toString('utf8')
    } catch {
      return undefined
    }
  }
}
