import type { PolicyValue, Question } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { LastingRecords } from './lasting_records.ts'
import { isRef, isSet, toRecordValue } from './policy_value.ts'
import { RefMap } from './ref_map.ts'
import { hasType, type ActionShape, type RecordType, type Schema, type SchemaType } from './schema_types.ts'

/**
 * What questions must be like. A question of the wrong form could make a forbid err, and a policy that errs is skipped:
 * so it is a fault of ours and never gets to the policies.
 */
export class QuestionForm {
  readonly #actions = new RefMap<ActionShape>()
  readonly #records: LastingRecords

  constructor(schema: Schema, records: LastingRecords = new LastingRecords()) {
    this.#records = records
    for (const action of schema.actions) this.#actions.set(action.ref, action)
  }

  /** Throws Fault `internal.bug`. */
  check({ principal, action, resource, context }: Question): void {
    const shape = this.#actions.get(action)
    if (shape === undefined) refuse('the action is not in the schema')
    if (!shape.principals.has(principal.type))
      refuse(`the action does not take a principal ${principal.type}`)
    if (!shape.resources.has(resource.type)) refuse(`the action does not take a resource ${resource.type}`)
    const records = this.#records
    if (!records.has(context, shape.context, () => isRecordOf(context, shape.context, records)))
      refuse('the context is not of the schema')
  }
}

function refuse(error: string): never {
  throw new Fault('internal.bug', { error })
}

function isRecordOf(
  record: Readonly<Record<string, PolicyValue>>,
  type: RecordType,
  records: LastingRecords,
): boolean {
  let required = 0
  for (const name in record) {
    const field = type.fields.get(name)
    const value = record[name]
    if (value === undefined) continue
    if (field === undefined || !isOf(value, field.type, records)) return false
    if (field.isRequired) required += 1
  }
  return required === type.required
}

/** The common types without making a value of them first. */
function isOf(value: PolicyValue, type: SchemaType, records: LastingRecords): boolean {
  if (type.kind === 'truth') return typeof value === 'boolean'
  if (type.kind === 'text') return typeof value === 'string'
  if (type.kind === 'integer') return typeof value === 'number' && Number.isSafeInteger(value)
  if (type.kind === 'set' && Array.isArray(value))
    return value.every((element: PolicyValue) => isOf(element, type.element, records))
  if (type.kind === 'record' && typeof value === 'object' && !isSet(value) && !isRef(value))
    return records.hasType(value, type)
  const converted = toRecordValue({ value }).fields.get('value')
  return converted !== undefined && hasType(converted, type)
}
