import type { Fault } from '#base/fault.ts'
import { FAULTS } from '#base/fault_table.ts'
import type { JsonObject } from '#base/json.ts'

/** RFC 7644 section 3.12, table 9, as far as we say it. A fault names its type as the `reason` of its detail. */
const SCIM_TYPES: ReadonlySet<string> = new Set([
  'invalidFilter',
  'mutability',
  'invalidSyntax',
  'invalidPath',
  'noTarget',
  'invalidValue',
])

/**
 * An error of SCIM (RFC 7644 section 3.12). Providers show people its detail and nothing else, so what to do, and the
 * entry to ask for, stand in there.
 */
export function scimError(fault: Fault, say: string | undefined, entry: string | undefined): JsonObject {
  const { status, title, hint } = FAULTS[fault.code]
  const scimType = typeOf(fault)
  const text = say ?? `${title} ${hint}`
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail: entry === undefined ? text : `${text} (Entry ${entry}.)`,
  }
}

function typeOf({ code, detail: { reason } }: Fault): string | undefined {
  if (code === 'resource.conflicting') return 'uniqueness'
  const word = typeof reason === 'string' ? reason : ''
  if (SCIM_TYPES.has(word)) return word
  if (code !== 'input.invalid') return undefined
  return word.startsWith('json.') ? 'invalidSyntax' : 'invalidValue'
}
