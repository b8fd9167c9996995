import { fail, ok, unknown, warn, type Check } from '../check.ts'
import type { ListenerFacts } from '../facts.ts'

const DAY_MS = 86_400_000

export const listenersGuarded: Check = {
  id: 'listeners-guarded',
  title: 'Listeners',
  why: 'Outside loopback a key in plain text is everybody’s key.',
  run: ({ listeners, now }) => {
    if (listeners === undefined)
      return unknown('the configuration cannot be read', 'Run gatehouse config check')
    const exposed = listeners.filter(({ rule }) => rule === 'exposed')
    if (exposed.length > 0) {
      return fail(`${list(exposed)} is open without TLS`, 'Set tls: {cert, key}, or listen on 127.0.0.1')
    }
    const excepted = listeners.filter(({ rule }) => rule === 'insecure')
    if (excepted.length === 0)
      return ok(
        listeners.flatMap(({ name, rule }) => (rule === 'socket' ? [] : `${name} ${rule}`)).join(', '),
      )
    const ended = excepted.filter(({ expiresAt }) => expiresAt === undefined || expiresAt <= now)
    if (ended.length > 0) {
      return fail(
        `the exception for ${list(ended)} has expired`,
        'Set tls: {cert, key}, and remove insecure_plaintext_listener',
      )
    }
    const days = Math.min(...excepted.map(({ expiresAt }) => ((expiresAt ?? now) - now) / DAY_MS))
    return warn(
      `${list(excepted)} is plain text by declared exception, for ${Math.ceil(days)} more days`,
      'Set tls: {cert, key} before it expires, and remove insecure_plaintext_listener',
    )
  },
}

function list(rows: readonly ListenerFacts[]): string {
  return rows.map(({ name, address }) => `${name} (${address})`).join(', ')
}
