import path from 'node:path'
import type { Clock } from '#base/clock.ts'
import { errorCode, isTemporary, type Files } from '#base/files.ts'
import {
  FIRST_FORMAT,
  HOME_FORMAT,
  readHomeVersion,
  writeHomeVersion,
  type HomeVersion,
} from '#base/home_version.ts'
import { newEntryId } from '#base/ids.ts'
import type { Recorder } from '#base/recorder.ts'

/** What brings a home to the next format. It may run again after a crash in the middle of it, or after its end. */
export interface MigrationStep {
  /** The format that it brings to, from the one before. */
  readonly to: number
  readonly run: (files: Files, home: string) => Promise<void>
}

/** Every step there is, in order. A step is never edited once it has been released. */
export const STEPS: readonly MigrationStep[] = [
  {
    // Segments may have room at their end from here on, logs have tiles and a second key: an older program would take
    // that for damage. Programs before this left what they had not finished.
    to: 2,
    run: removeUnfinished,
  },
]

export interface MigrateParts {
  readonly files: Files
  readonly home: string
  /** Of this program. */
  readonly program: string
}

export interface Migrated {
  /** The format that was found; undefined where nothing had to be done. */
  readonly from: number | undefined
  readonly version: HomeVersion
}

/**
 * Brings a home that was found to the format of this program, one step after the other, before anything of it is opened. Each
 * step is noted when it is done, so that a crash repeats one step at most.
 *
 * Throws `home.newer` before anything is changed, and `home.damaged`.
 */
export async function migrateHome(
  { files, home, program }: MigrateParts,
  steps: readonly MigrationStep[] = STEPS,
): Promise<Migrated> {
  const found = await readHomeVersion(files, home)
  const from = found?.format ?? FIRST_FORMAT
  let version = found ?? { format: from, recorded: from, program: '' }
  for (const { to, run } of steps.filter((step) => step.to > from)) {
    await run(files, home)
    version = { format: to, recorded: version.recorded, program }
    await writeHomeVersion(files, home, version)
  }
  return { from: version.format === from ? undefined : from, version }
}

/** A new home has the newest format from its first moment on. */
export async function writeFirstVersion({ files, home, program }: MigrateParts): Promise<void> {
  await writeHomeVersion(files, home, { format: HOME_FORMAT, recorded: HOME_FORMAT, program })
}

/**
 * Puts the steps that the ledger does not speak of yet into it, each as a change. A crash in between may have one of them there
 * twice, and none missing.
 */
export async function recordUpgrade(
  { files, home, version }: Pick<MigrateParts, 'files' | 'home'> & { readonly version: HomeVersion },
  { ledger, clock }: { readonly ledger: Recorder; readonly clock: Clock },
): Promise<void> {
  for (let { recorded } = version; recorded < version.format; recorded++) {
    const fields = { what: 'home:upgrade', before: recorded, after: recorded + 1 }
    await ledger.append({ kind: 'change', id: newEntryId(), at: clock.now(), fields, reserved: true })
    await writeHomeVersion(files, home, { ...version, recorded: recorded + 1 })
  }
}

/** What writes of older programs left beside what they were to replace, in the home and in its logs. */
async function removeUnfinished(files: Files, home: string): Promise<void> {
  const ledger = path.join(home, 'ledger')
  const logs = (await namesIn(files, ledger)).map((name) => path.join(ledger, name))
  for (const folder of [home, ledger, ...logs]) {
    const unfinished = (await namesIn(files, folder)).filter(isTemporary)
    for (const name of unfinished) await files.unlink(path.join(folder, name))
    if (unfinished.length > 0) await files.syncDirectory(folder)
  }
}

async function namesIn(files: Files, folder: string): Promise<readonly string[]> {
  try {
    return await files.list(folder)
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOTDIR') return []
    throw thrown
  }
}
