import type { JsonObject, JsonValue } from '#base/json.ts'
import type { EntryView } from '#rooms/admin/entry_view.ts'

/** The metrics that must say what the entries say. */
export const COUNTED = [
  'gatehouse_ledger_entries_total',
  'gatehouse_refusals_total',
  'gatehouse_outcomes_total',
  'gatehouse_findings_total',
  'gatehouse_tokens_total',
  'gatehouse_cost_nanodollars_total',
  'gatehouse_call_tokens_count',
  'gatehouse_call_tokens_sum',
] as const

/** What somebody counts who has nothing but the entries, as the series that `/metrics` should print. */
export function countEntries(entries: readonly EntryView[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  const add = (name: string, labels: Readonly<Record<string, string>>, count = 1): void => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    const series = `${name}{${pairs.join(',')}}`
    counts.set(series, (counts.get(series) ?? 0) + count)
  }
  const intents = new Map<string, JsonObject>()
  for (const { kind, id, shown } of entries) {
    if (kind === 'intent') intents.set(id, shown)
    add('gatehouse_ledger_entries_total', { kind })
    for (const rule of listOf(shown['findings'])) add('gatehouse_findings_total', { kind, rule })
    const [stage, code] = [textOf(shown['stage']), textOf(shown['code'])]
    if (stage !== '') add('gatehouse_refusals_total', { stage, code })
    if (kind !== 'outcome') continue
    const intent = intents.get(id) ?? {}
    const route = textOf(intent['route'])
    const asked = /^Model::"(.*)"$/.exec(textOf(intent['resource']))?.[1] ?? ''
    add('gatehouse_outcomes_total', { route, model: asked, code: code === '' ? 'ok' : code })
    const model = textOf(shown['model']) || asked
    if (typeof shown['cost'] === 'number') add('gatehouse_cost_nanodollars_total', { model }, shown['cost'])
    for (const [type, tokens] of [
      ['input', shown['tokens_in']],
      ['output', shown['tokens_out']],
    ] as const) {
      if (typeof tokens !== 'number') continue
      add('gatehouse_tokens_total', { model, type }, tokens)
      const operation = ['chat', 'responses', 'messages'].includes(route) ? 'chat' : route
      const labels = { operation, provider: textOf(shown['provider']), model, type }
      add('gatehouse_call_tokens_count', labels)
      add('gatehouse_call_tokens_sum', labels, tokens)
    }
  }
  return Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** What the digests say, as the series of their metric. */
export function countDigests(entries: readonly EntryView[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const { kind, shown, opened } of entries) {
    if (kind !== 'digest') continue
    const codes = Object.entries((opened['codes'] ?? {}) as Record<string, number>)
    if (codes.reduce((sum, [, count]) => sum + count, 0) !== shown['count'])
      throw new Error('a digest does not add up')
    for (const [code, count] of codes) {
      const series = `gatehouse_digested_total{code="${code}"}`
      counts.set(series, (counts.get(series) ?? 0) + count)
    }
  }
  return Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1)))
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function listOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
