import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import { Sealed } from '#base/sealed.ts'
import { explain, Explanation } from '#rooms/admin/why.ts'
import type { Answer, Call, Command } from '../command.ts'
import { askRunningDoor, askWithKey } from '../door_line.ts'
import { drawWhy } from '../draw_why.ts'
import { openHomeLedger } from '../home_ledger.ts'
import { readRunning } from '../running.ts'
import { painter } from '../style.ts'

export const why: Command = {
  name: 'why',
  summary: 'show where a request stopped and which policies decided',
  words: 'ID',
  wordCount: { least: 1, most: 1 },
  options: [
    {
      name: 'key',
      value: 'KEY',
      says: 'ask as the caller with this key, not as the operator (or GATEHOUSE_KEY)',
    },
  ],
  example: './gatehouse why 7Qb2xL9fKc0TzR4m',
  run: async (call) => {
    const [id = ''] = call.words
    if (!isEntryId(id)) throw new Fault('entry.unknown', {}, { say: 'An entry id is 16 letters and digits.' })
    const key = call.option('key') ?? call.world.env['GATEHOUSE_KEY']
    const told = key === undefined ? await askAsOwner(call, id) : await askAsCaller(call, id, key)
    return answerWith(told, call)
  },
}

/**
 * A running door knows the names of its callers, and records who asked for one. Without it, or when it cannot record,
 * the owner of the home reads the ledger itself, where callers have pseudonyms.
 */
async function askAsOwner(call: Call, id: string): Promise<Explanation> {
  const asked = askRunningDoor(call.home, Explanation, { method: 'GET', path: `/admin/entries/${id}` })
  return (await asked.catch(() => undefined)) ?? (await askLedger(call, id))
}

async function askLedger({ home }: Call, id: string): Promise<Explanation> {
  const ledger = await openHomeLedger(home)
  const told = explain(await ledger.find(id), 'operator')
  if (told === undefined) throw new Fault('entry.unknown')
  return told
}

/** A caller is told by the door, and only of its own requests. */
async function askAsCaller({ home }: Call, id: string, key: string): Promise<Explanation> {
  const running = await readRunning(home)
  if (running?.door === undefined || running.door === null) throw new Fault('door.unreachable')
  return await askWithKey(new URL(`/v1/why/${id}`, running.door), Explanation, new Sealed(key))
}

function answerWith(told: Explanation, { world }: Call): Answer {
  return { exit: 0, text: drawWhy(told, painter(world)), json: told }
}
