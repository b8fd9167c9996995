import { Fault } from '#base/fault.ts'

/** RFC 7644 section 3.12, table 9. */
export type ScimType =
  | 'invalidFilter'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'mutability'

/** A refusal of what a client sent. `say` holds names of attributes that we know, never what was sent. */
export function scimFault(reason: ScimType, say: string): Fault {
  return new Fault('input.invalid', { reason }, { say })
}
