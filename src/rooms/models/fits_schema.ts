import * as z from 'zod'
import { isJsonObject } from '#base/json.ts'

export type Fits = (value: unknown) => boolean

/**
 * A quick test of JSON values: when it says yes, `schema.safeParse` succeeds; when it says no, zod has the last word.
 *
 * Most requests are well formed and need no explanation, and without generated code zod takes several times as long as
 * all other checks of a request. Throws TypeError for a kind of schema that it does not know.
 */
export function fitsSchema(schema: z.core.$ZodType): Fits {
  if (schema instanceof z.ZodOptional) return fitsOr(undefined, fitsSchema(schema.unwrap()))
  if (schema instanceof z.ZodNullable) return fitsOr(null, fitsSchema(schema.unwrap()))
  if (schema instanceof z.ZodObject) return fitsObject(schema)
  if (schema instanceof z.ZodArray) return fitsArray(schema)
  if (schema instanceof z.ZodUnion) return fitsUnion(schema)
  if (schema instanceof z.ZodString) return fitsText(schema)
  if (schema instanceof z.ZodNumber) return fitsNumber(schema)
  if (schema instanceof z.ZodBoolean) return (value) => typeof value === 'boolean'
  if (schema instanceof z.ZodEnum) return fitsOneOf(new Set<unknown>(schema.options))
  // A member that is not there is for zod to judge.
  if (schema instanceof z.ZodUnknown) return (value) => value !== undefined
  if (schema instanceof z.ZodRecord && isFree(schema)) return isJsonObject
  throw new TypeError('this kind of schema has no fast test')
}

function fitsOr(absent: null | undefined, inner: Fits): Fits {
  return (value) => value === absent || inner(value)
}

function fitsObject({ shape }: z.ZodObject): Fits {
  const members = new Map(Object.entries(shape).map(([name, inner]) => [name, fitsSchema(inner)]))
  const needed = [...members].filter(([, fits]) => !fits(undefined)).map(([name]) => name)
  return (value) => {
    if (!isJsonObject(value)) return false
    // Most of the many members may be missing, and are: only those that are there are tested.
    for (const name of Object.keys(value)) if (members.get(name)?.(value[name]) === false) return false
    // Names of ours only, so nothing of the prototype can answer for a member.
    for (const name of needed) if (value[name] === undefined) return false
    return true
  }
}

function fitsArray(schema: z.ZodArray): Fits {
  const element = fitsSchema(schema.element)
  const { least, most } = lengthsOf(schema.def.checks)
  return (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) return false
    for (const each of value) if (!element(each)) return false
    return true
  }
}

function fitsUnion({ options }: z.ZodUnion): Fits {
  const forms = options.map(fitsSchema)
  return (value) => {
    for (const fits of forms) if (fits(value)) return true
    return false
  }
}

function fitsText({ def }: z.ZodString): Fits {
  const { least, most } = lengthsOf(def.checks)
  // Zod counts code points, of which one is two units at most.
  const leastUnits = 2 * least - 1
  return (value) => typeof value === 'string' && value.length >= leastUnits && value.length <= most
}

function fitsNumber({ minValue, maxValue, isInt }: z.ZodNumber): Fits {
  const least = minValue ?? -Infinity
  const most = maxValue ?? Infinity
  const isKind = isInt ? Number.isSafeInteger : Number.isFinite
  return (value) => typeof value === 'number' && isKind(value) && value >= least && value <= most
}

function fitsOneOf(values: ReadonlySet<unknown>): Fits {
  return (value) => values.has(value)
}

function isFree({ keyType, valueType }: z.ZodRecord): boolean {
  return keyType instanceof z.ZodString && valueType instanceof z.ZodUnknown
}

function lengthsOf(checks: z.core.$ZodTypeDef['checks']): { readonly least: number; readonly most: number } {
  const limits = { least: 0, most: Infinity }
  for (const { _zod } of checks ?? []) {
    const { def } = _zod
    if (def instanceof Object && 'minimum' in def) limits.least = Math.max(limits.least, Number(def.minimum))
    else if (def instanceof Object && 'maximum' in def)
      limits.most = Math.min(limits.most, Number(def.maximum))
    else throw new TypeError('this check of a length has no fast test')
  }
  return limits
}
