import { utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { headFromJson, headToJson } from '#trust/ledger/succession.ts'
import type { Head } from '#trust/ledger/checkpoint.ts'

/** One file of a home as a backup has it. */
export interface KeptFile {
  /** Relative to the home, with slashes. */
  readonly path: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** Where its content stands in the folder of the backup. */
  readonly object: string
}

/** What a backup holds. */
export interface Manifest {
  readonly madeAt: Millis
  /** Program that made it. */
  readonly version: string
  /** What the checkpoint in it covers; undefined where the home had no ledger. */
  readonly head: Head | undefined
  readonly files: readonly KeptFile[]
}

const FORM = 1

export function printManifest({ madeAt, version, head, files }: Manifest): Uint8Array {
  const made = new Date(madeAt).toISOString()
  const kept = files.map(({ path, bytes, sha256, object }) => ({ path, bytes, sha256, object }))
  const all = { form: FORM, made_at: made, version, head: head ? headToJson(head) : null, files: kept }
  return utf8(JSON.stringify(all))
}

/** Reads what `printManifest` gave. Throws `backup.damaged`, also for a newer form or a path that leads out of a home. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const value: unknown = parse(bytes)
  if (!isJsonObject(value)) throw damaged('it is of another form')
  const { form, made_at: made, version, head, files } = value
  if (form !== FORM) throw damaged('it was made by a newer Gatehouse; use that one')
  const madeAt = typeof made === 'string' ? Date.parse(made) : Number.NaN
  const kept = files !== undefined && isJsonArray(files) ? files.map(fileOf) : undefined
  if (Number.isNaN(madeAt) || typeof version !== 'string' || kept === undefined)
    throw damaged('it is of another form')
  return { madeAt, version, head: headFromJson(head), files: kept }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

function fileOf(value: JsonValue): KeptFile {
  const { path, bytes, sha256, object }: JsonObject = isJsonObject(value) ? value : {}
  const isWhole =
    typeof path === 'string' &&
    isInside(path) &&
    typeof bytes === 'number' &&
    typeof sha256 === 'string' &&
    typeof object === 'string' &&
    OBJECT.test(object)
  if (!isWhole) throw damaged('it names a file that it must not')
  return { path, bytes, sha256, object }
}

const OBJECT = /^objects\/[0-9a-f]{64}$/

/** True for a path that cannot lead out of the folder it is put behind. */
function isInside(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
}

function damaged(what: string): Fault {
  return new Fault('backup.damaged', { place: 'manifest' }, { say: `The manifest cannot be used: ${what}.` })
}
