import type { SchemaType } from './schema_types.ts'

export interface ExtensionSignature {
  readonly parameters: readonly SchemaType[]
  readonly result: SchemaType
}

const TRUTH: SchemaType = { kind: 'truth' }
const INTEGER: SchemaType = { kind: 'integer' }
const TEXT: SchemaType = { kind: 'text' }
const DECIMAL: SchemaType = { kind: 'extension', type: 'decimal' }
const ADDRESS: SchemaType = { kind: 'extension', type: 'ipaddr' }
const DATETIME: SchemaType = { kind: 'extension', type: 'datetime' }
const DURATION: SchemaType = { kind: 'extension', type: 'duration' }

/** What the functions and methods of extension types take and give, by name. */
export const EXTENSION_SIGNATURES: ReadonlyMap<string, ExtensionSignature> = new Map([
  ['decimal', { parameters: [TEXT], result: DECIMAL }],
  ['ip', { parameters: [TEXT], result: ADDRESS }],
  ['datetime', { parameters: [TEXT], result: DATETIME }],
  ['duration', { parameters: [TEXT], result: DURATION }],
  ['lessThan', { parameters: [DECIMAL, DECIMAL], result: TRUTH }],
  ['lessThanOrEqual', { parameters: [DECIMAL, DECIMAL], result: TRUTH }],
  ['greaterThan', { parameters: [DECIMAL, DECIMAL], result: TRUTH }],
  ['greaterThanOrEqual', { parameters: [DECIMAL, DECIMAL], result: TRUTH }],
  ['isIpv4', { parameters: [ADDRESS], result: TRUTH }],
  ['isIpv6', { parameters: [ADDRESS], result: TRUTH }],
  ['isLoopback', { parameters: [ADDRESS], result: TRUTH }],
  ['isMulticast', { parameters: [ADDRESS], result: TRUTH }],
  ['isInRange', { parameters: [ADDRESS, ADDRESS], result: TRUTH }],
  ['offset', { parameters: [DATETIME, DURATION], result: DATETIME }],
  ['durationSince', { parameters: [DATETIME, DATETIME], result: DURATION }],
  ['toDate', { parameters: [DATETIME], result: DATETIME }],
  ['toTime', { parameters: [DATETIME], result: DURATION }],
  ['toMilliseconds', { parameters: [DURATION], result: INTEGER }],
  ['toSeconds', { parameters: [DURATION], result: INTEGER }],
  ['toMinutes', { parameters: [DURATION], result: INTEGER }],
  ['toHours', { parameters: [DURATION], result: INTEGER }],
  ['toDays', { parameters: [DURATION], result: INTEGER }],
])
