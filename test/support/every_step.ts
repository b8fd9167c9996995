import { sha256Hex } from '#base/crypto.ts'
import { emptyDisk } from './ledger_fixture.ts'
import type { SimulatedFiles, Step, Survival, Verdict } from './simulated_files.ts'

/** What is done on a disk, and what is checked of the disk that is left of it. */
export interface TriedLife<Promised> {
  /** Stops quietly where the disk stops it, and says what was promised until then. */
  readonly live: (files: SimulatedFiles) => Promise<Promised>
  readonly checkDisk: (disk: SimulatedFiles, promised: Promised) => Promise<void>
}

/**
 * Lives the life once per step with a verdict at that step, until one no longer reaches it, and checks what each of the
 * survivals leaves. Gives how many steps there are.
 */
export async function checkEveryStep<Promised>(
  { live, checkDisk }: TriedLife<Promised>,
  verdict: Verdict,
  survivals: readonly Survival[],
): Promise<number> {
  for (let number = 0; ; number++) {
    const files = await emptyDisk()
    let struck: Step | undefined
    files.judge = (step) => {
      if (step.number !== number) return 'go'
      struck = step
      return verdict
    }
    const promised = await live(files)
    if (struck === undefined) return number
    const { kind, path } = struck
    for (const { survival, disk } of differentDisks(files, survivals))
      await checkDisk(disk, promised).catch((thrown: unknown) => {
        throw new Error(`step ${number} (${kind} ${path}), what survives: ${survival}`, { cause: thrown })
      })
  }
}

/** Where little was unsynced, several survivals leave the same disk. */
function* differentDisks(
  files: SimulatedFiles,
  survivals: readonly Survival[],
): Generator<{ readonly survival: Survival; readonly disk: SimulatedFiles }, void, undefined> {
  const seen = new Set<string>()
  for (const survival of survivals) {
    const disk = files.reopen(survival)
    const print = [...disk.all()].map(([path, bytes]) => `${path} ${sha256Hex(bytes)}`).join('\n')
    if (seen.has(print)) continue
    seen.add(print)
    yield { survival, disk }
  }
}
