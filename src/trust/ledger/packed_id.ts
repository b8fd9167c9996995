/** Characters of an entry id, and the bytes it takes in a packed file. */
export const ID_CHARACTERS = 16
export const ID_BYTES = 12

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const HALF_CHARACTERS = 8
const HALF_BYTES = 6

/** An entry id in 12 bytes: 62^8 is below 2^48, so each half is a number of 6 bytes. */
export function toHalves(id: string): Uint8Array {
  const bytes = Buffer.alloc(ID_BYTES)
  bytes.writeUIntBE(toNumber(id.slice(0, HALF_CHARACTERS)), 0, HALF_BYTES)
  bytes.writeUIntBE(toNumber(id.slice(HALF_CHARACTERS)), HALF_BYTES, HALF_BYTES)
  return bytes
}

/** The entry id behind 12 bytes; undefined when no id gives these bytes. */
export function fromHalves(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = toText(buffer.readUIntBE(0, HALF_BYTES))
  const second = toText(buffer.readUIntBE(HALF_BYTES, HALF_BYTES))
  return first === undefined || second === undefined ? undefined : first + second
}

function toNumber(text: string): number {
  let value = 0
  for (const character of text) value = value * ALPHABET.length + ALPHABET.indexOf(character)
  return value
}

function toText(value: number): string | undefined {
  let text = ''
  let rest = value
  for (let at = 0; at < HALF_CHARACTERS; at++) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text
    rest = Math.floor(rest / ALPHABET.length)
  }
  return rest === 0 ? text : undefined
}
