import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { MadeKeyAnswer, RoleAnswer } from '#rooms/admin/answers.ts'
import type { Call, Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { parseDuration } from '../duration.ts'
import { readRunning } from '../running.ts'

const DEFAULT_NAME = 'scim'
const DEFAULT_LIFE = '90d'
const ACTIONS = ['scim:read', 'scim:write']
/** The role that the shipped policy permits provisioning to. */
const ROLE = 'provisioner'
const PATH = '/scim/v2'

export const scimToken: Command = {
  name: 'scim token',
  summary: 'make the token with which an identity provider keeps users and groups here, and print it once',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    { name: 'name', value: 'NAME', says: `the service that the token is for (default: ${DEFAULT_NAME})` },
    { name: 'expires-in', value: 'TIME', says: `how long it lives, at most 90d (default: ${DEFAULT_LIFE})` },
    { name: 'cidr', value: 'A,B', says: 'narrow the token to the source networks of the provider' },
  ],
  example: './gatehouse scim token --name entra',
  run: async (call) => {
    const made = await askDoor(call, MadeKeyAnswer, {
      method: 'POST',
      path: '/admin/keys',
      body: orderOf(call),
    })
    const { key, kid, name, expires_at } = made
    await askDoor(call, RoleAnswer, {
      method: 'POST',
      path: '/admin/roles/give',
      body: { role: ROLE, to: 'caller', name },
    })
    const url = await baseUrl(call)
    const text = [
      `Base URL  ${url}`,
      `Token     ${key}`,
      '',
      `Key ${kid} of ${name}, until ${expires_at}. It is not shown again, and can do nothing but SCIM.`,
    ]
    return { exit: 0, text: text.join('\n'), json: { ...made, base_url: url } }
  },
}

function orderOf(call: Call): JsonObject {
  const addresses = call.option('cidr')
  return {
    name: call.option('name') ?? DEFAULT_NAME,
    actions: ACTIONS,
    expires_in_ms: parseDuration(call.option('expires-in') ?? DEFAULT_LIFE, 'expires-in'),
    ...(addresses === undefined ? {} : { addresses: addresses.split(',').map((item) => item.trim()) }),
  }
}

/** What the operator says that the provider has to use, else where the admin routes are on this machine. */
async function baseUrl({ home, config, world }: Call): Promise<string> {
  const { redacted, listeners } = await world.readConfig(home, config)
  const configured = memberAt(redacted, ['identity', 'scim', 'base_url'])
  if (typeof configured === 'string') return configured
  const running = await readRunning(home)
  const admin = listeners.find(({ name }) => name === 'admin')
  return `${running?.admin ?? `http://${admin?.address ?? 'localhost'}`}${PATH}`
}

function memberAt(value: JsonValue, path: readonly string[]): JsonValue {
  const [name, ...rest] = path
  if (name === undefined) return value
  return isJsonObject(value) ? memberAt(value[name] ?? null, rest) : null
}
