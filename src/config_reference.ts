import type * as z from 'zod'
import { CONFIG_JSON_SCHEMA } from './config.ts'

type Schema = z.core.JSONSchema.BaseSchema

const TITLES: Readonly<Record<string, string>> = {
  listen: 'Listeners',
  models: 'Models',
  identity: 'Identity',
  telemetry: 'Telemetry',
  inspection: 'Inspection',
  limits: 'Limits',
  ledger: 'Ledger',
  policies: 'Policies',
}

/** The reference of gatehouse.yaml as Markdown, made from the schema so that it cannot say something else. */
export function configReference(): string {
  const parts = Object.entries(CONFIG_JSON_SCHEMA.properties ?? {}).map(([name, schema]) => {
    const title = TITLES[name]
    const rows = rowsOf(name, of(schema), false).map(
      ({ key, type, standard, why }) => `| \`${key}\` | ${type} | ${standard} | ${why} |`,
    )
    const head =
      title === undefined
        ? []
        : ['', `## ${title}`, '', '| key | value | default | why |', '|---|---|---|---|']
    return [...head, ...rows].join('\n')
  })
  return `${HEAD}${parts.join('\n')}\n`
}

const HEAD = `# Configuration

Made from \`src/config_schema.ts\` and \`src/config_models.ts\`; a test compares.

Gatehouse reads one YAML file: \`gatehouse.yaml\` in the home, or what \`--config FILE\` names. An unknown key, a wrong type or
a secret in the file stops the start with every problem and its place; \`./gatehouse config check\` shows the same without
starting. \`./gatehouse config show\` prints the configuration with all defaults. Aliases, merge keys, tags and duplicate keys
are refused. Units stand in the names: \`_ms\` is milliseconds, \`_bytes\` is bytes.

A secret never stands in the file. Where one is needed, the file says where it is: \`{ from_env: NAME }\` for an environment
variable, \`{ from_file: PATH }\` for a file with nothing else in it.
`

interface Row {
  readonly key: string
  readonly type: string
  readonly standard: string
  readonly why: string
}

function rowsOf(key: string, schema: Schema, isRequired: boolean): readonly Row[] {
  const own = {
    key,
    type: typeOf(schema),
    standard: standardOf(schema, isRequired),
    why: schema.description ?? '',
  }
  if (schema.oneOf !== undefined)
    return schema.oneOf.flatMap((shape) => rowsOf(`${key}(${providerOf(of(shape))})`, of(shape), false))
  const { additionalProperties: others } = schema
  if (typeof others === 'object') return [own, ...rowsOf(`${key}.NAME`, others, false)]
  const items = itemsOf(schema)
  if (items.type === 'object') return [own, ...rowsOf(`${key}[]`, items, false).slice(1)]
  const required = new Set(schema.required)
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    rowsOf(`${key}.${name}`, of(one), required.has(name)),
  )
  return [own, ...inner]
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(', ')
  if (schema.anyOf !== undefined)
    return schema.anyOf.some(({ type }) => type === 'string')
      ? 'text or list of texts'
      : 'reference to a secret'
  if (schema.type === 'integer') return `whole number${bounds(schema)}`
  if (schema.type === 'number') return `number${bounds(schema)}`
  if (schema.type === 'boolean') return '`true`, `false`'
  if (schema.type === 'array') return itemsOf(schema).type === 'object' ? 'list of groups' : 'list of texts'
  return schema.type === 'object' ? 'group' : 'text'
}

function itemsOf({ items }: Schema): Schema {
  return Array.isArray(items) ? {} : of(items)
}

function bounds({ minimum, maximum }: Schema): string {
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  if (minimum === undefined && most === undefined) return ''
  return most === undefined ? `, at least ${minimum}` : `, ${minimum} to ${most}`
}

function standardOf(schema: Schema, isRequired: boolean): string {
  const { default: standard } = schema
  if (standard === undefined) return isRequired ? '*required*' : ''
  return typeof standard === 'object' ? '' : `\`${JSON.stringify(standard).replaceAll('"', '')}\``
}

function providerOf(schema: Schema): string {
  const provider = of(schema.properties?.['provider'])
  return String(provider.const)
}

function of(schema: Schema | boolean | undefined): Schema {
  return typeof schema === 'object' ? schema : {}
}
