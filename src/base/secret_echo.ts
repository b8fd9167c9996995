import { utf8 } from './bytes.ts'
import { EchoWatch } from './echo_watch.ts'
import { SampledSearch } from './sampled_search.ts'
import type { Sealed } from './sealed.ts'
import { undoEscapes } from './undo_escapes.ts'
import { withoutSpace } from './without_space.ts'

/** Shorter secrets are words that any text may hold. */
const LEAST_LENGTH = 8
/** Disguises over each other that are undone: JSON inside JSON inside a URL has two. */
const LAYERS = 3

/**
 * Tells whether foreign bytes repeat a secret of ours: as it is, with the escapes of JSON, URLs, HTML and
 * programs, and inside base 64 or hexadecimal, in one piece or parted by white space and colons. Who hides it on purpose in yet another way is not found out.
 *
 * The secret is opened once and kept in these forms, out of reach of printing and serializing.
 */
export class SecretEcho {
  readonly #asItIs: Buffer | undefined
  /** Without white space and colons, as where they are searched for. */
  readonly #joined: readonly Buffer[]
  readonly #samples: SampledSearch

  constructor(secret: Sealed) {
    const forms = secret.open(formsOf)
    const [asItIs] = forms
    const isWord = asItIs === undefined || asItIs.length < LEAST_LENGTH
    this.#asItIs = isWord ? undefined : asItIs
    this.#joined = isWord ? [] : forms.map(withoutSpace).filter(({ length }) => length >= LEAST_LENGTH)
    this.#samples = new SampledSearch(this.#joined)
  }

  /** A search of bytes that come piece by piece. */
  newWatch(): EchoWatch {
    // A secret of spaces is found as it is, and only so.
    const isSampled = this.#joined[0]?.length === this.#asItIs?.length
    return new EchoWatch(this, isSampled ? this.#samples : undefined)
  }

  /** Linear in the length of the bytes. */
  isIn(bytes: Uint8Array): boolean {
    if (this.#asItIs === undefined) return false
    let view: Buffer | undefined = bufferOf(bytes)
    for (let layer = 0; view !== undefined && layer <= LAYERS; layer += 1) {
      if (this.#hasForm(view)) return true
      view = undoEscapes(view)
    }
    return false
  }

  #hasForm(view: Buffer): boolean {
    if (this.#asItIs === undefined) return false
    if (view.includes(this.#asItIs)) return true
    if (!this.#samples.mayHold(view)) return false
    const joined = withoutSpace(view)
    return this.#joined.some((form) => joined.includes(form))
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The first one is the text itself. */
function formsOf(text: string): readonly Buffer[] {
  const bytes = utf8(text)
  const hex = Buffer.from(bytes).toString('hex')
  const forms = new Set([text, ...base64Forms(bytes), hex, hex.toUpperCase()])
  return [...forms].map((form) => Buffer.from(form))
}

/**
 * What base 64 (RFC 4648 sections 4 and 5) makes of bytes wherever they stand among others: three bytes make four
 * letters, so there are three ways. The letters at the ends that depend on the neighbours are left out.
 */
function base64Forms(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const letters = Buffer.concat([new Uint8Array(before), bytes]).toString('base64url')
    const start = before === 0 ? 0 : before + 1
    const end = (before + bytes.length) % 3 === 0 ? letters.length : letters.length - 1
    const form = letters.slice(start, end)
    return [form, form.replaceAll('-', '+').replaceAll('_', '/')]
  })
}
