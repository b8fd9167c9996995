import { deepFreeze, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'

// STRICT tables hold no other type than the declared one, and NULL only where it is declared.

export function toText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function toTextOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function toNumber(value: unknown): number {
  return Number(value)
}

export function toNumberOrNone(value: unknown): number | undefined {
  return value === null ? undefined : Number(value)
}

/** Undefined where nothing is kept; `damaged` is thrown for what is no object. */
export function toObjectOrNone(value: unknown, damaged: () => Error): JsonObject | undefined {
  if (typeof value !== 'string') return undefined
  const object = parseJson(value)
  if (!isJsonObject(object)) throw damaged()
  return deepFreeze(object)
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** As it is stored; null for nothing. */
export function objectText(value: JsonObject | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

const MAX_SHARED = 1_000

/** One value for all texts that are equal: a hundred thousand rows say the same of who made them. */
export class Shared<T> {
  readonly #known = new Map<string, T>()

  of(text: string, make: (text: string) => T): T {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const made = make(text)
    if (this.#known.size < MAX_SHARED) this.#known.set(text, made)
    return made
  }
}
