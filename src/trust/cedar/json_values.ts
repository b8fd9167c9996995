import type { EntityRef } from '#base/decider.ts'
import { EntityAccount } from './entity_account.ts'
import { callExtension } from './extensions.ts'
import { EXTENSION_FUNCTIONS } from './extension_names.ts'
import { isLong, toLong } from './long.ts'
import type { RecordType, Schema, SchemaType } from './schema_types.ts'
import { EntityValue, RecordValue, SetValue, type ExtensionType, type Value } from './values.ts'

/** Something in Cedar's JSON forms that is not of its form. */
export class JsonFormProblem extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonFormProblem'
  }
}

/** JSON with whole numbers exact: those beyond 2^53 are bigints. */
export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson }

export type ExactObject = Readonly<Record<string, ExactJson>>

const CONSTRUCTORS: Readonly<Record<ExtensionType, string>> = {
  decimal: 'decimal',
  ipaddr: 'ip',
  datetime: 'datetime',
  duration: 'duration',
}
const INTEGER = /^-?[0-9]+$/

/** Parses JSON without rounding. Throws JsonFormProblem, also for numbers that are no integers. */
export function parseExactJson(text: string): ExactJson {
  try {
    return exactParse(text, (_name, value, context) => {
      if (typeof value !== 'number') return value
      const source = context?.source
      if (source === undefined || !INTEGER.test(source)) throw new JsonFormProblem('a number is no integer')
      return Number.isSafeInteger(value) ? value + 0 : BigInt(source)
    })
  } catch (error) {
    // A syntax error, or nesting that ends the stack of the parser.
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new JsonFormProblem('it is not acceptable JSON')
    throw error
  }
}

type Revive = (name: string, value: ExactJson, context?: { readonly source?: string }) => ExactJson

/** The library types do not know the third parameter of a reviver yet (ECMAScript 2026). */
const exactParse: (text: string, revive: Revive) => ExactJson = JSON.parse

/**
 * A value in the JSON form of entities and contexts, with `__entity` and `__extn`. Where a type is given, entities and
 * extensions may be written without these. Throws JsonFormProblem, or EvaluationError from an extension.
 */
export function readJsonValue(json: ExactJson, type?: SchemaType): Value {
  const plain = type === undefined ? undefined : readPlain(json, type)
  if (plain !== undefined) return plain
  if (typeof json === 'boolean' || typeof json === 'string') return json
  if (isLong(json)) return toLong(BigInt(json)) ?? refuse('a number is beyond 64 bits')
  if (isList(json)) {
    const element = type?.kind === 'set' ? type.element : undefined
    return new SetValue(json.map((one) => readJsonValue(one, element)))
  }
  const object = readObject(json)
  if (object['__entity'] !== undefined) {
    const { type, id } = readRef(object['__entity'])
    return new EntityValue(type, id)
  }
  if (object['__expr'] !== undefined) refuse('expressions as text are not supported')
  if (object['__extn'] !== undefined) return readExtension(object['__extn'])
  const fields = type?.kind === 'record' ? type.fields : undefined
  const read = ([name, field]: [string, ExactJson]): [string, Value] => [
    name,
    readJsonValue(field, fields?.get(name)?.type),
  ]
  return new RecordValue(new Map(Object.entries(object).map(read)))
}

/** What a schema allows to write without an escape. */
function readPlain(json: ExactJson, type: SchemaType): Value | undefined {
  if (type.kind === 'extension' && typeof json === 'string')
    return callExtension(CONSTRUCTORS[type.type], [json])
  if (type.kind !== 'entity') return undefined
  const { type: name, id } = readRef(json)
  return new EntityValue(name, id)
}

/** An entity reference: `{type, id}`, or the same under `__entity`. Throws JsonFormProblem. */
export function readRef(json: ExactJson | undefined): EntityRef {
  const object = readObject(json)
  const inner = object['__entity'] === undefined ? object : readObject(object['__entity'])
  const { type, id } = inner
  if (typeof type !== 'string' || typeof id !== 'string') refuse('an entity reference takes a type and an id')
  return { type, id }
}

/** Entities as Cedar's JSON form lists them. Throws JsonFormProblem. */
export function readJsonEntities(json: ExactJson, schema?: Schema): EntityAccount[] {
  return readList(json).map((one) => {
    const { uid, attrs = {}, parents = [], tags = {} } = readObject(one)
    const ref = readRef(uid)
    const attributes = readRecord(attrs, schema?.entities.get(ref.type)?.attributes)
    return new EntityAccount(ref, readList(parents).map(readRef), attributes, readRecord(tags))
  })
}

export function readRecord(json: ExactJson, type?: RecordType): RecordValue {
  const value = readJsonValue(json, type)
  return value instanceof RecordValue ? value : refuse('a record was expected')
}

export function readObject(json: ExactJson | undefined): ExactObject {
  const isObject = typeof json === 'object' && json !== null && !isList(json)
  return isObject ? json : refuse('an object was expected')
}

export function readList(json: ExactJson | undefined): readonly ExactJson[] {
  return isList(json) ? json : refuse('a list was expected')
}

export function isList(json: ExactJson | undefined): json is readonly ExactJson[] {
  return Array.isArray(json)
}

/** `{fn, arg}`, or `{fn, args}` for more than one. */
function readExtension(json: ExactJson): Value {
  const { fn, arg, args } = readObject(json)
  const parameters = args === undefined ? [arg ?? refuse('a parameter was expected')] : readList(args)
  if (typeof fn !== 'string' || !(EXTENSION_FUNCTIONS.has(fn) || fn === 'offset'))
    refuse('there is no such extension function')
  return callExtension(
    fn,
    parameters.map((one) => readJsonValue(one)),
  )
}

export function refuse(message: string): never {
  throw new JsonFormProblem(message)
}
