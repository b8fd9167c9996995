import { join } from 'node:path'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { PolicyFile } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, writeAtomic, type Files } from '#base/files.ts'
import { isJsonObject } from '#base/json.ts'
import { setHash } from './policy_manifest.ts'

const STATE_FILE = 'last_good.json'

/** The set that was applied last, as it was kept. */
export interface KeptSet {
  readonly set: string
  readonly schemaHash: string
  readonly files: readonly PolicyFile[]
}

/**
 * The set that was applied last; undefined when there is none, or when its text is not what its hash says: a set that
 * somebody changed under our feet is no set that was ever applied.
 */
export async function loadKept(files: Files, directory: string): Promise<KeptSet | undefined> {
  const bytes = await readIfThere(files, join(directory, STATE_FILE))
  const kept = bytes === undefined ? undefined : parseKept(Buffer.from(bytes).toString())
  return kept !== undefined && setHash(kept.files, kept.schemaHash) === kept.set ? kept : undefined
}

/** Keeps a set so that it is there after a crash, whole. Throws `home.unwritable`. */
export async function keep(files: Files, directory: string, kept: KeptSet): Promise<void> {
  const state = {
    v: 1,
    set: kept.set,
    schema: kept.schemaHash,
    files: kept.files.map(({ name, text }) => ({ name, text })),
  }
  try {
    await files.makeDirectory(directory)
    await writeAtomic(files, join(directory, STATE_FILE), utf8(canonicalJson(state)))
  } catch (thrown) {
    throw new Fault('home.unwritable', { error: errorCode(thrown) ?? null }, { cause: thrown })
  }
}

async function readIfThere(files: Files, path: string): Promise<Uint8Array | undefined> {
  try {
    return await files.read(path)
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw new Fault('home.unwritable', { error: errorCode(thrown) ?? null }, { cause: thrown })
  }
}

function parseKept(text: string): KeptSet | undefined {
  const state = parseJson(text)
  if (!isJsonObject(state) || state['v'] !== 1) return undefined
  const { set, schema, files } = state
  if (typeof set !== 'string' || typeof schema !== 'string' || !Array.isArray(files)) return undefined
  const texts = files.flatMap((file: unknown) => toPolicyFile(file) ?? [])
  return texts.length === files.length ? { set, schemaHash: schema, files: texts } : undefined
}

function toPolicyFile(file: unknown): PolicyFile | undefined {
  if (!isJsonObject(file)) return undefined
  const { name, text } = file
  return typeof name === 'string' && typeof text === 'string' ? { name, text } : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
