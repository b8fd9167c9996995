import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import type { CallerKind } from './directory.ts'

const SERVICE = /^[a-z0-9][a-z0-9-]{0,62}$/
/** E-mail addresses and subjects of identity providers: nothing that is invisible, no half of a surrogate pair. */
const USER = /^[^\p{C}\p{Z}]{1,128}$/u
/** Names that identity providers give, as far as they can stand in a policy without a second look. */
const GROUP = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/
const SPACE = /^[a-z0-9][a-z0-9_.-]{0,127}$/
const DISPLAY = /^[^\p{C}]{1,256}$/u
const EXTERNAL_ID = /^[^\p{C}]{1,256}$/u
const NOT_OF_A_NAME = /[^A-Za-z0-9_.-]+/g
const OUTER = /^[_.-]+|[_.-]+$/g

/** Of the form of a service's name. */
export function isServiceName(name: string): boolean {
  return SERVICE.test(name)
}

/** Of the form of a user's name. It may have the form of a service's name too. */
export function isUserName(name: string): boolean {
  return USER.test(name)
}

export function isGroupName(name: string): boolean {
  return GROUP.test(name)
}

export const isRoleName = isGroupName

export function checkCallerName(kind: CallerKind, name: string): void {
  if (kind === 'Service')
    check(isServiceName(name), 'name', 'takes lower-case letters, digits and "-", at most 63 characters')
  else
    check(
      isUserName(name),
      'name',
      'takes 1 to 128 characters without space, control and invisible characters',
    )
}

export function checkGroupName(name: string): void {
  check(isGroupName(name), 'name', 'takes letters, digits, "-", "_" and ".", at most 128 characters')
}

export function checkRoleName(name: string): void {
  check(isRoleName(name), 'role', 'takes letters, digits, "-", "_" and ".", at most 128 characters')
}

export function checkSpaceName(name: string, field: 'space' | 'tenant'): void {
  check(SPACE.test(name), field, 'takes lower-case letters, digits, "-", "_" and ".", at most 128 characters')
}

export function checkDisplay(text: string): void {
  check(DISPLAY.test(text), 'display', 'takes 1 to 256 characters without control and invisible characters')
}

export function checkExternalId(id: string | undefined): void {
  const isRight = id === undefined || EXTERNAL_ID.test(id)
  check(isRight, 'external_id', 'takes 1 to 256 characters without control and invisible characters')
}

/** A profile, or limits: kept as they are given. */
export function checkKept(field: 'profile' | 'limits', value: JsonObject | undefined): void {
  if (value === undefined) return
  const isRight = isJsonObject(value) && JSON.stringify(value).length <= LIMITS.keptObjectCharacters
  check(isRight, field, `takes an object of at most ${LIMITS.keptObjectCharacters} characters`)
}

/** What of a text for people can stand in a policy; empty where nothing can. Two texts may give the same. */
export function groupNameOf(display: string): string {
  return display.replaceAll(NOT_OF_A_NAME, '-').replaceAll(OUTER, '').slice(0, 128)
}

/** Throws `input.invalid` naming the field. */
export function check(isRight: boolean, field: string, rule: string): void {
  if (!isRight) throw new Fault('input.invalid', { field }, { say: `"${field}" ${rule}.` })
}
