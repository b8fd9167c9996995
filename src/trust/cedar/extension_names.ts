/** Functions of extension types, by name. */
export const EXTENSION_FUNCTIONS: ReadonlySet<string> = new Set(['decimal', 'ip', 'datetime', 'duration'])

/** Methods of extension types, by name; what they are called on is their first parameter. */
export const EXTENSION_METHODS: ReadonlySet<string> = new Set([
  'lessThan',
  'lessThanOrEqual',
  'greaterThan',
  'greaterThanOrEqual',
  'isIpv4',
  'isIpv6',
  'isLoopback',
  'isMulticast',
  'isInRange',
  'offset',
  'durationSince',
  'toDate',
  'toTime',
  'toMilliseconds',
  'toSeconds',
  'toMinutes',
  'toHours',
  'toDays',
])
