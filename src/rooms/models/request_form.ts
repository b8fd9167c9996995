import type * as z from 'zod'
import { Fault } from '#base/fault.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { checkMemberNames } from './check_member_names.ts'
import { fitsSchema, type Fits } from './fits_schema.ts'
import { printPlace, shapeOf, visitUnknown, type Shape } from './known_members.ts'
import { sayIssue } from './say_issue.ts'

export interface FormParts {
  readonly schema: z.ZodObject
  /**
   * The schema with the long lists reduced to lists of anything, and what an element of each must be: these are
   * checked one by one, so that the first wrong one ends the work. Zod goes on through all of them.
   */
  readonly frame: z.ZodObject
  readonly elements: Readonly<Record<string, z.ZodType>>
}

/** What the body of one API must look like. Fields that it does not know are kept, unless `checkMemberNames` refuses them. */
export class RequestForm {
  readonly #parts: FormParts
  readonly #fits: Fits
  readonly #shape: Shape

  constructor(parts: FormParts) {
    this.#parts = parts
    this.#fits = fitsSchema(parts.schema)
    this.#shape = shapeOf(parts.schema)
  }

  /** Throws `input.invalid` with the path of the first field that is wrong; it repeats no value and no name of the caller's. */
  check(value: JsonValue): asserts value is JsonObject {
    if (!isJsonObject(value)) throw invalidRequest('The body must be a JSON object.')
    if (!this.#fits(value)) this.#explain(value)
    checkMemberNames(value, this.#shape)
  }

  /** Where a field stands that is not one of the known ones; undefined when all are. */
  unknownField(request: JsonObject): string | undefined {
    let found: string | undefined
    visitUnknown(request, this.#shape, ({ names: [name = ''], place }) => {
      const inside = place === undefined ? 'the body' : printPlace(place)
      found ??= isPlainName(name) ? printPlace({ step: name, inside: place }) : `${inside}, a member`
    })
    return found
  }

  /** Throws unless it finds nothing wrong after all. */
  #explain(value: JsonObject): void {
    const { schema, frame, elements } = this.#parts
    checkForm(frame, value, [])
    for (const [name, element] of Object.entries(elements)) {
      const list = value[name] ?? null
      if (isJsonArray(list)) list.forEach((one, at) => checkForm(element, one, [name, at]))
    }
    checkForm(schema, value, [])
  }
}

/** `say` may hold our own words and paths of known fields only. */
export function invalidRequest(say: string): Fault {
  return new Fault('input.invalid', {}, { say })
}

/** A name that may be said again: as short and plain as the names of fields are. */
export function isPlainName(field: string): boolean {
  return /^[a-z][a-z_]{0,31}$/.test(field)
}

function checkForm(schema: z.ZodType, value: JsonValue, at: readonly PropertyKey[]): void {
  const [issue] = schema.safeParse(value).error?.issues ?? []
  if (issue !== undefined) throw invalidRequest(sayIssue(issue, at))
}
