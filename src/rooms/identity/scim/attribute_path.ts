/** An attribute as a client names it: `[urn:]name[.sub]` (RFC 7644 section 3.10). Nothing of it need be known. */
export interface AttributePath {
  readonly urn: string | undefined
  readonly name: string
  readonly sub: string | undefined
}

const NAME = /^(?:\$ref|[A-Za-z][A-Za-z0-9_-]*)$/
const URN = /^urn:[A-Za-z0-9._:-]*[A-Za-z0-9._-]$/i

/** Undefined for a text that is no path. */
export function toAttributePath(text: string): AttributePath | undefined {
  const colon = text.lastIndexOf(':')
  const urn = colon < 0 ? undefined : text.slice(0, colon)
  if (urn !== undefined && !URN.test(urn)) return undefined
  const [name = '', sub, ...rest] = text.slice(colon + 1).split('.')
  const isPath = NAME.test(name) && (sub === undefined || NAME.test(sub)) && rest.length === 0
  return isPath ? { urn, name, sub } : undefined
}

export function printAttributePath({ urn, name, sub }: AttributePath): string {
  return `${urn === undefined ? '' : `${urn}:`}${name}${sub === undefined ? '' : `.${sub}`}`
}
