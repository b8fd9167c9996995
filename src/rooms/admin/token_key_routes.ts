import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { TokenKeys } from '#trust/access/issued/token_keys.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseNothing } from './admin_route.ts'
import type { TokenKeyListAnswer } from './answers.ts'
import type { Changes } from './changes.ts'

/** What the routes of token keys work with. */
export interface TokenKeyRouteParts {
  /** Undefined where the door makes no tokens. */
  readonly tokenKeys: Pick<TokenKeys, 'published' | 'signing' | 'rotate'> | undefined
  readonly changes: Changes
}

/** `GET /admin/token-keys`: the public keys with which relying parties check the tokens of this door. */
export function listTokenKeysRoute({ tokenKeys }: TokenKeyRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'token_key_list',
    method: 'GET',
    path: '/admin/token-keys',
    action: 'token_key:list',
    parse: parseNothing,
    act: async () => Promise.resolve(acted(200, listOf(opened(tokenKeys)))),
  })
}

/** `POST /admin/token-keys/rotate`: the next key signs from now on, and another one is next. */
export function rotateTokenKeyRoute({ tokenKeys, changes }: TokenKeyRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'token_key_rotate',
    method: 'POST',
    path: '/admin/token-keys/rotate',
    action: 'token_key:rotate',
    parse: parseNothing,
    act: async (_nothing, { id }) => {
      const keys = opened(tokenKeys)
      await changes.record(id, 'token_key:rotate', { before: keys.signing.kid })
      const { signing } = await keys.rotate()
      return acted(200, listOf(keys), { after: signing })
    },
  })
}

function opened(keys: TokenKeyRouteParts['tokenKeys']): NonNullable<TokenKeyRouteParts['tokenKeys']> {
  if (keys === undefined) throw new Fault('exchange.off')
  return keys
}

function listOf(keys: Pick<TokenKeys, 'published' | 'signing'>): TokenKeyListAnswer {
  const [next] = keys.published()
  const stateOf = (kid: string): TokenKeyListAnswer['keys'][number]['state'] => {
    if (kid === keys.signing.kid) return 'signs'
    return kid === next?.kid ? 'next' : 'ends'
  }
  return { keys: keys.published().map(({ kid }) => ({ kid, state: stateOf(kid) })) }
}
