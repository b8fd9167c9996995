import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { isPlainName } from '../request_form.ts'

/**
 * An object that is to be said again in another API. Each member is carried, left out for a reason, or refused; `done`
 * refuses those that nobody has taken, so that none gets lost. Null is the same as nothing.
 *
 * All methods throw `api.unsupported` with the place of a member that is not of the form asked for.
 */
export class Given {
  readonly #value: JsonObject
  readonly #place: string
  readonly #taken = new Set<string>()

  constructor(value: JsonObject, place = '') {
    this.#value = value
    this.#place = place
  }

  any(name: string): JsonValue | undefined {
    this.#taken.add(name)
    return this.#value[name] ?? undefined
  }

  text(name: string): string | undefined {
    const value = this.any(name)
    return value === undefined || typeof value === 'string' ? value : this.refuse(name)
  }

  neededText(name: string): string {
    return this.text(name) ?? this.refuse(name)
  }

  number(name: string): number | undefined {
    const value = this.any(name)
    return value === undefined || typeof value === 'number' ? value : this.refuse(name)
  }

  flag(name: string): boolean | undefined {
    const value = this.any(name)
    return value === undefined || typeof value === 'boolean' ? value : this.refuse(name)
  }

  json(name: string): JsonObject | undefined {
    const value = this.any(name)
    return value === undefined || isJsonObject(value) ? value : this.refuse(name)
  }

  object(name: string): Given | undefined {
    const value = this.json(name)
    return value === undefined ? undefined : new Given(value, this.at(name))
  }

  objects(name: string): readonly Given[] | undefined {
    const value = this.any(name)
    if (value === undefined) return undefined
    return isJsonArray(value) ? this.each(name, value) : this.refuse(name)
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.any(name)
    if (value === undefined) return undefined
    if (!isJsonArray(value)) return this.refuse(name)
    return value.map((one) => (typeof one === 'string' ? one : this.refuse(name)))
  }

  /** A text, or objects. */
  textOrObjects(name: string): string | readonly Given[] | undefined {
    const value = this.any(name)
    return typeof value === 'string' ? value : this.objects(name)
  }

  /** A member that says nothing at these values, and nothing else can be said of. */
  onlyAt(name: string, ...silent: readonly JsonValue[]): void {
    const value = this.any(name)
    if (value !== undefined && !silent.includes(value)) this.refuse(name)
  }

  /** A member that says nothing while it is empty. */
  onlyEmpty(name: string): void {
    const value = this.any(name)
    if (value === undefined || value === '') return
    if (typeof value !== 'object' || Object.keys(value ?? {}).length > 0) this.refuse(name)
  }

  /** Members that do not change what is answered. */
  leaveOut(...names: readonly string[]): void {
    for (const name of names) this.#taken.add(name)
  }

  /** Throws for the first member that nobody took. */
  done(): void {
    for (const [name, value] of Object.entries(this.#value)) {
      if (value === null || this.#taken.has(name)) continue
      if (isPlainName(name)) this.refuse(name)
      throw apiUnsupported(`${this.#place === '' ? 'The body' : this.#place}, a member`)
    }
  }

  /** `name` must be one of ours or plain. */
  refuse(name: string): never {
    throw apiUnsupported(this.at(name))
  }

  at(name: string): string {
    return this.#place === '' ? name : `${this.#place}.${name}`
  }

  each(name: string, list: readonly JsonValue[]): readonly Given[] {
    return list.map((one, index) => {
      const place = `${this.at(name)}[${index}]`
      if (!isJsonObject(one)) throw apiUnsupported(place)
      return new Given(one, place)
    })
  }
}

/** An object without the members that are undefined. */
export function defined(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const kept: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(members)) if (value !== undefined) kept[name] = value
  return kept
}
