/** What the operator says of provisioning. */
export interface ScimTerms {
  /** What stands before a `userName` in the name that policies and tokens use, as with the users of one issuer. */
  readonly userPrefix: string
  /** The space that new users are put in. */
  readonly space: string
  /** Where the routes are for a provider, as far as `/scim/v2`: locations begin with it. */
  readonly baseUrl: string
}

/** Where a resource is. */
export function locationOf({ baseUrl }: ScimTerms, endpoint: string, id: string): string {
  return `${baseUrl}${endpoint}/${id}`
}
