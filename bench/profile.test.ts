import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ROOT } from './processes.ts'
import { placeOf, summarise } from './profile.ts'

const url = (file: string): string => pathToFileURL(path.join(ROOT, file)).href

test('placeOf names the part: ring and room, package, built-in or engine', () => {
  for (const [functionName, place, expected] of [
    ['append', url('src/trust/ledger/ledger.ts'), 'src/trust/ledger'],
    ['parse', url('src/base/json.ts'), 'src/base/json.ts'],
    ['dispatch', url('node_modules/undici/lib/pool.js'), 'package undici'],
    ['decide', url('node_modules/@cedar-policy/cedar-wasm/web/x.js'), 'package @cedar-policy/cedar-wasm'],
    ['emit', 'node:events', 'node:events'],
    ['writev', 'node:internal/streams/writable', 'node:streams'],
    ['f12', 'wasm://wasm/00a1', 'wasm'],
    ['(idle)', '', 'idle'],
    ['(garbage collector)', '', 'garbage collector'],
    ['stringify', '', 'native functions'],
    ['main', url('src/main.ts'), 'src/main.ts'],
  ] as const) {
    assert.equal(placeOf({ functionName, url: place }), expected)
  }
})

test('summarise counts only the window of load', () => {
  const frame = (functionName: string, place: string) => ({ functionName, url: place, lineNumber: 0 })
  const nodes = [
    { id: 1, callFrame: frame('(idle)', '') },
    { id: 2, callFrame: frame('append', url('src/trust/ledger/ledger.ts')) },
  ]
  const profile = { startTime: 1_000, nodes, samples: [2, 1, 2, 2], timeDeltas: [100, 100, 300, 100] }
  const report = summarise(profile, { fromUs: 1_150, untilUs: 1_550, requests: 10 })
  assert.deepEqual(
    report.places.map(({ name, percent, us_per_request }) => [name, percent, us_per_request]),
    [
      ['src/trust/ledger', 75, 30],
      ['idle', 25, 10],
    ],
  )
  assert.equal(report.us_per_request, 30)
  assert.equal(report.busy_percent, 75)
})
