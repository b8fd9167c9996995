import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseTargetPath, type TargetPath } from './filter_reader.ts'
import { memberOf } from './read_value.ts'
import { scimFault } from './scim_fault.ts'

/** One operation of a PATCH. Without a path its value says by its members what it is about. */
export interface Operation {
  readonly kind: 'add' | 'replace' | 'remove'
  readonly target: TargetPath | undefined
  /** Undefined where none was sent. */
  readonly value: JsonValue | undefined
}

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:patchop'
const KINDS: ReadonlyMap<string, Operation['kind']> = new Map([
  ['add', 'add'],
  ['replace', 'replace'],
  ['remove', 'remove'],
])

/**
 * Reads the operations of a PATCH (RFC 7644 section 3.5.2), with names of members and of operations in any case. Throws
 * `input.invalid` with `invalidSyntax`, `invalidPath`, `invalidValue` or `noTarget`.
 */
export function readOperations(sent: JsonObject): readonly Operation[] {
  checkSchema(memberOf(sent, 'schemas'))
  const list = memberOf(sent, 'Operations')
  if (list === undefined || !isJsonArray(list) || list.length === 0)
    throw scimFault('invalidSyntax', 'A PATCH has a list "Operations" with at least one operation.')
  if (list.length > LIMITS.scimOperations)
    throw scimFault('invalidSyntax', `A PATCH may have ${LIMITS.scimOperations} operations.`)
  return list.map(readOperation)
}

function checkSchema(schemas: JsonValue | undefined): void {
  const isPatch =
    schemas !== undefined &&
    isJsonArray(schemas) &&
    schemas.some((id) => typeof id === 'string' && id.toLowerCase() === PATCH_OP)
  if (!isPatch)
    throw scimFault('invalidSyntax', '"schemas" must name "urn:ietf:params:scim:api:messages:2.0:PatchOp".')
}

function readOperation(sent: JsonValue): Operation {
  if (!isJsonObject(sent)) throw scimFault('invalidSyntax', 'An operation is an object.')
  const op = memberOf(sent, 'op')
  const kind = typeof op === 'string' ? KINDS.get(op.toLowerCase()) : undefined
  if (kind === undefined) throw scimFault('invalidSyntax', '"op" is add, replace or remove.')
  const path = memberOf(sent, 'path') ?? undefined
  if (path !== undefined && typeof path !== 'string') throw scimFault('invalidPath', '"path" is a text.')
  const target = path === undefined || path === '' ? undefined : parseTargetPath(path)
  const value = memberOf(sent, 'value')
  // RFC 7644 section 3.5.2.2.
  if (kind === 'remove' && target === undefined) throw scimFault('noTarget', 'To remove takes a "path".')
  if (kind !== 'remove' && value === undefined) throw scimFault('invalidValue', `To ${kind} takes a "value".`)
  if (target === undefined && !isJsonObject(value))
    throw scimFault('invalidValue', 'Without a "path" the "value" is an object.')
  return { kind, target, value }
}
