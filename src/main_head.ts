import { errorCode, folderOf, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { openOurs } from '#trust/ledger/known_heads.ts'
import type { LogKey } from '#trust/ledger/log_keys.ts'
import type { OnLoss } from '#trust/ledger/open.ts'

/**
 * What stands at `HOME/head`: nothing, a checkpoint of the key of this home, or something else. Only a checkpoint of
 * ours says anything about the ledger.
 */
export type FoundHead =
  | { readonly kind: 'none' }
  | { readonly kind: 'ours'; readonly text: string }
  | { readonly kind: 'invalid' }

/** Reads the head that was kept in the home, and judges it by its signature. */
export async function findHead(files: Files, path: string, keys: readonly LogKey[]): Promise<FoundHead> {
  try {
    const text = Buffer.from(await files.read(path, LIMITS.noteBytes)).toString('utf8')
    const head = openOurs(text, keys)
    return head === undefined ? { kind: 'invalid' } : { kind: 'ours', text }
  } catch (thrown) {
    // What cannot be read, or is no plain file, is there all the same.
    return { kind: errorCode(thrown) === 'ENOENT' ? 'none' : 'invalid' }
  }
}

export interface LossFacts {
  /** What else of the home says that a door has been here. */
  readonly isUsed: boolean
  readonly head: FoundHead
  readonly acceptLoss: boolean
}

/** A ledger that is gone is no beginning where the home was in use; with a head of ours beside it the gap can be stated. */
export function onLossOf({ isUsed, head, acceptLoss }: LossFacts): OnLoss {
  // Whatever stands in the place of a head, somebody put it there.
  if (!isUsed && head.kind === 'none') return 'state'
  if (acceptLoss) return 'accept'
  return head.kind === 'ours' ? 'state' : 'refuse'
}

/** What is wrong with the head, where the home has kept one before. */
export function headFaultOf({ kind }: FoundHead, hasKeptOne: boolean): 'missing' | 'invalid' | undefined {
  if (kind === 'invalid') return 'invalid'
  return kind === 'none' && hasKeptOne ? 'missing' : undefined
}

/**
 * Moves an invalid head out of the way of the next one, as it may show who changed it, and says so at every start until
 * an operator has taken it away.
 */
export async function setAside(files: Files, path: string, found: FoundHead): Promise<readonly string[]> {
  const folder = folderOf(path)
  const aside = `${path}.invalid`
  if (found.kind === 'invalid') {
    await files.rename(path, aside)
    await files.syncDirectory(folder)
  }
  const isThere = (await files.list(folder)).includes(aside.slice(folder.length + 1))
  return isThere
    ? [
        'HOME/head held no checkpoint of this home and is now HOME/head.invalid: find out why, then take it away',
      ]
    : []
}
