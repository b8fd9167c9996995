import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from './config.ts'
import { environmentOf } from './main_worker_environment.ts'

const CONFIG = `
metrics_token: { from_env: SCRAPE }
models:
  dear: { provider: openai, base_url: https://api.example/v1, model: m, key: { from_env: PROVIDER } }
telemetry:
  otlp: { endpoint: https://otlp.example, headers: { authorization: { from_env: EXPORT } } }
`

test('environmentOf takes from a worker what only the writer needs, and leaves what it calls others with', () => {
  assert.deepEqual(environmentOf(loadConfig(CONFIG, 'c')), { SCRAPE: undefined })
})

test('environmentOf leaves a variable that is used for both', () => {
  assert.deepEqual(environmentOf(loadConfig(CONFIG.replace('SCRAPE', 'PROVIDER'), 'c')), {})
})
