import { writeAtomic, type Files } from './files.ts'

/**
 * Files of places that may not answer, as a share of another machine. Failures are those of `Files`, and `ETIMEDOUT` where
 * there is a time limit.
 */
export interface OutsideFiles {
  /** All of a plain file, up to `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array>
  /** As `writeAtomic`. */
  replace(path: string, bytes: Uint8Array): Promise<void>
  /** What tells the disk that a folder is on from all others, as long as the machine runs; undefined where nobody knows. */
  deviceOf(folder: string): Promise<string | undefined>
  /** Ends what is under way, and all that comes. */
  close(): void
}

/** The same in this process, and for as long as it takes. */
export function outsideFilesOf(files: Files): OutsideFiles {
  return {
    read: async (path, maxBytes) => await files.read(path, maxBytes),
    replace: async (path, bytes) => await writeAtomic(files, path, bytes),
    deviceOf: async (folder) => (await files.facts(folder))?.identity.split(':')[0],
    close: () => undefined,
  }
}

/** What is asked of another process that has them. */
export type OutsideCall =
  | { readonly kind: 'read'; readonly path: string; readonly maxBytes: number }
  | { readonly kind: 'replace'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'device'; readonly path: string }

export type OutsideAnswer =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'done' }
  | { readonly kind: 'device'; readonly device: string | undefined }

export async function answerOutside(files: OutsideFiles, call: OutsideCall): Promise<OutsideAnswer> {
  switch (call.kind) {
    case 'read':
      return { kind: 'bytes', bytes: await files.read(call.path, call.maxBytes) }
    case 'replace':
      await files.replace(call.path, call.bytes)
      return { kind: 'done' }
    case 'device':
      return { kind: 'device', device: await files.deviceOf(call.path) }
    default:
      throw new TypeError('no such call')
  }
}
