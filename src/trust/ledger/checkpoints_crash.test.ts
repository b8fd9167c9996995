import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519PublicBytes, mlDsa44PublicBytes, newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import { HandClock, intent, KEYS, LEDGER, openOn } from '../../../test/support/ledger_fixture.ts'
import { checkEveryStep } from '../../../test/support/every_step.ts'
import { SURVIVALS, type SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { printHead } from './checkpoint.ts'
import { cosignaturesOf, ed25519Cosigner } from './cosignature.ts'
import type { Ledger } from './ledger.ts'
import { logKeysOf, type LogKeyring } from './log_keys.ts'
import { verifyLedger } from './verify.ts'

const NOW = new HandClock().now()
const COSIGNER = ed25519Cosigner('example.test/w', newEd25519Pem())
/** The keys after a rotation, which are on disk before the ledger signs with them. */
const ROTATED: LogKeyring = {
  signingPem: newEd25519Pem(),
  mlDsaPem: newMlDsa44Pem(),
  earlier: [
    {
      ed25519: ed25519PublicBytes(KEYS.signingPem),
      mlDsa44: mlDsa44PublicBytes(KEYS.mlDsaPem),
      endsAt: NOW + 86_400_000,
      pair: { signingPem: KEYS.signingPem, mlDsaPem: KEYS.mlDsaPem },
    },
  ],
}

/** What was cosigned, and known to be kept. */
async function cosign(ledger: Ledger, kept: string[]): Promise<void> {
  const { newest } = ledger.checkpoints
  const line = await COSIGNER.sign(printHead(newest.head), NOW)
  await ledger.checkpoints.cosign(newest, [line], true)
  kept.push(newest.text + line)
}

/** Checkpoints, cosignatures and a rotation of the keys; stops where the disk stops it. */
async function live(files: SimulatedFiles): Promise<string[]> {
  const kept: string[] = []
  const ledger = await openOn(files).catch(() => undefined)
  if (ledger === undefined) return kept
  try {
    await ledger.append(intent(1))
    await ledger.checkpoint()
    await cosign(ledger, kept)
    await ledger.checkpoints.rekey(ROTATED)
    await ledger.append(intent(2))
    await ledger.checkpoint()
    await cosign(ledger, kept)
  } catch {
    // What was kept until then must be there.
  }
  await ledger.close().catch(() => undefined)
  return kept
}

async function checkDisk(files: SimulatedFiles, kept: readonly string[]): Promise<void> {
  const ledger = await openOn(files, { keys: { ...KEYS, ...ROTATED } })
  assert.deepEqual(ledger.state().problems, [])
  const last = kept.at(-1)
  const { cosigned } = ledger.checkpoints
  if (last !== undefined) assert.ok(cosigned !== undefined, 'a cosigned checkpoint is lost')
  if (cosigned !== undefined) assert.equal(cosignaturesOf(cosigned.text, [COSIGNER]).length, 1)
  await ledger.append(intent(3))
  await ledger.checkpoint()
  await ledger.close()
  const held = kept.map((note) => ({ place: 'what was kept', note }))
  for (const keys of [{}, { logKeys: logKeysOf(ROTATED, NOW) }]) {
    const report = await verifyLedger({ files, directory: LEDGER, keys, held })
    assert.deepEqual(report.problems, [])
    assert.equal(report.origins.length, 1, 'it is the same log')
  }
}

const LIFE = { live, checkDisk }

test('cosign and rekey keep what they promise: the machine stops at any step, whatever survives of unsynced work', async () => {
  const steps = await checkEveryStep(LIFE, 'crash', SURVIVALS)
  assert.ok(steps > 30, `the life has ${steps} steps`)
})

test('cosign and rekey keep what they promise: one step fails, then the machine stops', async () => {
  await checkEveryStep(LIFE, { code: 'EIO' }, ['lost'])
})
