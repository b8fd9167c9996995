import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { openLedger } from '#trust/ledger/ledger.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { KEYS, readAll } from '../support/ledger_fixture.ts'

/**
 * A smoke test: the page cache outlives the process, so this cannot show a missing sync. The simulated disk does that
 * (src/trust/ledger/ledger_crash.test.ts).
 */
const ROUNDS = 20
const KEYS_OF_RUN = { ...KEYS, signingPem: newEd25519Pem() }

test(`every acknowledged entry is there after kill -9: ${ROUNDS} times on one ledger`, async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-kill-'))
  const acknowledged = new Map<number, string>()
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // Another moment each round: while starting, appending, sealing, signing.
      const lines = await runAndKill(directory, 1 + round * 40)
      for (const [index = '', id = '', kind = ''] of lines)
        acknowledged.set(Number(index), JSON.stringify([id, kind]))
      const ledger = await openLedger({
        files: NODE_FILES,
        directory,
        keys: KEYS_OF_RUN,
        clock: SYSTEM_CLOCK,
        reserveBytes: 100_000,
      })
      await ledger.close()
      const found = new Map(
        (await readAll(NODE_FILES, {}, directory)).map(({ index, leaf }) => [
          index,
          JSON.stringify([leaf['id'], leaf['kind']]),
        ]),
      )
      for (const [index, entry] of acknowledged)
        assert.equal(found.get(index), entry, `entry ${index} in round ${round}`)
      const report = await verifyLedger({
        files: NODE_FILES,
        directory,
        keys: { sidecarKey: KEYS.sidecarKey },
      })
      assert.deepEqual(report.problems, [])
    }
    assert.ok(acknowledged.size > 1_000, `${acknowledged.size} entries were acknowledged`)
  } finally {
    fs.rmSync(directory, { recursive: true })
  }
})

async function runAndKill(directory: string, afterLines: number): Promise<string[][]> {
  const writer = path.join(import.meta.dirname, 'kill_nine_writer.ts')
  const { signingPem, mlDsaPem } = KEYS_OF_RUN
  const child = spawn(process.execPath, [writer, directory, signingPem, mlDsaPem], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (output.split('\n').length > afterLines) child.kill('SIGKILL')
  }
  await closed
  assert.equal(child.signalCode, 'SIGKILL')
  // The last line may be cut.
  return output
    .slice(0, output.lastIndexOf('\n'))
    .split('\n')
    .map((line) => line.split(' '))
}
