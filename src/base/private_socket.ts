import * as node from 'node:fs'
import path from 'node:path'
import { Fault } from './fault.ts'

/** The kernel's own limit is 103 bytes on macOS and 107 on Linux; beyond it a path is cut without a word. */
const PATH_BYTES = 100
const FOLDER_MODE = 0o700
const SOCKET_MODE = 0o600

/**
 * A Unix socket that nobody but its owner can reach at any moment: it is bound inside a folder of mode 0700, gets mode
 * 0600, and only then moves to its place. Setting the mode after binding in place would leave a gap.
 */
export interface PrivateSocket {
  /** Where to listen first. */
  readonly bindAt: string
  /** Moves the listening socket to its place, over a stale one. */
  publish(): void
  /** Removes the socket from its place. */
  remove(): void
}

/**
 * Prepares a socket at `at`. The caller must hold the lock of the home, so a socket that is there is a stale one.
 *
 * Throws `listener.unavailable` for a path that is too long, and `home.damaged` when something else is in the place.
 */
export function privateSocket(at: string): PrivateSocket {
  if (Buffer.byteLength(at) > PATH_BYTES)
    throw new Fault(
      'listener.unavailable',
      { address: at, reason: 'path.too_long' },
      { say: `The path of a socket may have ${PATH_BYTES} bytes; choose a shorter home with --home DIR.` },
    )
  const folder = path.join(path.dirname(at), '.s')
  const bindAt = path.join(folder, 'a')
  checkPlace(at)
  node.rmSync(folder, { recursive: true, force: true })
  node.mkdirSync(folder, { mode: FOLDER_MODE })
  return {
    bindAt,
    publish: () => {
      node.chmodSync(bindAt, SOCKET_MODE)
      node.renameSync(bindAt, at)
      node.rmdirSync(folder)
    },
    remove: () => node.rmSync(at, { force: true }),
  }
}

function checkPlace(at: string): void {
  const there = node.lstatSync(at, { throwIfNoEntry: false })
  if (there !== undefined && !there.isSocket())
    throw new Fault('home.damaged', { path: at }, { say: 'Something that is no socket is in its place.' })
}
