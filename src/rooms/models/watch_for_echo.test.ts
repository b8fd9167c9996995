import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { Sealed } from '#base/sealed.ts'
import { SecretEcho } from '#base/secret_echo.ts'
import { watchForEcho } from './watch_for_echo.ts'

const KEY = ['sk', 'of', 'the', 'provider', '0123456789'].join('-')
const ECHO = new SecretEcho(new Sealed(KEY))

async function* piecesOf(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) yield utf8(text)
}

/** What got through, and the fault that ended it. */
async function watch(echo: SecretEcho | undefined, ...texts: readonly string[]): Promise<[string, string]> {
  let seen = ''
  try {
    for await (const piece of watchForEcho(piecesOf(...texts), echo)) seen += Buffer.from(piece).toString()
  } catch (thrown) {
    return [seen, thrown instanceof Fault ? thrown.code : String(thrown)]
  }
  return [seen, 'ended']
}

test('watchForEcho hands on what does not hold the key, byte for byte', async () => {
  assert.deepEqual(await watch(ECHO, 'a', '', 'bc', KEY.slice(0, -1), '.'), [
    `abc${KEY.slice(0, -1)}.`,
    'ended',
  ])
  assert.deepEqual(await watch(undefined, KEY), [KEY, 'ended'])
})

for (let cut = 0; cut <= KEY.length; cut += 1) {
  test(`watchForEcho never lets the whole key through: cut at ${cut}`, async () => {
    const [seen, end] = await watch(ECHO, `before ${KEY.slice(0, cut)}`, `${KEY.slice(cut)} after`)
    assert.equal(end, 'upstream.invalid')
    assert.ok(!seen.includes(KEY))
  })
}

test('watchForEcho sees a key in pieces of one byte, after much else', async () => {
  const [seen, end] = await watch(ECHO, 'x'.repeat(10_000), ...KEY.split(''))
  assert.deepEqual([seen.length, end], [10_000 + KEY.length - 1, 'upstream.invalid'])
})

test('watchForEcho hands on and finds the same in pieces of any size', async () => {
  const text = `${'y'.repeat(5_000)}${KEY}${'z'.repeat(5_000)}`
  const clean = text.replace(KEY, KEY.slice(1))
  for (const size of [7, 300, 1_023, 1_024, 1_025, 2_049, 9_000]) {
    const cut = (whole: string): readonly string[] =>
      Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.slice(at * size, (at + 1) * size),
      )
    assert.deepEqual(await watch(ECHO, ...cut(clean)), [clean, 'ended'], String(size))
    const [seen, end] = await watch(ECHO, ...cut(text))
    assert.deepEqual(
      [end, text.startsWith(seen), seen.includes(KEY)],
      ['upstream.invalid', true, false],
      String(size),
    )
  }
})
