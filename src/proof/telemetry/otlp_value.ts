/** Values in the JSON of OTLP: protobuf's own mapping, with 64-bit numbers as texts, enums as numbers and ids in hex. */
export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }

export interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

export type Plain = string | number | boolean | readonly string[] | undefined

/** The attributes that have a value; numbers are whole ones. */
export function attributesOf(values: Readonly<Record<string, Plain>>): readonly KeyValue[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [{ key, value: anyValue(value) }],
  )
}

function anyValue(value: Exclude<Plain, undefined>): AnyValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return { intValue: String(Math.trunc(value)) }
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } }
}

/** Nanoseconds since 1970 as OTLP writes them, from milliseconds; a number of them would not be exact. */
export function nanosOf(ms: number): string {
  const whole = Math.floor(ms)
  const rest = Math.floor((ms - whole) * NANOS_PER_MS)
  return `${whole}${String(rest).padStart(6, '0')}`
}

const NANOS_PER_MS = 1_000_000

/** What the resource of every export says of this process, and the scope of all that is in it. */
export interface Exporting {
  readonly version: string
  /** Random, for this process only. */
  readonly instance: string
}

export function resourceOf({ version, instance }: Exporting): { readonly attributes: readonly KeyValue[] } {
  return {
    attributes: attributesOf({
      'service.name': SERVICE,
      'service.version': version,
      'service.instance.id': instance,
    }),
  }
}

export function scopeOf({ version }: Exporting): { readonly name: string; readonly version: string } {
  return { name: SERVICE, version }
}

const SERVICE = 'gatehouse'
