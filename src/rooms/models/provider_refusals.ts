import { Fault, type FaultDetail } from '#base/fault.ts'
import type { UpstreamAnswer } from '#base/http_client.ts'
import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'

/** The words of a provider's errors that may be said again; all else could hold a value of the request. */
export interface ErrorWords {
  /** Members of an error object that tell what kind of error it is, and the kinds. */
  readonly kinds: readonly (readonly [member: string, words: readonly string[]])[]
  /** The member that names a field of the request, and the fields. */
  readonly field: readonly [member: string, names: readonly string[]] | undefined
}

/** Longer waits are told as this: a provider must not be able to send callers away for good. */
const MOST_RETRY_SECONDS = 3_600
/** Characters of a message that is kept; the cut after redaction cannot fall into a credential. No error is longer. */
const MESSAGE_LENGTH = 16_384

/** Makes `upstream.*` faults of what a provider answers instead of an answer. */
export class ProviderRefusals {
  readonly #words: ErrorWords
  readonly #redact: (text: string) => string

  constructor(words: ErrorWords, redact: (text: string) => string) {
    this.#words = words
    this.#redact = redact
  }

  of({ status, headers }: Pick<UpstreamAnswer, 'status' | 'headers'>, error: JsonObject): Fault {
    const detail = { upstream_status: status }
    // Providers repeat the key in these answers, so nothing of their text is kept.
    if (status === 401 || status === 403) return new Fault('upstream.unauthorized', detail)
    if (status === 429) return limited(headers, detail)
    if (status >= 400 && status < 500) return this.#rejected(error, detail)
    return new Fault(status >= 500 ? 'upstream.failed' : 'upstream.invalid', detail)
  }

  #rejected(error: JsonObject, detail: FaultDetail): Fault {
    const message = typeof error['message'] === 'string' ? error['message'] : ''
    const kind = this.#kindOf(error)
    const field = this.#fieldOf(error)
    const named = [
      kind === undefined ? '' : ` (${kind})`,
      field === undefined ? '' : `; it names the field ${field}`,
    ]
    // A longer one is not kept at all: what is cut before redaction may be the half of a credential that tells it.
    const kept = message.length > MESSAGE_LENGTH ? '' : this.#redact(message).slice(0, LIMITS.fieldCharacters)
    return new Fault(
      'upstream.rejected',
      { ...detail, upstream_message: kept },
      { say: `The model provider rejected the request${named.join('')}.` },
    )
  }

  #kindOf(error: JsonObject): string | undefined {
    for (const [member, words] of this.#words.kinds) {
      const kind = words.find((word) => word === error[member])
      if (kind !== undefined) return kind
    }
    return undefined
  }

  #fieldOf(error: JsonObject): string | undefined {
    if (this.#words.field === undefined) return undefined
    const [member, names] = this.#words.field
    return names.find((name) => name === error[member])
  }
}

function limited(headers: UpstreamAnswer['headers'], detail: FaultDetail): Fault {
  const text = headers['retry-after']
  const isSeconds = typeof text === 'string' && /^\d{1,15}$/.test(text)
  return new Fault(
    'upstream.limited',
    detail,
    isSeconds ? { retryAfterSeconds: Math.min(Number(text), MOST_RETRY_SECONDS) } : {},
  )
}
