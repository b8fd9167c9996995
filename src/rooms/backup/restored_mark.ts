import { utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { folderOf, writeAtomic, type Files } from '#base/files.ts'
import { isJsonArray, isJsonObject } from '#base/json.ts'
import { readTextIfThere } from '#base/read_text.ts'
import type { Head } from '#trust/ledger/checkpoint.ts'
import { headFromJson, headToJson } from '#trust/ledger/succession.ts'

/**
 * What a restored home says of itself until a door has started in it: its ledger ends where the copy was made, and what was
 * recorded after that, here or by others who were told of it, is not in it.
 */
export interface RestoredMark {
  /** Which backup. */
  readonly backup: string
  readonly madeAt: Millis
  readonly restoredAt: Millis
  /** What the copy ends with; undefined where it holds no ledger. */
  readonly head: Head | undefined
  /** Checkpoints of this home that were found where it was restored to. */
  readonly known: readonly string[]
}

/** The file in the home. */
export const RESTORED = 'restored'

export async function writeRestoredMark(files: Files, home: string, mark: RestoredMark): Promise<void> {
  const { backup, madeAt, restoredAt, head, known } = mark
  const value = { backup, madeAt, restoredAt, head: head ? headToJson(head) : null, known }
  await writeAtomic(files, `${home}/${RESTORED}`, utf8(`${JSON.stringify(value)}\n`))
}

/** Undefined in a home that was not restored, or has been started since. Throws `home.damaged` for a file of another form. */
export async function readRestoredMark(files: Files, home: string): Promise<RestoredMark | undefined> {
  const text = await readTextIfThere(files, `${home}/${RESTORED}`)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (!isJsonObject(value)) throw new SyntaxError()
    const { backup, madeAt, restoredAt, head, known } = value
    const isWhole =
      typeof backup === 'string' &&
      isTime(madeAt) &&
      isTime(restoredAt) &&
      // Without it the next start would append to the log of the copy.
      (head === null || headFromJson(head) !== undefined) &&
      known !== undefined &&
      isJsonArray(known)
    if (!isWhole) throw new SyntaxError()
    const texts = known.filter((each) => typeof each === 'string')
    return { backup, madeAt, restoredAt, head: headFromJson(head), known: texts }
  } catch (thrown) {
    throw new Fault(
      'home.damaged',
      { place: RESTORED },
      { say: 'HOME/restored says nothing that can be read. Restore again.', cause: thrown },
    )
  }
}

/** False for what no date can be made of. */
function isTime(value: unknown): value is Millis {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime())
}

/** The home has been started: what the mark said is in the ledger. */
export async function removeRestoredMark(files: Files, home: string): Promise<void> {
  const path = `${home}/${RESTORED}`
  await files.unlink(path)
  await files.syncDirectory(folderOf(path))
}
