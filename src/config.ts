import * as z from 'zod'
import { printListenAddress } from '#base/address.ts'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { nearest } from '#base/nearest.ts'
import { Sealed } from '#base/sealed.ts'
import { CONFIG_SCHEMA } from './config_schema.ts'
import type { SECRET_REFERENCE } from './config_secret.ts'
import { LITERAL_SECRET, readYaml, type Path, type Problem, type YamlRead } from './config_yaml.ts'

type Frozen<T> = T extends object ? { readonly [Name in keyof T]: Frozen<T[Name]> } : T

/** The configuration as it is used: complete, frozen, names as in the file. */
export type Config = Frozen<z.output<typeof CONFIG_SCHEMA>>

export type ModelConfig = Config['models'][string]

export type SecretReference = Frozen<z.output<typeof SECRET_REFERENCE>>

/** More problems than this are not a list but a wrong file. */
const PROBLEMS_SHOWN = 100

/**
 * Reads gatehouse.yaml. `origin` names the file in the fault.
 *
 * Throws `config.invalid` whose detail has `origin` and `problems`: all of them at once, each with `path`, `line`,
 * `column` and `message`, and never with a value from the file.
 */
export function loadConfig(text: string, origin: string): Config {
  const read = readYaml(text)
  const value = read.value ?? {}
  const shaped = CONFIG_SCHEMA.safeParse(value)
  const problems = [...read.problems]
  if (read.isReadable) {
    problems.push(...(shaped.error?.issues ?? []).flatMap((issue) => toProblems(read, issue)))
    problems.push(...relations(read))
  }
  if (problems.length > 0 || !shaped.success) throw invalid(origin, problems)
  return freeze(shaped.data)
}

/** The configuration with all defaults, for printing: secrets are references, addresses as they are written. */
export function showConfig(config: Config): JsonObject {
  const { listen, admin_listen: admin, metrics_listen: metrics, ...rest } = config
  const plain: JsonObject = JSON.parse(JSON.stringify(rest))
  return {
    listen: printListenAddress(listen),
    admin_listen: printListenAddress(admin),
    metrics_listen: printListenAddress(metrics),
    ...plain,
  }
}

/**
 * The secret that a reference gives now; undefined when the variable is not set, the file cannot be read, or either is
 * empty. White space around it is not part of it: files end in a line feed.
 */
export function resolveSecret(
  reference: SecretReference,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string | undefined,
): Sealed | undefined {
  const text = 'from_env' in reference ? env[reference.from_env] : readFile(reference.from_file)
  const secret = text?.trim() ?? ''
  return secret === '' ? undefined : new Sealed(secret)
}

function invalid(origin: string, problems: readonly Problem[]): Fault {
  // A literal secret is refused where it stands; that it is also of the wrong type is no second problem.
  const secrets = new Set(
    problems.filter(({ message }) => message === LITERAL_SECRET).map(({ path }) => path),
  )
  const kept = problems.filter(({ path, message }) => message === LITERAL_SECRET || !secrets.has(path))
  kept.sort((left, right) => left.line - right.line || left.column - right.column)
  const shown = kept.slice(0, PROBLEMS_SHOWN).map((problem) => ({ ...problem }))
  return new Fault('config.invalid', { origin, count: kept.length, problems: shown })
}

function toProblems(read: YamlRead, issue: z.core.$ZodIssue): readonly Problem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code !== 'unrecognized_keys') return [read.problemAt(path, sayIssue(read.value, path, issue))]
  const known = keysAt(path, read.value)
  return issue.keys.map((key) => {
    const meant = nearest(key, known)
    const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`
    return read.problemAt([...path, key], `is not a known key; ${hint}`, 'key')
  })
}

function sayIssue(root: JsonValue, path: Path, issue: z.core.$ZodIssue): string {
  const value = valueAt(root, path)
  // Ours; and a field that is wrong beside another may stand there by its default only.
  if (issue.code === 'custom') return issue.message
  if (value === undefined) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return value === null
        ? `is empty; it must be ${ARTICLE[issue.expected]}`
        : `must be ${ARTICLE[issue.expected]}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}${typeof value === 'number' && typeof issue.values[0] === 'string' ? ', in quotes' : ''}`
    case 'too_small':
      return `must be at least ${issue.minimum}${unit(issue.origin)}`
    case 'too_big':
      return `must be at most ${issue.maximum}${unit(issue.origin)}`
    case 'invalid_union':
      // A union that says itself what it wants has words of its own.
      return isUnsaid(issue) ? sayUnion(value, issue) : issue.message
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'is not a valid name'
    // The schema has a message of our own for each of these, as far as it uses them.
    case 'invalid_format':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      break
  }
  return issue.message
}

/** True where the schema says nothing, and the library speaks in words of its own. */
function isUnsaid({ message, discriminator }: z.core.$ZodIssueInvalidUnion): boolean {
  return (
    message === 'Invalid input' ||
    (discriminator !== undefined && message.startsWith('Invalid discriminator'))
  )
}

const ARTICLE: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters long'
  return origin === 'array' ? ' entries' : ''
}

function sayUnion(value: JsonValue, issue: z.core.$ZodIssueInvalidUnion): string {
  if (issue.discriminator !== undefined) return `must be one of ${PROVIDERS.join(', ')}`
  return typeof value === 'string'
    ? 'must be a reference, not the secret itself: { from_env: NAME } or { from_file: PATH }'
    : 'must be a reference: { from_env: NAME } or { from_file: PATH }, one of the two'
}

/** What the shape of one field alone cannot say. Looks at the text as it is, so that it speaks with the other problems. */
function relations(read: YamlRead): readonly Problem[] {
  if (!isJsonObject(read.value)) return []
  const { insecure_plaintext_listener: exception, trusted_proxies: proxies, tls } = read.value
  const problems: Problem[] = []
  const at = (path: string, message: string): void =>
    void problems.push(read.problemAt([path], message, 'key'))
  if (exception !== undefined && (!Array.isArray(proxies) || proxies.length === 0))
    at('insecure_plaintext_listener', 'needs trusted_proxies: only connections from them are accepted')
  if (exception !== undefined && tls !== undefined)
    at('insecure_plaintext_listener', 'has no meaning together with tls; remove one of them')
  const taken = new Map<string, string>()
  for (const name of ['listen', 'admin_listen', 'metrics_listen']) {
    const address = read.value[name]
    if (typeof address !== 'string' || address.endsWith(':0')) continue
    const other = taken.get(address)
    if (other !== undefined) at(name, `is the same address as ${other}`)
    taken.set(address, name)
  }
  return problems
}

function valueAt(root: JsonValue, path: Path): JsonValue | undefined {
  let value: JsonValue | undefined = root
  for (const part of path) {
    if (value === undefined || value === null || typeof value !== 'object') return undefined
    value = Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined
  }
  return value
}

/** The schema as JSON Schema: what may stand where, for hints and for the reference. */
export const CONFIG_JSON_SCHEMA: z.core.JSONSchema.BaseSchema = z.toJSONSchema(CONFIG_SCHEMA, { io: 'input' })

const PROVIDERS = ['openai', 'anthropic', 'echo', 'pool'] as const

function keysAt(path: Path, root: JsonValue): readonly string[] {
  let schema: z.core.JSONSchema.BaseSchema = CONFIG_JSON_SCHEMA
  path.forEach((part, at) => {
    const { additionalProperties: others, items } = schema
    const inner = schema.properties?.[part] ?? (typeof part === 'number' ? items : others)
    schema = pick(
      typeof inner === 'object' && !Array.isArray(inner) ? inner : {},
      valueAt(root, path.slice(0, at + 1)),
    )
  })
  return Object.keys(schema.properties ?? {})
}

/** Of several shapes the one whose `provider` the value names. */
function pick(
  schema: z.core.JSONSchema.BaseSchema,
  value: JsonValue | undefined,
): z.core.JSONSchema.BaseSchema {
  const shapes = schema.oneOf
  if (shapes === undefined || !isJsonObject(value)) return schema
  const named = shapes.find(({ properties }) => {
    const provider = properties?.['provider']
    return typeof provider === 'object' && provider.const === value['provider']
  })
  return named ?? schema
}

function freeze(config: z.output<typeof CONFIG_SCHEMA>): Config {
  const pending: object[] = [config]
  for (const value of pending) {
    Object.freeze(value)
    for (const inner of Object.values(value))
      if (typeof inner === 'object' && inner !== null) pending.push(inner)
  }
  return config
}
