import { complex, flag, reference, text, typedValues, type Attribute } from './attribute.ts'

const USES = ['work', 'home', 'other'] as const

/**
 * What is kept of a user: RFC 7643 section 4.1 without what a door has no use for. `password` is not here because none is
 * ever kept; `roles` and `entitlements` are not because they would look as if they opened something: groups do.
 */
export const USER_ATTRIBUTES: readonly Attribute[] = [
  text('userName', 'The name that policies and tokens call the user by.', {
    required: true,
    uniqueness: 'server',
  }),
  complex('name', 'The parts of the name of the person.', [
    text('formatted', 'The whole name.'),
    text('familyName', 'The family name.'),
    text('givenName', 'The given name.'),
    text('middleName', 'The middle names.'),
    text('honorificPrefix', 'As in "Dr."'),
    text('honorificSuffix', 'As in "III".'),
  ]),
  text('displayName', 'The name to show to people.'),
  text('nickName', 'What the person is called.'),
  reference('profileUrl', 'A page about the person.', ['external']),
  text('title', 'As in "Vice President".'),
  text('userType', 'How the person belongs to the organization.'),
  text('preferredLanguage', 'As in "en-US".'),
  text('locale', 'As in "en-US".'),
  text('timezone', 'As in "Europe/Berlin".'),
  flag('active', 'False refuses the user with all its keys, tokens and streams, from the next request on.'),
  typedValues('emails', 'E-mail addresses.', { value: [text('value', 'The address.')], types: USES }),
  typedValues('phoneNumbers', 'Telephone numbers.', {
    value: [text('value', 'The number.')],
    types: [...USES, 'mobile', 'fax', 'pager'],
  }),
  typedValues('addresses', 'Postal addresses.', {
    value: [
      text('formatted', 'The whole address.'),
      text('streetAddress', 'Street and number.'),
      text('locality', 'The city.'),
      text('region', 'The state or region.'),
      text('postalCode', 'The postal code.'),
      text('country', 'The country.'),
    ],
    types: USES,
  }),
  complex(
    'groups',
    'The groups that the user is in. Changed through the groups.',
    [
      text('value', 'The id of the group.', { caseExact: true, mutability: 'readOnly' }),
      reference('$ref', 'Where the group is.', ['Group'], { mutability: 'readOnly' }),
      text('display', 'The name of the group.', { mutability: 'readOnly' }),
      text('type', 'Always direct.', { mutability: 'readOnly', canonicalValues: ['direct'] }),
    ],
    { multiValued: true, mutability: 'readOnly' },
  ),
]

/** RFC 7643 section 4.3. */
export const ENTERPRISE_ATTRIBUTES: readonly Attribute[] = [
  text('employeeNumber', 'The number of the person in the organization.'),
  text('costCenter', 'The cost center.'),
  text('organization', 'The organization.'),
  text('division', 'The division.'),
  text('department', 'The department.'),
  complex('manager', 'The manager of the person.', [
    text('value', 'The id of the manager, as the provider gives it.', { caseExact: true }),
    reference('$ref', 'Where the manager is.', ['User']),
    text('displayName', 'The name of the manager.', { mutability: 'readOnly' }),
  ]),
]
