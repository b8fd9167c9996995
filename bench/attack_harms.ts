import { fillerOf } from '../test/support/planted_secrets.ts'
import type { Seen } from './attack_stage.ts'
import { UPSTREAM_KEY } from './contestants.ts'

/** What the guards are told to keep in. Made here, and never given out. */
export const TOKEN = fillerOf(20_270_305)('ghp_{base62:30}{checksum:30}')
/** As much of it as tells that it got out. */
const TOKEN_PART = 12

/** A server that the gateway was made to call. */
export function called({ heard }: Seen): string | undefined {
  if (heard.length === 0) return undefined
  return heard.some((text) => text.includes(UPSTREAM_KEY))
    ? 'an inner host was called, with the key of the provider'
    : 'an inner host was called'
}

/** A part of the token in what the caller can put together from the answer, whatever its pieces. */
export function saidToken({ body, status }: Seen): string | undefined {
  const text = textsOf(
    body,
    /"(?:reasoning_content|content|text|delta|arguments|partial_json)": ?"((?:[^"\\]|\\.)*)"/g,
  )
  const isIn = (part: string): boolean => body.includes(part) || text.includes(part)
  if (isIn(TOKEN)) return status >= 400 ? 'the refusal repeats the token' : 'the token got out'
  return isIn(TOKEN.slice(0, TOKEN_PART)) ? 'a part of the token got out' : undefined
}

export function saidKey({ head, body }: Seen): string | undefined {
  return (head + body).includes(UPSTREAM_KEY) ? 'the key of the provider is in the answer' : undefined
}

export function askedForForbidden({ received }: Seen): string | undefined {
  return received.some(({ body, url }) => /"model": ?"forbidden"/.test(body) || url.includes('forbidden'))
    ? 'the provider was asked for the other model'
    : undefined
}

export function stillOpen({ isOver, ms }: Seen): string | undefined {
  return isOver ? undefined : `open after ${(ms / 1_000).toFixed(1)} s`
}

export function contentIn(body: string): string {
  return textsOf(body, /"content": ?"((?:[^"\\]|\\.)*)"/g)
}

function textsOf(body: string, member: RegExp): string {
  return [...body.matchAll(member)].map(([, text]) => text ?? '').join('')
}
