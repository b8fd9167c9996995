import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressAround } from './email_address.ts'

/** The address around the last sign of a text. */
function address(text: string): string | undefined {
  const stretch = addressAround(text, text.lastIndexOf('@'))
  return stretch === undefined ? undefined : text.slice(...stretch)
}

const LONG = 'a'.repeat(64)
const LABEL = 'b'.repeat(63)

const FOUND: readonly (readonly [why: string, text: string, expected: string])[] = [
  ['in brackets', 'Ann <ann@example.org>', 'ann@example.org'],
  ['in quotes', "'ann@example.org'", 'ann@example.org'],
  ['with an apostrophe', "o'brien@example.org", "o'brien@example.org"],
  ['with a tag', 'ann+news@mail.example.co.uk', 'ann+news@mail.example.co.uk'],
  ['in a query', 'https://x.example/?mail=ann@example.org&a=b', 'ann@example.org'],
  ['in a path', 'https://x.example/of/ann@example.org', 'ann@example.org'],
  ['behind mailto', 'mailto:ann@example.org?subject=x', 'ann@example.org'],
  ['behind a colon', 'mail:ann@example.org', 'ann@example.org'],
  ['at the end of a sentence', 'ann@example.org.', 'ann@example.org'],
  ['with a sentence behind it', 'ann@example.org.And', 'ann@example.org.And'],
  ['with a hyphen behind it', 'ann@example.org-', 'ann@example.org'],
  ['with a word behind a hyphen', 'ann@example.org-team', 'ann@example.org'],
  ['in letters with accents', 'josé.garcía@exämple.de', 'josé.garcía@exämple.de'],
  ['in letters with accents in pieces', 'jose\u0301@example.de', 'jose\u0301@example.de'],
  ['in Chinese', '张三@例子.公司', '张三@例子.公司'],
  ['in Chinese writing', '邮箱是ann@example.org的', 'ann@example.org'],
  ['in Arabic', 'علي@مثال.شركة', 'علي@مثال.شركة'],
  ['in letters of another plane', '\u{1d44e}@example.org', '\u{1d44e}@example.org'],
  ['in punycode', 'a@xn--bcher-kva.xn--p1ai', 'a@xn--bcher-kva.xn--p1ai'],
  ['of a host that begins with digits', 'a@163.com', 'a@163.com'],
  ['of the longest local part', `${LONG}@example.org`, `${LONG}@example.org`],
  ['behind two dots', 'a..b@example.org', 'b@example.org'],
  [
    'cut to what may be an address',
    `a@${LABEL}.${LABEL}.${LABEL}.org.${LABEL}`,
    `a@${LABEL}.${LABEL}.${LABEL}.org`,
  ],
]

for (const [why, text, expected] of FOUND) {
  test(`addressAround finds an address: ${why}`, () => {
    assert.equal(address(text), expected)
  })
}

const NONE: readonly (readonly [why: string, text: string])[] = [
  ['a handle', '@ann'],
  ['a handle with its host', '@ann@social.example'],
  ['a decorator', '@app.route'],
  ['no local part', 'to @example.org'],
  ['a local part that is quoted', '"ann lee"@example.org'],
  ['a local part that ends with a dot', 'see.@example.org'],
  ['a local part of dots', 'so...@ann.lee'],
  ['a local part that is too long', `a${LONG}@example.org`],
  ['a local part of signs', '!!@example.org'],
  ['a host of one label', 'ann@localhost'],
  ['a host of one label and a dot', 'ann@localhost.'],
  ['a host of the own network', 'root@db.internal'],
  ['a host of numbers', 'ann@10.0.0.1'],
  ['a host that ends with digits', 'ann@example.c0m'],
  ['a last label of one letter', 'w@x.T'],
  ['a label that begins with a hyphen', 'ann@-example.org'],
  ['a label that ends with a hyphen', 'ann@example-.org'],
  ['a label that is too long', `ann@${LABEL}b.org`],
  ['an empty label', 'ann@example..org'],
  ['a version', 'react@18.2.0'],
  ['a version before release', 'next@15.0.0-canary.ab'],
  ['a picture', 'icon@2x.png'],
  ['a unit of systemd', 'getty@tty1.service'],
  ['the user of a URL', 'https://ann@example.org/x'],
  ['the password of a URL', 'https://ann:secret@example.org/x'],
  ['a repository', 'git@github.com:org/repo.git'],
  ['a repository in a URL', 'ssh://git@github.com/org/repo.git'],
  ['a product of matrices', 'q@k.transpose(0, 1)'],
]

for (const [why, text] of NONE) {
  test(`addressAround finds none: ${why}`, () => {
    assert.equal(address(text), undefined)
  })
}
