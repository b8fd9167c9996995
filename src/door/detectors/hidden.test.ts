import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { isInvisible } from '../invisible.ts'
import { fixtureFolder } from '../../../test/support/fixtures.ts'
import { growsLinearly } from '../../../test/support/grows_linearly.ts'
import { isQuick } from '../../../test/support/is_quick.ts'
import { randomFractions } from '../../../test/support/planted_secrets.ts'
import { protectedValues } from '../../../test/support/protected_values.ts'
import { hidden } from './hidden.ts'

const SEED = 20_261_122
const tags = (text: string): string =>
  Array.from(text, (letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join('')
const CANCEL = '\u{e007f}'
const FLAG = '\u{1f3f4}'

/** The rules of what is found, each once, and what is left of the text. */
function taken(text: string): readonly [rules: string, left: string] {
  const found = hidden.find(text)
  let left = ''
  let from = 0
  for (const { start, end } of found) {
    left += text.slice(from, start)
    from = end
  }
  const rules = [...new Set(found.map(({ rule }) => rule.replace('hidden.', '')))].join(' ')
  return [rules, left + text.slice(from)]
}

const FOUND: readonly (readonly [why: string, text: string, rules: string, left: string])[] = [
  ['tags in a text', `hi${tags('send it')} you`, 'tags', 'hi you'],
  ['a tag of a language', '\u{e0001}hi', 'tags', 'hi'],
  ['a flag of no nation', `${FLAG}${tags('gbxxx')}${CANCEL}`, 'tags', FLAG],
  ['a flag of a state, which is not for interchange', `${FLAG}${tags('ustx')}${CANCEL}`, 'tags', FLAG],
  ['a flag with more behind it', `${FLAG}${tags('gbsct')}${CANCEL}${tags('a')}`, 'tags', FLAG],
  ['a flag without an end', `${FLAG}${tags('gbsct')} `, 'tags', `${FLAG} `],
  ['a flag in upper case', `${FLAG}${tags('GBSCT')}${CANCEL}`, 'tags', FLAG],
  ['the tags of a flag behind another picture', `\u{1f600}${tags('gbsct')}${CANCEL}`, 'tags', '\u{1f600}'],
  ['what shows nothing beside the tags', 'a\u{e0080}\u{e01f0}\u{e0fff}b', 'tags', 'ab'],
  ['bytes as selectors', '\u{1f600}\u{e0141}\u{e0152} hi', 'variation_selectors', '\u{1f600} hi'],
  ['a selector behind each letter', 'a\ufe00b\ufe01', 'variation_selectors', 'ab'],
  ['a selector behind nothing', '\ufe0fa \ufe0e', 'variation_selectors', 'a '],
  ['two selectors behind a picture', '\u2764\ufe0f\ufe0f', 'variation_selectors', '\u2764'],
  ['a selector without variants', '\u2764\ufe07', 'variation_selectors', '\u2764'],
  ['a selector of ideographs behind kana', '\u3042\u{e0100}', 'variation_selectors', '\u3042'],
  ['two selectors behind an ideograph', '\u845b\u{e0100}\u{e0101}', 'variation_selectors', '\u845b'],
  ['a Mongolian selector elsewhere', 'a\u180bb', 'variation_selectors', 'ab'],
  ['a zero-width space in English', 'pass\u200bword', 'zero_width', 'password'],
  ['a joiner in English', 'pass\u200dword', 'zero_width', 'password'],
  ['a joiner between a picture and a letter', '\u{1f600}\u200da', 'zero_width', '\u{1f600}a'],
  ['two joiners between pictures', '\u{1f468}\u200d\u200d\u{1f469}', 'zero_width', '\u{1f468}\u{1f469}'],
  ['bits in Persian', '\u0645\u200c\u200d\u200c\u06cc', 'zero_width', '\u0645\u06cc'],
  ['a byte order mark in a text', 'a\ufeffb', 'zero_width', 'ab'],
  ['a word joiner', 'a\u2060b', 'zero_width', 'ab'],
  ['a Mongolian separator elsewhere', 'a\u180eb', 'zero_width', 'ab'],
  ['soft hyphens in a row', 'a\u00ad\u00adb', 'zero_width', 'ab'],
  ['a soft hyphen outside a word', 'a \u00adb', 'zero_width', 'a b'],
  ['a grapheme joiner without a mark', 'a\u034fb', 'zero_width', 'ab'],
  ['three zero-width spaces in Thai', '\u0e01\u200b\u200b\u200b\u0e02', 'zero_width', '\u0e01\u0e02'],
  ['an override', 'photo\u202egpj.exe', 'bidi', 'photogpj.exe'],
  ['an override that is closed', 'a \u202egpj.exe\u202c b', 'bidi', 'a gpj.exe b'],
  ['an isolate that is not closed', 'if (a) /* \u2067begin\n b */', 'bidi', 'if (a) /* begin\n b */'],
  ['an isolate closed on the next line', '\u2066a\nb\u2069', 'bidi', 'a\nb'],
  ['an isolate closed far away', `\u2066${'a'.repeat(600)}\u2069`, 'bidi', 'a'.repeat(600)],
  ['a close without an opening', 'a\u202cb\u2069', 'bidi', 'ab'],
  ['an embedding in an isolate', '\u2066a\u202bb\u2069 c\u202c', 'bidi', '\u2066ab\u2069 c'],
  ['empty pairs in a row', 'a\u2066\u2069\u202a\u202c\u2066\u2069b', 'bidi', 'ab'],
  ['marks of direction in a word', 'pass\u200eword', 'bidi', 'password'],
  ['marks of direction in a row', '\u05d0\u200f\u200f\u200f', 'bidi', '\u05d0'],
  ['colours', 'a \u001b[31mred\u001b[0m b', 'ansi', 'a red b'],
  ['a link', '\u001b]8;;https://x.example\u001b\\here\u001b]8;;\u0007', 'ansi', 'here'],
  ['a link of single controls', '\u009d8;;https://x.example\u009chere\u009b1m', 'ansi', 'here'],
  ['the clipboard', 'a\u001b]52;c;aGk=\u0007b', 'ansi', 'ab'],
  ['a text inside that does not end', 'a\u001b]0;title\nb', 'ansi', 'a0;title\nb'],
  ['a text inside that is long', `\u001bP${'x'.repeat(600)}\u001b\\`, 'ansi', 'x'.repeat(600)],
  ['a sequence cut off', 'a\u001b[3', 'ansi', 'a'],
  ['a sequence that no terminal takes', 'a\u001b[é', 'ansi', 'aé'],
  ['an escape alone', 'a\u001b', 'ansi', 'a'],
  ['a short sequence', '\u001b(B\u001b7x', 'ansi', 'x'],
  ['a sign of a wrong encoding', 'end.\u009d\u009b ', 'control', 'end. '],
  ['controls', 'a\u0000b\u0008\u007f\u0085c', 'control', 'abc'],
  ['notes between the lines', 'a\ufff9b\ufffac\ufffb', 'control', 'abc'],
  ['an operator in a word', 'he\u2062llo wo\u2064rld', 'invisible_operators', 'hello world'],
  ['operators in a row', 'x\u2062\u2064\u2062y', 'invisible_operators', 'xy'],
  ['shaping of digits', 'a\u206ab\u206f', 'invisible_operators', 'ab'],
  ['a group of notes in words', 'a\u{1d173}b\u{1bca0}', 'invisible_operators', 'ab'],
  ['Hangul fillers', 'a\u3164b\uffa0', 'fillers', 'ab'],
  ['a syllable of fillers', '\u115f\u1160', 'fillers', ''],
  ['Khmer vowels that show nothing', 'a\u17b4\u17b5', 'fillers', 'a'],
  ['private use', 'a \ue001\ue002\ue003\ue004 b', 'private_use', 'a  b'],
  ['private use of two planes', '\uf8ff\u{f0001}\u{100001}\u{10fffd}', 'private_use', ''],
  ['marks on marks', 'Z\u0361\u0362\u0363\u0364\u0365a', 'combining', 'Za'],
  ['marks on marks with joiners', 'Z\u0361\u0362\u034f\u0363\u0364a', 'combining', 'Za'],
  ['nine marks of a script', `\u0e01${'\u0e48'.repeat(9)}`, 'combining', '\u0e01'],
  ['several', `a\u202eb\u200b${tags('c')}\u0000d`, 'bidi zero_width tags control', 'abd'],
]

for (const [why, text, rules, left] of FOUND) {
  test(`hidden takes out: ${why}`, () => {
    assert.deepEqual(taken(text), [rules, left])
  })
}

const HARMLESS: readonly (readonly [why: string, text: string])[] = [
  ['Arabic', 'اللُّغَةُ العَرَبِيَّةُ جَمِيلَةٌ، والسَّلامُ عليكم. العدد ١٢٣'],
  ['Arabic with a ligature kept apart', 'ه\u200dـ و \u200dه\u200d'],
  ['Persian', 'می\u200cخواهم کتاب\u200cها را ببینم. سال ۱۴۰۵ ه\u200d.ش و خانه\u200c ها'],
  ['Urdu', 'میں اردو بولتا ہوں، شکریہ'],
  ['Hindi', 'हिन्दी में क्\u200dष और क्\u200cष अलग दिखते हैं।'],
  ['Bengali', 'র\u200d্যাব বাংলা ভাষা খুব সুন্দর'],
  ['Sinhala', 'ශ්\u200dරී ලංකාව'],
  ['Malayalam', 'മലയാളം അവന്\u200d വന്നു'],
  ['Thai', 'สวัสดีครับ ยินดีที่ได้รู้จัก ผู้ใหญ่ที่นั่น'],
  ['Thai with breaks', 'สวัสดี\u200bครับ\u200bยินดี'],
  ['Khmer', 'ភាសា\u200bខ្មែរ\u200b។ \u200bសួស្តី'],
  ['Burmese', 'မြန်မာ\u200bစာ ကျွန်ုပ် မြွှို့'],
  ['Tibetan', 'བོད་ཡིག རྒྱུད ཧཱུྃ'],
  ['Hebrew with points and accents', 'בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים מִצְו\u200c\u05b9ת'],
  ['Hebrew with English and marks', 'קראו את README\u200f! (\u200eC++\u200e)'],
  ['Vietnamese in pieces', 'Tiếng Việt rất đẹp, những đường phố ở Huế'.normalize('NFD')],
  ['French in pieces', 'Où êtes-vous, garçon ? Noël'.normalize('NFD')],
  ['phonetic writing', '[ˈɡ̊ʱɒ̃̀ː] ɔ̃́ː'],
  ['Korean', '안녕하세요. 한국어 텍스트입니다.'],
  ['Korean in pieces', '안녕하세요 한국어'.normalize('NFD')],
  ['old Korean', '\u1112\u119e\u11ab \u115f\u1161 \u1100\u1160'],
  ['Japanese', '日本語の文章です。「カタカナ」も、ﾊﾝｶｸも。'],
  ['Japanese names', '葛\u{e0100}城市の渡邉\u{e0101}さん、塚\ufe00'],
  ['Chinese', '中文文本，包含標點符號。'],
  ['Mongolian', 'ᠮᠣᠩᠭᠣᠯ ᠪᠠᠢᠨ\u180eᠠ ᠬ\u180bᠠ'],
  ['families', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466} \u{1f469}\u{1f3fd}\u200d\u{1f680}'],
  [
    'hearts and pirates',
    '\u2764\ufe0f\u200d\u{1f525} \u{1f3f4}\u200d\u2620\ufe0f \u{1f3f3}\ufe0f\u200d\u{1f308}',
  ],
  ['a runner to the right', '\u{1f3c3}\u{1f3fd}\u200d\u2642\ufe0f\u200d\u27a1\ufe0f'],
  [
    'flags',
    `\u{1f1e9}\u{1f1ea} ${['gbeng', 'gbsct', 'gbwls'].map((name) => FLAG + tags(name) + CANCEL).join('')}`,
  ],
  ['skin tones and keycaps', '\u{1f44d}\u{1f3ff} 1\ufe0f\u20e3 #\ufe0f\u20e3 *\ufe0f\u20e3'],
  ['styles', '\u00a9\ufe0f \u263a\ufe0e \u2660\ufe0f \u2194\ufe0f 0\ufe00 \u2229\ufe00'],
  ['hieroglyphs that are turned', '\u{13091}\ufe03'],
  ['mathematics', 'f\u2061(x) = sin\u2061x + 2\u2062x + a\u2063b, 3\u2064½, ∑ₙ xⁿ ≤ ∞, 𝒜 ⊂ ℝ, v⃗ x̂ ẋ̇'],
  ['mathematics of matrices', 'log\u2061sin\u2061θ, a\u2081\u2063\u2082, (x)\u2062(y)'],
  ['music', '\u{1d173}\u{1d15f}\u{1d15f}\u{1d174} \u{1d11e}'],
  ['shorthand', '\u{1bc02}\u{1bca0}\u{1bc03}'],
  [
    'isolates of a translation',
    'Hello \u2068עברית\u2069, you have \u20683\u2069 \u2068\u2068x\u2069\u2069 messages',
  ],
  ['a number from an address book', '\u202d+972 50-123-4567\u202c and \u202bעברית (1)\u202c.'],
  ['an embedding closed with its isolate', 'a \u2067\u202aB\u202c\u2069 c'],
  ['code', 'const a = "\\u200b\\x1b[31m" // ok\n\tif (a && b) { return `x` }\r\n#\f\n'],
  ['a log', '2026-11-22T09:11:05.123Z INFO  [main] GET /v1/models 200 12ms\n\tat run (a.ts:1:2)\n'],
  ['a file with a byte order mark', '\ufeffname,value\n1,2\n'],
  ['German with soft hyphens', 'Donau\u00addampf\u00adschiff\u00adfahrt'],
  ['icons of a prompt', '\ue0a0 main \ue0b0\ue0b1 \uf8ff'],
  ['signs of a table', '┌─┬─┐ │█│ ⠓⠊ ▁▂▃ ①②③ \u00a0\u2003\u3000x'],
  ['Arabic signs of numbers', '\u0600\u0661 \u06dd\u0662'],
]

for (const [why, text] of HARMLESS) {
  test(`hidden passes: ${why}`, () => {
    assert.deepEqual(hidden.find(text), [])
    assert.deepEqual(hidden.find(`${text}\n${text}`.replace('\n\ufeff', '\n')), [])
  })
}

test('hidden finds only what shows nothing, but for sequences, private use and marks', () => {
  const showing = new Set(['hidden.ansi', 'hidden.private_use', 'hidden.combining'])
  const texts = FOUND.map(([, text]) => text)
  const random = randomFractions(SEED)
  for (const { detector, make } of protectedValues()) if (detector === hidden) texts.push(make(random))
  for (const text of texts) {
    for (const { rule, start, end } of hidden.find(text)) {
      if (showing.has(rule)) continue
      for (const character of text.slice(start, end))
        assert.ok(isInvisible(character.codePointAt(0) ?? 0), `${rule} ${JSON.stringify(character)}`)
    }
  }
})

test('hidden has a sign in every text in which it finds something', () => {
  for (const [why, text] of FOUND) assert.match(text, hidden.signs?.form ?? /^$/, why)
})

const HOSTILE: readonly string[] = [
  '\u200b',
  '\u200c',
  '\u200d',
  '\u0645\u200c',
  '\u{1f600}\u200d',
  '\u{1f468}\u{1f3fd}\ufe0f\u200d',
  '\u00ad',
  '\u0301',
  '\u034f',
  '\u0301\u034f',
  '\u05b0',
  'a\u0301\u0301\u0301\u0301',
  '\u001b',
  '\u001b]',
  '\u001b[1',
  '\u001bP',
  '\u001b ',
  '\u009d',
  '\u009b1',
  `\u001b]${'x'.repeat(500)}`,
  '\u202a',
  '\u2066',
  '\u2066\u2069',
  '\u202a\n',
  '\u2067\u202a',
  'a\u202c',
  '\u2069',
  '\u2066a',
  '\u202e',
  '\ufe00',
  '#\ufe0f',
  '\u{e0041}',
  '\u{e0141}',
  `${FLAG}${tags('gbsct')}${CANCEL}`,
  '\u845b\u{e0100}',
  '\u2062',
  'x\u2062',
  'abcdef\u2061',
  '\u115f',
  '\u3164',
  '\ue000',
  '\u{f0000}',
  '\ue000a',
  '\u{1d173}',
  '\u0000',
  'a\u0000',
  'a\u200e',
  '\ud834',
  '\udb40',
  '\udc00',
  '\ud83d',
  '\u0000\u200b',
]

for (const part of HOSTILE) {
  test(`hidden is linear over ${JSON.stringify(part.slice(0, 12))}`, () => {
    assert.ok(growsLinearly(part, (text) => hidden.find(text)))
  })
}

test('hidden is quick over ordinary writing', () => {
  for (const words of ['Some words of English. ', 'كلمات عربية ', '中文文本，', 'हिन्दी में ', 'می\u200cخواهم '])
    assert.ok(isQuick(50, () => hidden.find(words.repeat(1_000_000 / words.length))))
})

test('hidden finds nothing in texts of people, but for two slips of the keyboard', (t) => {
  const folder = fixtureFolder('content-train')
  if (folder === undefined) return t.skip('no fixtures')
  const found: string[] = []
  for (const set of [
    'mt-bench',
    'self-instruct',
    'security-flavoured-benign',
    'bipia-train',
    'deepset-train',
  ]) {
    for (const file of readdirSync(path.join(folder, set)).filter((name) => name.endsWith('.jsonl')))
      found.push(...hidden.find(readFileSync(path.join(folder, set, file), 'utf8')).map(({ rule }) => rule))
  }
  // Zero-width spaces behind ordinary ones, in two advertisements for jobs copied from a page.
  assert.deepEqual(found, ['hidden.zero_width', 'hidden.zero_width'])
})
