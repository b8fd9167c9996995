import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawSoak, soakDoor } from './soak.ts'

test('soakDoor looks at the memory of our door after each burst of load', async () => {
  const minutes = 0.02
  const report = await soakDoor({
    minutes,
    concurrency: 2,
    everyMs: 500,
    warmMs: 300,
    say: () => undefined,
  })
  assert.ok(report.requests > 0)
  assert.equal(report.errors, 0)
  assert.ok(report.samples.length > 2)
  for (const { rss_mb } of report.samples) assert.ok(rss_mb > 50 && rss_mb <= report.peak_mb)
  assert.match(drawSoak(report), /0 errors\nresident memory \d+ MB/)
})
