import type { JsonObject } from '#base/json.ts'
import { isLimit, LIMIT_NAMES, ruleOf, type LimitName } from '#trust/access/limit_terms.ts'
import type { Call, OptionRow } from './command.ts'
import { wrongUsage } from './usage.ts'

/** One option for each limit that something can have, as in `--requests-per-day N`. */
export const limitOptions = (of: string): readonly OptionRow[] =>
  LIMIT_NAMES.map((name) => ({
    name: optionOf(name),
    value: 'N',
    says: `limit ${of} to N ${name === 'concurrent' ? 'requests at the same time' : name.replaceAll('_', ' ')}`,
  }))

/** The limits that were asked for; undefined for none. Throws `usage.wrong`. */
export function limitsOf(call: Call): JsonObject | undefined {
  const limits: Record<string, number> = {}
  for (const name of LIMIT_NAMES) {
    const text = call.option(optionOf(name))
    if (text === undefined) continue
    const value = Number(text)
    if (!/^\d{1,13}(?:\.\d{1,6})?$/.test(text) || !isLimit(name, value))
      throw wrongUsage(`--${optionOf(name)} ${ruleOf(name)}.`)
    limits[name] = value
  }
  return Object.keys(limits).length === 0 ? undefined : limits
}

/** Limits as they are shown beside each other. */
export function limitsLine(limits: JsonObject | null): string {
  return Object.entries(limits ?? {})
    .map(([name, most]) => `${name.replaceAll('_', ' ')} ${JSON.stringify(most)}`)
    .join(', ')
}

function optionOf(name: LimitName): string {
  return name.replaceAll('_', '-')
}
