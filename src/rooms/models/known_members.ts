import * as z from 'zod'
import { isJsonObject, type JsonValue } from '#base/json.ts'
import { foldedName } from './folded_name.ts'

/** What a schema says of the members of a value. Where it says nothing, any value may stand. */
export interface Shape {
  readonly object: ObjectShape | undefined
  /** Of each element of an array. */
  readonly element: Shape | undefined
}

export interface ObjectShape {
  readonly members: ReadonlyMap<string, Shape>
  /** From the fold of each name to the name. */
  readonly folds: ReadonlyMap<string, string>
}

/** A way into a value, from its end to its beginning. */
export interface Place {
  readonly step: string | number
  readonly inside: Place | undefined
}

/** The members of one object, at `place` of the whole value, that the schema does not know. Never none. */
export interface Unknown {
  readonly names: readonly string[]
  readonly shape: ObjectShape
  readonly place: Place | undefined
}

const FREE: Shape = { object: undefined, element: undefined }

/** Reads objects and arrays out of a schema, through `nullish` and the one object or array form of a union. */
export function shapeOf(schema: z.core.$ZodType): Shape {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return shapeOf(schema.unwrap())
  if (schema instanceof z.ZodArray) return { object: undefined, element: shapeOf(schema.element) }
  if (schema instanceof z.ZodUnion) return schema.options.map(shapeOf).reduce(joined, FREE)
  if (!(schema instanceof z.ZodObject)) return FREE
  const members = Object.entries(schema.shape).map(([name, inner]) => [name, shapeOf(inner)] as const)
  const folds = members.map(([name]) => [foldedName(name), name] as const)
  return { object: { members: new Map(members), folds: new Map(folds) }, element: undefined }
}

function joined(left: Shape, right: Shape): Shape {
  return { object: left.object ?? right.object, element: left.element ?? right.element }
}

/** Visits each object of known shape that has unknown members; the value need not fit the schema. */
export function visitUnknown(
  value: JsonValue,
  { object, element }: Shape,
  visit: (unknown: Unknown) => void,
  place?: Place,
): void {
  if (Array.isArray(value)) {
    if (element === undefined || element === FREE) return
    for (let step = 0; step < value.length; step += 1)
      visitUnknown(value[step], element, visit, { step, inside: place })
    return
  }
  if (object === undefined || !isJsonObject(value)) return
  let names: string[] | undefined
  for (const step of Object.keys(value)) {
    const shape = object.members.get(step)
    if (shape === undefined) (names ??= []).push(step)
    else if (shape !== FREE) visitUnknown(value[step] ?? null, shape, visit, { step, inside: place })
  }
  if (names !== undefined) visit({ names, shape: object, place })
}

/** As in `messages[0].content`; empty for the whole value. */
export function printPlace(place: Place | undefined): string {
  if (place === undefined) return ''
  const { step, inside } = place
  if (typeof step === 'number') return `${printPlace(inside)}[${step}]`
  return inside === undefined ? step : `${printPlace(inside)}.${step}`
}
