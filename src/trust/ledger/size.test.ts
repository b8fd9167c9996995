import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes, sha256Hex } from '#base/crypto.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { emptyDisk, openOn } from '../../../test/support/ledger_fixture.ts'

const REQUESTS = 5_000
const MOST_BYTES_PER_REQUEST = 250
/** Requests in flight at once, so that intents and outcomes interleave as they do at the door. */
const IN_FLIGHT = 16
const SET = sha256Hex('the policy set')

test(`a request takes at most ${MOST_BYTES_PER_REQUEST} bytes on disk once sealed: intent, outcome and sidecar`, async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 1_000_000 })
  let next = 0
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (next < REQUESTS) {
        const at = next++
        const before = realIntent(at)
        await ledger.append(before)
        await ledger.append(realOutcome(before, at))
      }
    }),
  )
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  let bytes = 0
  let entries = 0
  for (const [name, content] of files.all()) {
    if (!/\.(leaves|sidecar)$/.test(name)) continue
    bytes += content.length
    if (name.endsWith('.leaves')) entries += Buffer.from(content).readUInt32BE(20)
  }
  assert.ok(entries > REQUESTS, `${entries} entries are sealed`)
  const perRequest = (bytes / entries) * 2
  assert.ok(perRequest <= MOST_BYTES_PER_REQUEST, `${perRequest.toFixed(1)} bytes per request`)
})

function realIntent(at: number): EntryDraft {
  const caller = (at * 7_919) % 50
  return {
    kind: 'intent',
    id: newEntryId(),
    at: 1_795_000_000_000 + at * 9 + ((at * 31) % 13),
    reserved: false,
    fields: {
      action: 'model:invoke',
      caller: `Service::"service-${caller}"`,
      kid: sha256Hex(`kid ${caller}`).slice(0, 8),
      policies: ['default-space-models'],
      set: SET,
      resource: `Model::"${['house-model', 'echo', 'gpt-large', 'embedder'][(at * 13) % 4]}"`,
      address: `10.${caller}.${(at * 3) % 256}.${(at * 101) % 256}`,
      content: Buffer.from(randomBytes(32)).toString('hex'),
    },
  }
}

function realOutcome(of: EntryDraft, at: number): EntryDraft {
  return {
    kind: 'outcome',
    id: of.id,
    at: of.at + 200 + ((at * 7_907) % 4_000),
    reserved: false,
    fields: {
      status: 200,
      ms: 200 + ((at * 7_907) % 4_000),
      tokens_in: (at * 6_007) % 3_000,
      tokens_out: (at * 4_001) % 1_500,
      content: Buffer.from(randomBytes(32)).toString('hex'),
      provider: ['openai', 'echo'][at % 2] ?? '',
      region: 'eu',
    },
  }
}
