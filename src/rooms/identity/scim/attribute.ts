/** A fact of a resource, with its characteristics (RFC 7643 section 2.2). */
export interface Attribute {
  readonly name: string
  /** The name in lower case: attribute names are case-insensitive (RFC 7643 section 2.1). */
  readonly key: string
  readonly type: 'string' | 'boolean' | 'dateTime' | 'reference' | 'complex'
  readonly description: string
  readonly multiValued: boolean
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readWrite' | 'readOnly' | 'immutable'
  readonly returned: 'always' | 'default'
  readonly uniqueness: 'none' | 'server'
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  /** Of a complex attribute; empty for others. */
  readonly subAttributes: readonly Attribute[]
}

type Characteristics = Partial<Omit<Attribute, 'name' | 'key' | 'type' | 'description' | 'subAttributes'>>

const PLAIN = {
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  subAttributes: [],
} as const

export function text(name: string, description: string, more: Characteristics = {}): Attribute {
  return { ...PLAIN, name, key: name.toLowerCase(), type: 'string', description, ...more }
}

export function flag(name: string, description: string): Attribute {
  return { ...PLAIN, name, key: name.toLowerCase(), type: 'boolean', description }
}

export function time(name: string, description: string, more: Characteristics = {}): Attribute {
  return { ...PLAIN, name, key: name.toLowerCase(), type: 'dateTime', description, ...more }
}

export function reference(
  name: string,
  description: string,
  referenceTypes: readonly string[],
  more: Characteristics = {},
): Attribute {
  const own = { name, key: name.toLowerCase(), type: 'reference', description, referenceTypes } as const
  return { ...PLAIN, ...own, caseExact: true, ...more }
}

export function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  more: Characteristics = {},
): Attribute {
  const own = { name, key: name.toLowerCase(), type: 'complex', description, subAttributes } as const
  return { ...PLAIN, ...more, ...own }
}

/** Values with a type each, one of which may be the primary one (RFC 7643 section 2.4). */
export function typedValues(
  name: string,
  description: string,
  { value, types }: { readonly value: readonly Attribute[]; readonly types: readonly string[] },
): Attribute {
  return complex(
    name,
    description,
    [
      ...value,
      text('display', 'A name for people, in a list.'),
      text('type', 'What it is for.', { canonicalValues: types }),
      flag('primary', 'Whether it is the one to use. At most one value is.'),
    ],
    { multiValued: true },
  )
}
