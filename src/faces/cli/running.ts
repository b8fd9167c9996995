import { join } from 'node:path'
import * as z from 'zod'
import { LIMITS } from '#base/limits.ts'
import { readPlainFile } from '#base/plain_file.ts'

const FILE = 'running.json'

const ListenerRow = z.object({
  name: z.string(),
  address: z.string(),
  rule: z.enum(['socket', 'loopback', 'tls', 'insecure', 'exposed']),
  expires: z.string().nullable(),
})

const Running = z.object({
  door: z.string().nullable(),
  admin: z.string().nullable(),
  metrics: z.string().nullable(),
  pid: z.int().positive(),
  listeners: z.array(ListenerRow),
})

/** Where a door listens, as it wrote down when it opened. */
export type Running = z.infer<typeof Running>

/** Reads what the door of this home wrote when it opened; undefined when there is none or its process is gone. */
export async function readRunning(home: string): Promise<Running | undefined> {
  try {
    const running = Running.parse(JSON.parse(await readRunningFile(home)))
    // Signal 0 only asks (kill(2)); it throws when there is no such process.
    process.kill(running.pid, 0)
    return running
  } catch {
    return undefined
  }
}

async function readRunningFile(home: string): Promise<string> {
  const bytes = await readPlainFile(join(home, FILE), { maxBytes: LIMITS.noteBytes, links: 'refuse' })
  return bytes.toString('utf8')
}
