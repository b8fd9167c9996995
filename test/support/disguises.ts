const hex = (letter: string, digits: number): string =>
  letter.charCodeAt(0).toString(16).padStart(digits, '0')
const each =
  (write: (letter: string) => string) =>
  (secret: string): string =>
    Array.from({ length: secret.length }, (_, at) => write(secret.charAt(at))).join('')
const json = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Other ways to write a secret that inspection sees through, one letter after the other. */
export const DISGUISES: readonly (readonly [why: string, disguise: (secret: string) => string])[] = [
  ['nothing', (secret) => secret],
  ['zero-width spaces between all letters', (secret) => Array.from(secret).join('\u200b')],
  ['selectors between all letters', (secret) => Array.from(secret).join('\u{e0100}')],
  ['controls of the terminal', (secret) => Array.from(secret).join('\u0001')],
  ['a soft hyphen near the start', (secret) => `${secret.slice(0, 3)}\u00ad${secret.slice(3)}`],
  ['escapes of JSON', each((letter) => `\\u${hex(letter, 4)}`)],
  ['escapes of JSON in JSON', each((letter) => `\\\\u${hex(letter, 4)}`)],
  ['escapes in braces', each((letter) => `\\u{${hex(letter, 2)}}`)],
  ['escapes with eight digits', each((letter) => `\\U${hex(letter, 8)}`)],
  ['escapes with two digits', each((letter) => (letter < '\u0100' ? `\\x${hex(letter, 2)}` : letter))],
  [
    'octal escapes',
    each((letter) => (letter < '\u0100' ? `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}` : letter)),
  ],
  ['percent signs', each((letter) => (letter < '\u0100' ? `%${hex(letter, 2)}` : letter))],
  ['quoted-printable', each((letter) => (letter < '\u0100' ? `=${hex(letter, 2).toUpperCase()}` : letter))],
  ['a soft line end', (secret) => `${secret.slice(0, 5)}=\r\n${secret.slice(5)}`],
  ['backslashes of Markdown', (secret) => secret.replaceAll(/[-_.]/g, String.raw`\$&`)],
]

/** Other ways to write a whole text. */
export const WRAPPINGS: readonly (readonly [why: string, wrap: (text: string) => string])[] = [
  ['base 64', (text) => Buffer.from(text).toString('base64')],
  ['base 64 url', (text) => Buffer.from(text).toString('base64url')],
  ['base 64 behind one letter', (text) => `x${Buffer.from(text).toString('base64')}`],
  ['base 64 behind three letters', (text) => `xyz${Buffer.from(text).toString('base64')}`],
  ['base 64 of UTF-16', (text) => Buffer.from(text, 'utf16le').toString('base64')],
  ['JSON', (text) => json(text)],
  ['JSON in JSON', (text) => json(json(text))],
]

/** What may stand around a text. */
export const CONTEXTS: readonly (readonly [why: string, before: string, after: string])[] = [
  ['nothing', '', ''],
  ['prose', 'Here it is, as you asked: ', ' - and take care of it.'],
  ['JSON', '{"a":1,"value":"', '","b":[true,null]}'],
  ['code', "const value = '", "'; // used below\nrun(value)"],
  ['punctuation', '(', ')'],
  ['Markdown', '- **', '**\n'],
  ['prose without spaces', '就是这个：', '。请保密'],
]
