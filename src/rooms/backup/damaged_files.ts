import { Fault } from '#base/fault.ts'
import type { KeptFile } from './manifest.ts'

/** Of more than these nobody reads the names: they are counted. */
const MOST_NAMED = 20

/** Gathers which files are damaged in a backup, so that one of them keeps nobody from the others. */
export class DamagedFiles {
  readonly #named: KeptFile[] = []
  #count = 0

  /** Does something with a file of the backup; false where that throws `backup.damaged`, which is kept for later. */
  async isWhole(file: KeptFile, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== 'backup.damaged') throw thrown
      this.#count += 1
      if (this.#named.length < MOST_NAMED) this.#named.push(file)
      return false
    }
  }

  /** Throws `backup.damaged` with the files that were, and the objects that hold them, where there were any. */
  throwIfAny(more = ''): void {
    const [first] = this.#named
    if (first === undefined) return
    const names = this.#named.map(({ path, object }) => `${path} (${object})`).join(', ')
    const others = this.#count - this.#named.length
    const rest = others === 0 ? '' : ` and ${others} more`
    throw new Fault(
      'backup.damaged',
      { place: first.path, count: this.#count },
      { say: `Missing or damaged in the backup: ${names}${rest}.${more}` },
    )
  }
}
