/** Unreserved characters (RFC 3986 section 2.3), which mean the same escaped and plain. */
const UNRESERVED = /^[A-Za-z0-9\-._~]$/

/**
 * Whether two texts name the same resource, apart from query and fragment (RFC 9449 section 4.3, RFC 3986 section 6.2.2 and
 * 6.2.3). What is no absolute URL of HTTP, or has a name and a password, is the same as nothing.
 */
export function isSameUrl(left: string, right: string): boolean {
  const plain = plainUrl(left)
  return plain !== undefined && plain === plainUrl(right)
}

function plainUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  if (url.username !== '' || url.password !== '') return undefined
  return url.origin + url.pathname.replaceAll(/%[0-9A-Fa-f]{2}/g, plainEscape)
}

function plainEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
  return UNRESERVED.test(character) ? character : escape.toUpperCase()
}
