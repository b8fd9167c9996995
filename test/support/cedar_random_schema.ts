import type { SchemaType } from '#trust/cedar/schema_types.ts'
import type { Draw } from './cedar_cases.ts'

/** Entity types of every random schema; there is a type of two entities, too, and four actions in three groups. */
export const ENTITY_TYPES = ['A', 'B', 'C', 'N::D'] as const
export const ATTRIBUTE_NAMES = ['a', 'b', 'c', 'd', 'odd name']
const SCALARS = ['Bool', 'Long', 'String', 'decimal', 'ipaddr', 'datetime', 'duration']

/** What extension functions are called with: the first says a value. */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  decimal: ['1.0', '-2.5', '1.23456'],
  ipaddr: ['127.0.0.1', '::1/64', '1.2.3'],
  datetime: ['2024-02-29', '1970-01-01T00:00:00Z', '2024-1-1'],
  duration: ['1h', '-3ms', '1x'],
}
export const PLAIN_TYPES: readonly SchemaType[] = [
  { kind: 'truth' },
  { kind: 'integer' },
  { kind: 'text' },
  { kind: 'extension', type: 'decimal' },
  { kind: 'extension', type: 'ipaddr' },
  { kind: 'extension', type: 'datetime' },
  { kind: 'extension', type: 'duration' },
  { kind: 'set', element: { kind: 'integer' } },
]

/** A schema that Cedar takes. */
export function makeSchema(draw: Draw): string {
  const entity = (name: string): string => {
    const parents = ENTITY_TYPES.filter(() => draw.chance(35))
    const within = parents.length > 0 ? ` in [${parents.join(', ')}]` : ''
    const tags = draw.chance(40) ? ` tags ${writeType(draw, 1)}` : ''
    return `entity ${name}${within} = ${writeRecord(draw, 2)}${tags};`
  }
  const types = (): string =>
    `[${[draw.one(ENTITY_TYPES), ...ENTITY_TYPES.filter(() => draw.chance(30))].join(', ')}]`
  const action = (name: string, parents: string): string => {
    const context = draw.one(['Common', 'Common', '{}', writeRecord(draw, 2)])
    const within = parents === '' ? '' : ` in [${parents}]`
    return `action ${name}${within} appliesTo { principal: ${types()}, resource: ${types()}, context: ${context} };`
  }
  return [
    `type Common = ${writeRecord(draw, 2)};`,
    entity('A'),
    entity('B'),
    entity('C'),
    'entity Color enum ["red", "blue"];',
    'action g1; action g2 in [g1]; action g3;',
    action('r', draw.one(['g1', 'g2', 'g2, g3'])),
    action('s', draw.one(['g1', 'g3', 'r'])),
    action('t', ''),
    `namespace N { ${entity('D')} ${action('u', '')} }`,
  ].join('\n')
}

function writeType(draw: Draw, depth: number): string {
  if (depth > 0 && draw.chance(25)) return writeRecord(draw, depth - 1)
  if (depth > 0 && draw.chance(25)) return `Set<${writeType(draw, depth - 1)}>`
  return draw.chance(35) ? draw.one([...ENTITY_TYPES, 'Color']) : draw.one(SCALARS)
}

function writeRecord(draw: Draw, depth: number): string {
  const fields = ATTRIBUTE_NAMES.filter(() => draw.chance(55)).map(
    (name) => `${JSON.stringify(name)}${draw.one(['', '?'])}: ${writeType(draw, depth)}`,
  )
  return `{ ${fields.join(', ')} }`
}
