import { Turns } from '#base/turns.ts'
import type { ScimParts } from '#rooms/identity/scim/scim_parts.ts'
import type { OpenHome } from './main_home.ts'

/** Where the routes are, for those who reach the listener itself. */
const PATH = '/scim/v2'

/** What provisioning works with. */
export function scimParts(
  { callers, config }: Pick<OpenHome, 'callers' | 'config'>,
  changes: ScimParts['changes'],
): ScimParts {
  const { user_prefix: userPrefix, space, base_url: baseUrl = PATH } = config.identity.scim
  return { directory: callers.directory, changes, terms: { userPrefix, space, baseUrl }, turns: new Turns() }
}
