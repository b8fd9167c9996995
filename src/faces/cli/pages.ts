import type * as z from 'zod'
import { LIMITS } from '#base/limits.ts'
import type { Call } from './command.ts'
import { askDoor } from './door_line.ts'

/** Reads a long list part by part, so that no answer is larger than the limit, and gives all of it. */
export async function askPages<Schema extends z.ZodType<{ readonly total: number }>, Item>(
  call: Call,
  from: { readonly schema: Schema; readonly path: string },
  itemsOf: (answer: z.infer<Schema>) => readonly Item[],
): Promise<readonly Item[]> {
  const items: Item[] = []
  for (;;) {
    const query = `?start=${items.length}&count=${LIMITS.listedAtOnce}`
    const answer = await askDoor(call, from.schema, { method: 'GET', path: `${from.path}${query}` })
    const part = itemsOf(answer)
    items.push(...part)
    if (part.length === 0 || items.length >= answer.total) return items
  }
}
