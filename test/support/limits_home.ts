import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { temporaryHome } from './gatehouse_process.ts'
import type { Journey } from './journey.ts'

/** An entry as `ledger show --json` prints it. */
export interface Entry {
  readonly kind: string
  readonly id: string
  readonly shown: Record<string, unknown>
  readonly opened: Record<string, unknown>
}

/** All entries of the newest log. */
export async function allEntries(json: Journey['json']): Promise<readonly Entry[]> {
  const all: Entry[] = []
  for (let from = 0; ; from += 1_000) {
    const { entries } = (await json('ledger', 'show', '--from', String(from))) as { entries: Entry[] }
    if (entries.length === 0) return all
    all.push(...entries)
  }
}

/** A new home with this configuration. */
export async function homeWith(config: string): Promise<string> {
  const home = await temporaryHome()
  await mkdir(home, { recursive: true })
  await writeFile(path.join(home, 'gatehouse.yaml'), config, { mode: 0o600 })
  return home
}

/** A limit as `limits --json` prints it. */
export interface Use {
  readonly of: string
  readonly limit: string
  readonly used: number
  readonly reserved: number
}

/** By account and limit. */
export async function usesOf(json: Journey['json']): Promise<ReadonlyMap<string, Use>> {
  const { limits } = (await json('limits')) as { limits: Use[] }
  return new Map(limits.map((use) => [`${use.of} ${use.limit}`, use]))
}
