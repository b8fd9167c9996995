import { sourceBlock } from '#base/address.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { StrangerMemory } from '#base/memory.ts'

export interface StrangerFormLimits {
  readonly forms: number
  readonly formsPerBlock: number
  readonly formBytes: number
}

const FORM_LIMITS: StrangerFormLimits = {
  forms: LIMITS.strangerForms,
  formsPerBlock: LIMITS.strangerFormsPerBlock,
  formBytes: LIMITS.formBytes,
}

/** Memory for forms whose senders are not proven yet: so many at once, a few of them from one source block. */
export class StrangerForms {
  readonly #limits: StrangerFormLimits
  readonly #openIn = new Map<string, number>()
  #open = 0

  constructor(limits: StrangerFormLimits = FORM_LIMITS) {
    this.#limits = limits
  }

  get count(): number {
    return this.#open
  }

  /** Throws `load.exceeded`. To be released, once. */
  open(address: string): StrangerMemory & { release(): void } {
    const block = sourceBlock(address)
    const inBlock = this.#openIn.get(block) ?? 0
    const { forms, formsPerBlock, formBytes } = this.#limits
    if (this.#open >= forms || inBlock >= formsPerBlock)
      throw new Fault('load.exceeded', { count: this.#open, reason: 'forms' }, { retryAfterSeconds: 1 })
    this.#open += 1
    this.#openIn.set(block, inBlock + 1)
    let bytes = 0
    return {
      caller: undefined,
      claim: (more) => {
        bytes += more
        if (bytes > formBytes) throw tooLarge(formBytes)
      },
      release: () => this.#close(block),
    }
  }

  #close(block: string): void {
    this.#open -= 1
    const left = (this.#openIn.get(block) ?? 1) - 1
    if (left === 0) this.#openIn.delete(block)
    else this.#openIn.set(block, left)
  }
}

function tooLarge(limit: number): Fault {
  return new Fault(
    'input.too_large',
    { limit },
    { say: `A form without a credential in the headers may have ${limit} bytes.` },
  )
}
