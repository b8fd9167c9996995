import { complex, reference, text, type Attribute } from './attribute.ts'

export const MEMBERS: Attribute = complex(
  'members',
  'The users in the group.',
  [
    text('value', 'The id of a user.', { caseExact: true, mutability: 'immutable' }),
    reference('$ref', 'Where the user is.', ['User'], { mutability: 'immutable' }),
    text('type', 'Always User.', { mutability: 'immutable', canonicalValues: ['User'] }),
  ],
  { multiValued: true },
)

/** RFC 7643 section 4.2. */
export const GROUP_ATTRIBUTES: readonly Attribute[] = [
  text('displayName', 'The name of the group. What fits policies of it is its name there.', {
    required: true,
    uniqueness: 'server',
  }),
  MEMBERS,
]
