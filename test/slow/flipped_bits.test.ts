import assert from 'node:assert/strict'
import test from 'node:test'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { draft, emptyDisk, intent, LEDGER, openOn } from '../support/ledger_fixture.ts'

/** In files longer than this one bit of each byte is flipped, another one each time; in shorter ones all eight. */
const LONG_BYTES = 3_000

test('verifyLedger finds any flipped bit: in every byte of every file of a ledger', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000, roomBytes: 500 })
  const notes = Array.from({ length: 256 }, (_, at) =>
    draft('note', { what: `note ${at}`, asked: `secret ${at}` }),
  )
  await Promise.all(notes.map((note) => ledger.append(note)))
  await ledger.checkpoint()
  await ledger.settled()
  for (let at = 0; at < 3; at++) await Promise.all([0, 1].map((each) => ledger.append(intent(at * 2 + each))))
  await ledger.close()
  files.tamper(`${LEDGER}/reserve`, undefined)
  assert.equal((await verifyLedger({ files, directory: LEDGER })).ok, true)
  let flips = 0
  for (const [name, bytes] of files.all()) {
    for (let at = 0; at < bytes.length; at++) {
      const bits = bytes.length > LONG_BYTES ? [(at * 5) % 8] : [0, 1, 2, 3, 4, 5, 6, 7]
      for (const bit of bits) {
        const changed = Uint8Array.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        files.tamper(name, changed)
        const report = await verifyLedger({ files, directory: LEDGER })
        assert.equal(report.ok, false, `bit ${bit} of byte ${at} of ${name}`)
        flips += 1
      }
    }
    files.tamper(name, bytes)
  }
  assert.ok(flips > 10_000, `${flips} bits were flipped`)
})
