import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { removeHome, ROOT, startDoor, temporaryHome } from '../support/gatehouse_process.ts'

const CONFIG = `models:
  echo: { provider: echo }
  main: { provider: pool, members: [{ model: echo }] }
telemetry: { otlp: { endpoint: "http://127.0.0.1:9" } }
`

test('docs/reference/metrics.md has every metric that a door prints, of its kind and with its labels, and no other', async () => {
  const home = await temporaryHome()
  await writeFile(path.join(home, 'gatehouse.yaml'), CONFIG)
  // With workers there are those of the workers, too.
  const door = await startDoor(home, ['--workers', '2'])
  try {
    const text = await (await fetch(`${door.metrics}/metrics`)).text()
    const printed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`)
    const page = readFileSync(path.join(ROOT, 'docs/reference/metrics.md'), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|/gm)]
    assert.deepEqual(rows.map(([, name, kind]) => `${name} ${kind}`).toSorted(), printed.toSorted())
    for (const [, name = '', , labels = ''] of rows) {
      const told = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)
      const series = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(text)
      if (series === null) continue
      const used = [...(series[1] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label)
      assert.deepEqual(used, told, name)
    }
  } finally {
    await door.stop()
    await removeHome(home)
  }
})
