import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** The program in `verifier/`, as an auditor has it. */
export const VERIFIER = path.resolve(import.meta.dirname, '../../verifier/verify.mjs')

export interface Check {
  readonly verdict: 'ok' | 'wrong' | 'not checked' | 'warning'
  readonly what: string
}

export interface Found {
  readonly exit: 0 | 1 | 3
  readonly result: string
  readonly checks: readonly Check[]
}

interface ReadCheckpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

interface Verifier {
  /** Throws for wrong use. */
  run(words: readonly string[]): Found
  parseKey(text: string, use: 'key' | 'witness'): object
  parseCheckpoint(note: string): ReadCheckpoint
  parseLeaf(bytes: Uint8Array): object
  /** Throws where a signature is wrong or missing. */
  checkSignatures(checkpoint: ReadCheckpoint, trust: object, report: object): void
  checkTree(folder: string, checkpoint: ReadCheckpoint, parts: object): void
  inclusionRoot(index: number, size: number, hash: Uint8Array, proof: readonly Uint8Array[]): Uint8Array
  consistencyRoots(
    first: number,
    second: number,
    firstRoot: Uint8Array,
    proof: readonly Uint8Array[],
  ): readonly [Uint8Array, Uint8Array]
  leafHash(leaf: Uint8Array): Uint8Array
  readonly Wrong: new (message: string) => Error
  readonly Report: new () => { readonly checks: readonly Check[] }
}

// Plain JavaScript without types, and to be read as it stands: what it has is said here, for tests alone.
export const verifier: Verifier = await import(pathToFileURL(VERIFIER).href)
