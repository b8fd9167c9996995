import { sameBytes } from '#base/bytes.ts'
import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { peekCheckpoint } from './checkpoint.ts'
import type { SignedHead } from './checkpointer.ts'
import { FILE, type OriginFolder } from './layout.ts'
import { corrupt } from './load.ts'
import { leafHash } from './merkle.ts'
import { verifyInclusion } from './proof.ts'
import type { ReadEntry } from './read.ts'
import { printReceipt } from './receipt.ts'
import { readIfThere } from './segment_reader.ts'
import type { TiledLog } from './tiled_log.ts'
import type { TiledLogs } from './tiled_logs.ts'

/** Makes receipts of entries, from the files of a ledger beside whoever appends to it. */
export class ReceiptMaker {
  readonly #files: Files
  readonly #logs: Pick<TiledLogs, 'ofOrigin'>

  constructor(files: Files, logs: Pick<TiledLogs, 'ofOrigin'>) {
    this.#files = files
    this.#logs = logs
  }

  /**
   * The receipts of entries, one after another, each disclosing those of its values that `mayShow` says; undefined while
   * no checkpoint covers them all. Throws `ledger.corrupt`.
   */
  async receiptsOf(
    entries: readonly ReadEntry[],
    mayShow: (name: string) => boolean,
  ): Promise<string | undefined> {
    const texts: string[] = []
    for (const origin of new Set(entries.map((entry) => entry.origin))) {
      const own = entries.filter((entry) => entry.origin === origin)
      const log = await this.#logs.ofOrigin(origin)
      if (log === undefined) throw corrupt(origin, 'a log is gone')
      // One for all of them, also where the next one is signed meanwhile.
      const checkpoint = await this.#checkpointFor(log, Math.max(...own.map(({ index }) => index)))
      if (checkpoint === undefined) return undefined
      for (const entry of own) texts.push(await receiptOf(entry, { log, checkpoint, mayShow }))
    }
    return texts.join('')
  }

  /**
   * What witnesses have cosigned is worth more than what is a second newer; but a log that was set back has no proofs of it.
   */
  async #checkpointFor(log: TiledLog, index: number): Promise<SignedHead | undefined> {
    const signed = await log.signed()
    const cosigned = await this.#cosigned(log.folder)
    const head = cosigned?.head
    if (head !== undefined && index < head.size && head.size <= signed.head.size)
      if (sameBytes(await log.rootAt(head.size), head.root)) return cosigned
    return index < signed.head.size ? signed : undefined
  }

  async #cosigned({ path, origin }: OriginFolder): Promise<SignedHead | undefined> {
    const bytes = await readIfThere(this.#files, `${path}/${FILE.cosigned}`, LIMITS.noteBytes)
    const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
    const head = peekCheckpoint(text)
    return head?.origin === origin ? { head, text } : undefined
  }
}

interface ReceiptParts {
  readonly log: TiledLog
  readonly checkpoint: SignedHead
  readonly mayShow: (name: string) => boolean
}

async function receiptOf(entry: ReadEntry, { log, checkpoint, mayShow }: ReceiptParts): Promise<string> {
  const { index, bytes: leaf, opened = {} } = entry
  const { size, root } = checkpoint.head
  const hashes = await log.inclusionProof(index, size)
  // What is given out as proven has been checked here first.
  if (!verifyInclusion({ index, size, leafHash: leafHash(leaf), root, proof: hashes }))
    throw corrupt(`${log.folder.path} entry ${index}`, 'not the entry that the checkpoint covers')
  const disclosed = Object.fromEntries(Object.entries(opened).filter(([name]) => mayShow(name)))
  return printReceipt({ leaf, disclosed, proof: { index, hashes, checkpoint: checkpoint.text } })
}
