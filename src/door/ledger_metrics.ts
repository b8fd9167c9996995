import { isJsonArray, type JsonValue } from '#base/json.ts'
import type { Counter, Family, Histogram, Metrics } from '#base/metrics.ts'
import type { EntryDraft, EntryKind } from '#base/recorder.ts'
import { operationOf } from './operation.ts'

/**
 * Counts what the ledger holds, entry by entry, when it is on disk: so each of these numbers is what anybody counts who
 * reads the entries of this process. They start at 0 with it.
 */
export class LedgerMetrics {
  readonly #entries: Family<Counter>
  readonly #refusals: Family<Counter>
  readonly #outcomes: Family<Counter>
  readonly #findings: Family<Counter>
  readonly #tokens: Family<Counter>
  readonly #usage: Family<Histogram>
  readonly #cost: Family<Counter>

  constructor(metrics: Metrics) {
    this.#entries = metrics.counter({
      name: 'gatehouse_ledger_entries_total',
      help: 'Entries that this process has put on disk.',
      labels: ['kind'],
    })
    this.#refusals = metrics.counter({
      name: 'gatehouse_refusals_total',
      help: 'Entries of refusals, and of outcomes that failed, by the stage that refused.',
      labels: ['stage', 'code'],
    })
    this.#outcomes = metrics.counter({
      name: 'gatehouse_outcomes_total',
      help: 'Entries of outcomes.',
      labels: ['route', 'model', 'code'],
    })
    this.#findings = metrics.counter({
      name: 'gatehouse_findings_total',
      help: 'Entries that name a rule of inspection.',
      labels: ['kind', 'rule'],
    })
    this.#tokens = metrics.counter({
      name: 'gatehouse_tokens_total',
      help: 'Tokens that outcomes name, by the model that answered.',
      labels: ['model', 'type'],
    })
    this.#cost = metrics.counter({
      name: 'gatehouse_cost_nanodollars_total',
      help: 'What outcomes say that they cost, in whole billionths of a dollar, by the model that answered.',
      labels: ['model'],
    })
    this.#usage = metrics.histogram(USAGE, TOKEN_BOUNDS)
  }

  /** Takes an entry that has just become durable; pass it as `LedgerOptions.onRecorded`. Never throws. */
  recorded({ kind, fields, countedAs }: EntryDraft): void {
    this.#entries.series(kind).add()
    const { stage, code, findings } = fields
    if (findings !== undefined) this.#countFindings(kind, findings)
    if (kind !== 'refusal' && kind !== 'outcome') return
    if (typeof stage === 'string') this.#refusals.series(stage, textOf(code)).add()
    if (kind === 'outcome' && countedAs !== undefined) {
      const { route, model } = countedAs
      this.#outcomes.series(route, model, code === undefined ? 'ok' : textOf(code)).add()
      this.#countUsage(route, textOf(fields['model']) || model, fields)
    }
  }

  #countFindings(kind: EntryKind, findings: JsonValue): void {
    if (!isJsonArray(findings)) return
    for (const rule of findings) this.#findings.series(kind, textOf(rule)).add()
  }

  #countUsage(route: string, model: string, fields: EntryDraft['fields']): void {
    const { tokens_in: read, tokens_out: written, provider, cost } = fields
    if (typeof cost === 'number') this.#cost.series(model).add(cost)
    if (typeof read === 'number') this.#count(route, [textOf(provider), model, 'input'], read)
    if (typeof written === 'number') this.#count(route, [textOf(provider), model, 'output'], written)
  }

  #count(route: string, [provider, model, type]: readonly [string, string, string], tokens: number): void {
    this.#tokens.series(model, type).add(tokens)
    this.#usage.series(operationOf(route), provider, model, type).observe(tokens)
  }
}

const USAGE = {
  name: 'gatehouse_call_tokens',
  help: 'Tokens of one answer, by the model that answered.',
  labels: ['operation', 'provider', 'model', 'type'],
  exported: {
    name: 'gen_ai.client.token.usage',
    unit: '{token}',
    attributes: [
      'gen_ai.operation.name',
      'gen_ai.provider.name',
      'gen_ai.request.model',
      'gen_ai.token.type',
    ],
  },
}

/** As the conventions of OpenTelemetry want them. */
const TOKEN_BOUNDS = Array.from({ length: 14 }, (_, power) => 4 ** power)

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
