import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFractions } from '../../../../test/support/planted_secrets.ts'
import { protectedValues } from '../../../../test/support/protected_values.ts'
import {
  CHANNELS,
  everySplit,
  gather,
  guardedWhole,
  inBatches,
  sentOf,
  through,
  wireOf,
} from '../../../../test/support/split_channels.ts'

const SEED = 20_270_303
/** Known by what stands to the right of it: what a stream does not cover. */
const UNCOVERED = new Set(['AWS secret before its id'])
const VALUES = protectedValues().filter(({ kind }) => !UNCOVERED.has(kind))
/** Of so many values each channel has one here, and all of them in `test/slow/every_split.test.ts`. */
const SHARE = 14
const NAMES = Object.keys(CHANNELS)
const ARGUMENTS = NAMES.filter((name) => /arguments|partial_json/.test(name))

const BENIGN = [
  'The weather is nice; 21 °C in Graz \u{1f600}, "they" said: a < b && c > d.',
  'const sk = await fetch(`https://example.org/v1/${id}?q=a+b`) // AKIA is a prefix\n\treturn -----x',
  '| a | b |\n|---|---|\n| 1,234.50 | \\frac{1}{2} |\r\n\r\nüñîçødé ghp_ eyJ sk- xoxb- -----BEGIN nothing',
]

for (const [at, name] of NAMES.entries()) {
  const channel = CHANNELS[name] ?? assert.fail()

  test(`every split of protected values, ${name}: the same comes out, and nothing of them`, async () => {
    const random = randomFractions(SEED)
    for (const [number, value] of VALUES.entries()) {
      const made = value.make(random)
      if (number % SHARE !== at % SHARE) continue
      const secret = value.secret(made)
      const text = `Here: ${made} and so on.`
      const whole = guardedWhole(text)
      const isClean = !whole.includes(secret) && whole.startsWith('Here') && whole.endsWith('on.')
      assert.ok(isClean, `${value.kind}: ${whole}`)
      const check = (got: string, pieces: readonly string[]): void =>
        assert.equal(got, whole, `${value.kind}: ${JSON.stringify(pieces)}`)
      await inBatches(channel, everySplit(text), { check, secret })
    }
  })

  test(`every split of plain text, ${name}: not a byte of it is changed`, async () => {
    for (const text of BENIGN) {
      const check = (got: string): void => assert.equal(got, text)
      await inBatches(channel, everySplit(text), { check, secret: undefined })
    }
  })
}

for (const [at, name] of ARGUMENTS.entries()) {
  const channel = CHANNELS[name] ?? assert.fail()

  test(`every split of arguments as clients unescape them, ${name}: nothing of protected values`, async () => {
    const random = randomFractions(SEED + 1)
    for (const [number, value] of VALUES.entries()) {
      const made = value.make(random)
      if (number % SHARE !== at % SHARE) continue
      // Hidden text behind escapes is not meant: docs/explanation/inspection-limits.md.
      if (value.detector.plainOnly === true) continue
      const secret = value.secret(made)
      const text = `Here: ${made} and so on.`
      const inner = JSON.stringify({ text })
      const forms = [
        inner,
        inner.replace(JSON.stringify(secret).slice(1, -1), () => escaped(secret)),
        JSON.stringify({ text: inner }),
      ]
      const form = forms[(number + at) % forms.length] ?? ''
      const whole = guardedWhole(form)
      for (const one of stringsOf(JSON.parse(whole)))
        assert.ok(!one.includes(secret), `${value.kind}: ${one}`)
      const check = (got: string, pieces: readonly string[]): void =>
        assert.equal(got, whole, `${value.kind}: ${JSON.stringify(pieces)}`)
      await inBatches(channel, everySplit(form), { check, secret })
    }
  })
}

for (const [name, channel] of Object.entries(CHANNELS).filter(([one]) =>
  /: (content|text|output_text)$/.test(one),
)) {
  test(`every split of the bytes of the wire, ${name}: the client reads the same`, async () => {
    const value = VALUES.find(({ kind }) => kind === 'GitHub personal token') ?? assert.fail()
    const made = value.make(randomFractions(SEED))
    const text = `für \u{1f600}: ${made}, "ok"\n`
    const sent = sentOf(channel, [{ text, pieces: [text.slice(0, 20), text.slice(20, 30), text.slice(30)] }])
    const wire = Buffer.from(wireOf(sent))
    const read = async (pieces: readonly Uint8Array[]) => through(channel.format(), pieces)
    const whole = JSON.stringify(await read([wire]))
    assert.ok(!whole.includes(value.secret(made)) && whole.includes('für \u{1f600}'))
    for (let cut = 1; cut < wire.length; cut += 1)
      assert.equal(
        JSON.stringify(await read([wire.subarray(0, cut), wire.subarray(cut)])),
        whole,
        `at ${cut}`,
      )
    const { texts } = await gather(channel, [{ text, pieces: Array.from(text) }])
    assert.deepEqual(texts, [guardedWhole(text)])
  })
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => {
    const unit = text.charCodeAt(at)
    return `\\u${unit.toString(16).padStart(4, '0')}`
  }).join('')
}

/** All texts in it, and all in the texts that are JSON themselves. */
function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string')
    return value.startsWith('{') ? [value, ...stringsOf(JSON.parse(value))] : [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}
