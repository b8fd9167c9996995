import type { JsonObject, JsonValue } from '#base/json.ts'
import type { EntryView } from '#rooms/admin/entry_view.ts'
import { printTime } from './duration.ts'
import { visibleValue } from './visible.ts'

const KIND_WIDTH = 8
const LABEL_WIDTH = 11

/** One entry as one line. */
export function entryLine(entry: EntryView): string {
  const { index, at, kind, id, shown } = entry
  const facts = [shown['what'], shown['action'], shown['stage'], shown['code'], shown['status']].flatMap(
    texts,
  )
  return [`#${index}`, printTime(at), kind.padEnd(KIND_WIDTH), id, ...facts].join('  ')
}

/** One entry with all that is shown of it and was opened. */
export function entryBlock(entry: EntryView): string {
  const { shown, opened, origin } = entry
  return [
    entryLine(entry),
    `  ${'log'.padEnd(LABEL_WIDTH)} ${origin}`,
    ...facts(shown, ''),
    ...facts(opened, ' (sealed)'),
  ].join('\n')
}

export function entryJson({ origin, index, kind, id, at, shown, opened }: EntryView): JsonObject {
  return { origin, index, kind, id, at, shown, opened }
}

function facts(fields: JsonObject, mark: string): readonly string[] {
  return Object.entries(fields).map(
    ([name, value]) => `  ${visibleValue(name).padEnd(LABEL_WIDTH)} ${texts(value).join(', ')}${mark}`,
  )
}

function texts(value: JsonValue | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  return [visibleValue(typeof value === 'string' ? value : JSON.stringify(value))]
}
