type Stretch = readonly [start: number, end: number]

const SIGN = '@'
/** RFC 5321 section 4.5.3.1, for the part before the sign and for all of it. */
const LONGEST_LOCAL = 64
const LONGEST_ADDRESS = 254
const LONGEST_LABEL = 63

/**
 * The address of e-mail (RFC 5321 section 4.1.2, RFC 6531) around the sign at a place, or undefined. Its local part is not
 * quoted, and its domain is a public name: at least two labels, the last one letters or punycode.
 *
 * Not an address: a version (`react@18.2.0`), a name with a sign before it (`@user@host.example`), a host of one's own network
 * (`root@db.internal`), a picture (`icon@2x.png`), the user of a URL (`https://user@host.example`), the account that
 * repositories are fetched with (`git@host.example:name`), and a call of code (`a@b.dot(c)`).
 */
export function addressAround(text: string, sign: number): Stretch | undefined {
  const start = startOfLocal(text, sign)
  if (start === sign || text[start - 1] === SIGN) return undefined
  const end = endOfDomain(text, sign + 1, start + LONGEST_ADDRESS)
  if (end < 0 || isUserOfUrl(text, start)) return undefined
  return isRepository(text, start, sign, end) || text[end] === '(' ? undefined : [start, end]
}

/** What local parts are made of, without the signs of RFC 5322 that mostly stand around an address: `= / ? # { | } ^ &` and back quote. */
const LOCAL = /[\w.%+'~!$*-]|[\p{L}\p{M}\p{N}]/u
const LOCAL_BEGINS = /\w|[\p{L}\p{N}]/u
/** Scripts that put no space between a word and an address. */
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const ASCII_END = 0x80

/** The place of the sign when there is no local part. */
function startOfLocal(text: string, sign: number): number {
  const isAscii = text.charCodeAt(sign - 1) < ASCII_END
  const furthest = sign - LONGEST_LOCAL
  let first = sign
  if (text[sign - 1] === '.') return sign
  while (first > 0) {
    const before = startOfPoint(text, first - 1)
    const point = text.slice(before, first)
    if (!LOCAL.test(point) || (isAscii && SPACELESS.test(point))) break
    if (point === '.' && text[first] === '.') {
      first += 1
      break
    }
    first = before
    if (first < furthest) return sign
  }
  while (first < sign && !LOCAL_BEGINS.test(text.slice(first, endOfPoint(text, first))))
    first = endOfPoint(text, first)
  return first
}

function startOfPoint(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff && at > 0 ? at - 1 : at
}

function endOfPoint(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? at + 2 : at + 1
}

const LABEL = /[a-z\d\p{L}\p{M}\p{N}](?:[a-z\d\p{L}\p{M}\p{N}-]{0,61}[a-z\d\p{L}\p{M}\p{N}])?/iuy
/** At the end, letters of ASCII only, as in `com`, are not glued to letters of another script. */
const TOP_LEVEL =
  /^(?:xn--[a-z\d-]{1,58}[a-z\d](?![a-z\d])|[a-z]{2,63}(?![a-z\d_])|[\p{L}\p{M}]{2,63}(?![\p{L}\p{M}\p{N}]))/iu
const VERSION = /^\d+$/
/** Names of a network of one's own, RFC 6762 appendix G and RFC 6761; and ends of the names of files and of units of systemd. */
const NOT_PUBLIC = new Set(
  'local localhost localdomain internal lan intranet png jpg jpeg gif webp svg bmp ico css scss less js mjs cjs ts tsx jsx json yaml yml html htm txt log xml csv pdf exe dll conf cfg ini toml lock service socket mount timer slice scope'.split(
    ' ',
  ),
)

/** Where the longest domain that begins at a place ends, or -1. */
function endOfDomain(text: string, from: number, furthest: number): number {
  let end = -1
  let label = from
  let numbers = 0
  for (let count = 1; ; count++) {
    LABEL.lastIndex = label
    if (!LABEL.test(text)) return end
    const labelEnd = LABEL.lastIndex
    const top = count > 1 ? endOfTop(text, label) : -1
    if (top > furthest) return end
    if (top >= 0) end = top
    if (VERSION.test(text.slice(label, labelEnd))) numbers += 1
    // `18.2` begins a version, not a domain.
    if (count === 2 && numbers === 2) return -1
    if (text[labelEnd] !== '.' || labelEnd > furthest) return end
    label = labelEnd + 1
  }
}

function endOfTop(text: string, label: number): number {
  const [top] = TOP_LEVEL.exec(text.slice(label, label + LONGEST_LABEL + 1)) ?? []
  return top === undefined || NOT_PUBLIC.has(top.toLowerCase()) ? -1 : label + top.length
}

const LONGEST_USER = 128

/** True where `scheme://` stands before, with nothing between but what a user and a password are made of. */
function isUserOfUrl(text: string, start: number): boolean {
  const code = text[start - 1]
  if (code !== '/' && code !== ':') return false
  return /:\/\/[^\s/]*$/.test(text.slice(Math.max(0, start - LONGEST_USER), start))
}

const REPOSITORY_ACCOUNT = /^(?:git|hg|svn|aur)$/

function isRepository(text: string, start: number, sign: number, end: number): boolean {
  return (text[end] === ':' || text[end] === '/') && REPOSITORY_ACCOUNT.test(text.slice(start, sign))
}
