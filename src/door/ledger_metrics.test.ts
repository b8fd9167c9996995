import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '#base/metrics.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { readPage } from '../../test/support/metrics_page.ts'
import { LedgerMetrics } from './ledger_metrics.ts'

const CHAT = { route: 'chat', model: 'main' }

function counted(...drafts: readonly Partial<EntryDraft>[]): Record<string, number> {
  const metrics = new Metrics()
  const counts = new LedgerMetrics(metrics)
  for (const draft of drafts)
    counts.recorded({ kind: 'outcome', id: 'id', at: 0, fields: {}, reserved: false, ...draft })
  const page = [...readPage(metrics.expose())].filter(([series]) => !/_(?:bucket|count|sum)\{/.test(series))
  return Object.fromEntries(page)
}

const TABLE: readonly (readonly [
  why: string,
  drafts: readonly Partial<EntryDraft>[],
  expected: Record<string, number>,
])[] = [
  [
    'an intent with findings',
    [{ kind: 'intent', fields: { findings: ['credential.github', 'personal.email'] }, countedAs: CHAT }],
    {
      'gatehouse_ledger_entries_total{kind="intent"}': 1,
      'gatehouse_findings_total{kind="intent",rule="credential.github"}': 1,
      'gatehouse_findings_total{kind="intent",rule="personal.email"}': 1,
    },
  ],
  [
    'an outcome, by the member of the pool that answered',
    [
      {
        fields: { status: 200, model: 'second', provider: 'openai', tokens_in: 7, tokens_out: 2, cost: 30 },
        countedAs: CHAT,
      },
    ],
    {
      'gatehouse_ledger_entries_total{kind="outcome"}': 1,
      'gatehouse_outcomes_total{route="chat",model="main",code="ok"}': 1,
      'gatehouse_tokens_total{model="second",type="input"}': 7,
      'gatehouse_tokens_total{model="second",type="output"}': 2,
      'gatehouse_cost_nanodollars_total{model="second"}': 30,
    },
  ],
  [
    'an outcome that failed is a refusal too',
    [{ fields: { status: 502, stage: 'act', code: 'upstream.failed' }, countedAs: CHAT }],
    {
      'gatehouse_ledger_entries_total{kind="outcome"}': 1,
      'gatehouse_outcomes_total{route="chat",model="main",code="upstream.failed"}': 1,
      'gatehouse_refusals_total{stage="act",code="upstream.failed"}': 1,
    },
  ],
  [
    'two refusals',
    Array.from({ length: 2 }, () => ({
      kind: 'refusal' as const,
      fields: { stage: 'authorize', code: 'action.denied' },
    })),
    {
      'gatehouse_ledger_entries_total{kind="refusal"}': 2,
      'gatehouse_refusals_total{stage="authorize",code="action.denied"}': 2,
    },
  ],
  [
    'an entry that no request made',
    [{ kind: 'note', fields: { what: 'x', stage: 'act', tokens_in: 3 } }],
    { 'gatehouse_ledger_entries_total{kind="note"}': 1 },
  ],
  [
    'fields of another form than they have',
    [{ fields: { findings: 'x', code: 7, stage: 1, tokens_in: '3', cost: null }, countedAs: CHAT }],
    {
      'gatehouse_ledger_entries_total{kind="outcome"}': 1,
      'gatehouse_outcomes_total{route="chat",model="main",code=""}': 1,
    },
  ],
]

for (const [why, drafts, expected] of TABLE)
  test(`LedgerMetrics counts what was recorded: ${why}`, () => assert.deepEqual(counted(...drafts), expected))
