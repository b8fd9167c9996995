import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Fault } from '#base/fault.ts'
import { DEFAULT_CONFIG_TEXT } from './config_default.ts'

const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600

export interface NewHome {
  readonly home: string
  /** The configuration, where it is not in the home. */
  readonly config: string | undefined
  /** The folder that holds package.json and the shipped policies. */
  readonly project: string
}

/** What a new home gets before anything is opened: a configuration and the shipped policies, for the operator to edit. */
export async function furnish({ home, config, project }: NewHome): Promise<readonly string[]> {
  const made = ['keys/ (this machine only, mode 0600)', 'ledger/ and state.db']
  const file = path.join(home, 'gatehouse.yaml')
  if (config === undefined && !(await exists(file))) {
    await writeFile(file, DEFAULT_CONFIG_TEXT, { mode: PRIVATE_FILE })
    made.push('gatehouse.yaml (the configuration, with comments)')
  }
  const policies = path.join(home, 'policies')
  if (!(await exists(policies))) {
    await makeFolder(policies)
    const shipped = path.join(project, 'policies')
    for (const name of await readdir(shipped)) {
      if (name.endsWith('.cedar')) await copyFile(path.join(shipped, name), path.join(policies, name))
    }
    made.push('policies/ (who may do what)')
  }
  return made
}

/** Makes a folder for this user alone. Throws `home.unwritable`. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER })
  } catch (thrown) {
    throw new Fault('home.unwritable', { folder }, { cause: thrown })
  }
}

export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
