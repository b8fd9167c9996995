import { Fault } from '#base/fault.ts'
import type { Target } from '#door/route.ts'
import { placeOf, type ModelConnection, type ModelSettings } from '../provider.ts'
import type { PoolMember } from './pool_connection.ts'
import type { MemberSettings } from './pool_settings.ts'

/**
 * The settings of a member of a pool. Throws `config.invalid` for one that is no model, is a pool itself, or runs outside the
 * region of the pool.
 */
export function memberOf(
  pool: ModelSettings,
  name: string,
  models: ReadonlyMap<string, ModelSettings>,
): ModelSettings {
  const member = models.get(name)
  if (member === undefined || member.pool !== undefined)
    throw unfit(pool, 'names what is no model, or a pool')
  if (pool.region !== undefined && pool.region !== member.region)
    throw unfit(pool, 'has a member outside its region')
  return member
}

/** A member as its pool works with it. */
export function poolMember(
  settings: ModelSettings,
  { weight, probe }: MemberSettings,
  opened: { readonly target: Target; readonly connection: ModelConnection },
): PoolMember {
  const { name, baseUrl, network } = settings
  const origin = baseUrl === undefined ? undefined : URL.parse(baseUrl)?.origin
  return {
    ...opened,
    name,
    weight,
    facts: placeOf(settings),
    probe: probe === undefined || origin === undefined ? undefined : { settings: probe, origin, network },
  }
}

function unfit({ name }: ModelSettings, what: string): Fault {
  return new Fault('config.invalid', {}, { say: `models.${name} ${what}.` })
}
