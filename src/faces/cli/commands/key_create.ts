import { MadeKeyAnswer } from '#rooms/admin/answers.ts'
import type { JsonObject } from '#base/json.ts'
import type { Call, Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { parseDuration } from '../duration.ts'
import { limitOptions, limitsOf } from '../limit_options.ts'
import { wrongUsage } from '../usage.ts'

const DEFAULT_LIFE = '30d'

export const keyCreate: Command = {
  name: 'key create',
  summary: 'make a key and print it once',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    { name: 'name', value: 'NAME', says: 'the caller that the key is for' },
    {
      name: 'models',
      value: 'A,B',
      says: 'narrow the key to these models (default: all that policy permits)',
    },
    { name: 'expires-in', value: 'TIME', says: `how long it lives, at most 90d (default: ${DEFAULT_LIFE})` },
    {
      name: 'space',
      value: 'SPACE',
      says: 'the space of a caller that is made with the key (default: default)',
    },
    { name: 'cidr', value: 'A,B', says: 'narrow the key to these source networks' },
    { name: 'env', value: 'ENV', says: 'live or test, a label within the key (default: live)' },
    ...limitOptions('the key'),
  ],
  example: './gatehouse key create --name reports --models echo --expires-in 30d',
  run: async (call) => {
    const made = await askDoor(call, MadeKeyAnswer, {
      method: 'POST',
      path: '/admin/keys',
      body: orderOf(call),
    })
    const { key, kid, name, expires_at } = made
    const text = [key, '', `Key ${kid} of ${name}, until ${expires_at}. It is not shown again.`]
    return { exit: 0, text: text.join('\n'), json: made }
  },
}

function orderOf(call: Call): JsonObject {
  const name = call.option('name')
  if (name === undefined) throw wrongUsage('"gatehouse key create" needs --name NAME.')
  const models = listOf(call.option('models'))
  const addresses = listOf(call.option('cidr'))
  const limits = limitsOf(call)
  const space = call.option('space')
  return {
    name,
    environment: call.option('env') ?? 'live',
    expires_in_ms: parseDuration(call.option('expires-in') ?? DEFAULT_LIFE, 'expires-in'),
    ...(models === undefined ? {} : { models }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(limits === undefined ? {} : { limits }),
    ...(space === undefined ? {} : { space }),
  }
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((item) => item.trim())
}
