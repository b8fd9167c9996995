import { inspect } from 'node:util'

const PRINTED = '[sealed]'

/** A secret text. It has no printable form, does not serialize, and is opened only at the point of use. */
export class Sealed {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** Hands the secret to `use` and gives back what `use` gives. Do not let the secret itself out of `use`. */
  open<T>(use: (value: string) => T): T {
    return use(this.#value)
  }

  toString(): string {
    return PRINTED
  }

  toJSON(): string {
    return PRINTED
  }

  [inspect.custom](): string {
    return PRINTED
  }
}
