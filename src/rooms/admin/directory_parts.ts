import * as z from 'zod'
import { LIMITS } from '#base/limits.ts'
import { Fault } from '#base/fault.ts'
import type { Directory, KnownCaller, KnownGroup } from '#trust/access/directory.ts'
import type { Changes } from './changes.ts'

/** What the routes of callers, groups, roles, spaces and tenants work with. */
export interface DirectoryRouteParts {
  readonly directory: Directory
  readonly changes: Changes
}

/** Inspection would take e-mail addresses and numbers out of what these routes are about. */
export const ABOUT_NAMES = 'It is about names of people and groups, between operators and the directory.'

const DIGITS = /^\d{1,9}$/
const whole = (text: string): number => Number(text)

/** Which part of a list. */
export const PAGE = {
  start: z.string().regex(DIGITS).default('0').transform(whole),
  count: z
    .string()
    .regex(DIGITS)
    .default(String(LIMITS.listedAtOnce))
    .transform(whole)
    .pipe(z.int().min(0).max(LIMITS.listedAtOnce)),
}

export const Page = z.strictObject(PAGE)
export const Named = z.strictObject({ name: z.string() })
export type Named = z.infer<typeof Named>

/** Throws `caller.missing`. */
export function knownCaller(directory: Pick<Directory, 'find'>, name: string): KnownCaller {
  const caller = directory.find(name)
  if (caller === undefined) throw new Fault('caller.missing')
  return caller
}

/** Throws `group.missing`. */
export function knownGroup(directory: Pick<Directory, 'findGroup'>, name: string): KnownGroup {
  const group = directory.findGroup(name)
  if (group === undefined) throw new Fault('group.missing')
  return group
}
