import { isJsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'

/** Says whether a value that another process has sent is of the form that the types say. */
export type Form = (value: unknown) => boolean

export const isText: Form = (value) =>
  typeof value === 'string' && value.length <= LIMITS.workerTextCharacters

/** A word of ours: a name, a code, a number in words. */
export const isWord: Form = (value) =>
  typeof value === 'string' && value.length <= LIMITS.workerWordCharacters

export const isFlag: Form = (value) => typeof value === 'boolean'

/** A number, and none that would take something back where it is added. */
export const isAmount: Form = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0

export const isNumber: Form = (value) => typeof value === 'number' && Number.isFinite(value)

export const isWhole: Form = (value) => Number.isSafeInteger(value) && isAmount(value)

export const isNull: Form = (value) => value === null

export function textOf(pattern: RegExp): Form {
  return (value) => typeof value === 'string' && pattern.test(value)
}

export function isOneOf(words: readonly unknown[]): Form {
  return (value) => words.includes(value)
}

/** JSON leaves out what is undefined. */
export function optional(form: Form): Form {
  return (value) => value === undefined || form(value)
}

export function either(...forms: readonly Form[]): Form {
  return (value) => forms.some((form) => form(value))
}

export function both(...forms: readonly Form[]): Form {
  return (value) => forms.every((form) => form(value))
}

export function listOf(form: Form, most: number = LIMITS.workerListItems): Form {
  return (value) => Array.isArray(value) && value.length <= most && value.every(form)
}

/** A list of so many, no more and no fewer. */
export function listOfJust(count: number, form: Form): Form {
  return (value) => Array.isArray(value) && value.length === count && value.every(form)
}

/** An object of which every member has this form. */
export function recordOf(form: Form): Form {
  return (value) => {
    if (!isJsonObject(value)) return false
    const members = Object.entries(value)
    return (
      members.length <= LIMITS.workerListItems && members.every(([name, each]) => isWord(name) && form(each))
    )
  }
}

/** An object with these members; nobody reads what else it has. */
export function objectOf(members: Readonly<Record<string, Form>>): Form {
  const forms = Object.entries(members)
  return (value) => isJsonObject(value) && forms.every(([name, form]) => form(value[name]))
}
