const BLOCK = 512
const NAME_BYTES = 100
const SIZE_AT = 124
const SIZE_BYTES = 12
const PREFIX_AT = 345
const PREFIX_BYTES = 155

/** The files of a ustar archive by name; other kinds of entries are left out. */
export function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let at = 0; at + BLOCK <= archive.length;) {
    const name = textAt(archive, at, NAME_BYTES)
    if (name === '') break
    const size = Number.parseInt(textAt(archive, at + SIZE_AT, SIZE_BYTES), 8)
    const prefix = textAt(archive, at + PREFIX_AT, PREFIX_BYTES)
    const type = archive.toString('latin1', at + 156, at + 157)
    const start = at + BLOCK
    if (type === '0' || type === '\0')
      files.set(prefix === '' ? name : `${prefix}/${name}`, archive.subarray(start, start + size))
    at = start + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}

function textAt(archive: Buffer, at: number, length: number): string {
  const field = archive.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end).trim()
}
