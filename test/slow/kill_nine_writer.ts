import { SYSTEM_CLOCK } from '#base/clock.ts'
import { NODE_FILES } from '#base/files.ts'
import { openLedger } from '#trust/ledger/ledger.ts'
import { intent, KEYS, outcome } from '../support/ledger_fixture.ts'

/** Appends until it is killed and prints each entry that was acknowledged: `<index> <id> <kind>`. */
const [directory = '', signingPem = '', mlDsaPem = ''] = process.argv.slice(2)
const ledger = await openLedger({
  files: NODE_FILES,
  directory,
  keys: { ...KEYS, signingPem, mlDsaPem },
  clock: SYSTEM_CLOCK,
  segmentBytes: 60_000,
  reserveBytes: 100_000,
  checkpointEveryMs: 20,
})
await Promise.all(Array.from({ length: 16 }, (_, at) => produce(at)))

async function produce(producer: number): Promise<void> {
  for (let at = producer; ; at += 16) {
    const before = intent(at)
    for (const draft of [before, outcome(before, at)]) {
      const receipt = await ledger.append(draft)
      process.stdout.write(`${receipt.index} ${draft.id} ${draft.kind}\n`)
    }
  }
}
