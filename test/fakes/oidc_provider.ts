import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** What the clients of `startOidcProvider` know. */
export const WEB_CLIENT = 'web'
export const MACHINE_CLIENT = 'batch-job'
export const MACHINE_SECRET = 'not-a-secret-of-anybody'
export const REDIRECT = 'http://127.0.0.1:9/callback'
/** The resource (RFC 8707) whose tokens are JWTs for the door. */
export const RESOURCE = 'https://door.example'

/** A real identity provider in a process of its own. */
export interface OidcProvider {
  readonly issuer: string
  /** How often its keys were fetched. */
  keyFetches(): Promise<number>
  /** Signs with a new key from now on, and publishes that alone. */
  rotate(): Promise<void>
  close(): Promise<void>
}

export async function startOidcProvider(): Promise<OidcProvider> {
  const child = fork(path.join(import.meta.dirname, 'oidc_provider_process.ts'), {
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const { issuer } = await answerOf<{ issuer: string }>(child)
  const ask = async <T>(question: string): Promise<T> => {
    const answer = answerOf<T>(child)
    child.send(question)
    return answer
  }
  return {
    issuer,
    keyFetches: async () => (await ask<{ fetches: number }>('fetches')).fetches,
    rotate: async () => void (await ask('rotate')),
    close: async () => {
      const closed = once(child, 'close')
      child.kill()
      await closed
    },
  }
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [answer] = (await once(child, 'message')) as [T]
  return answer
}
