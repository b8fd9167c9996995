import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamReader } from './stream_reader.ts'

function chunked(...texts: readonly string[]): string {
  return [...texts, ''].map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')
}

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const said = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

test('StreamReader puts together what was said: however the bytes are cut', () => {
  const event = said('of \\ "three" ')
  const answer =
    HEAD + chunked(said('one '), event.slice(0, 30), `${event.slice(30)}${said('four')}data: [DONE]\n\n`)
  for (let length = 1; length <= answer.length; length += 1) {
    const reader = new StreamReader()
    let [text, ends] = ['', 0]
    for (let at = 0; at < answer.length; at += length) {
      const piece = reader.push(answer.slice(at, at + length))
      text += piece.text
      ends += Number(piece.isEnd)
      assert.equal(piece.refusal, undefined)
    }
    assert.equal(text, 'one of \\ "three" four', `in pieces of ${length}`)
    assert.equal(ends, 1)
    assert.equal(reader.status, 200)
  }
})

test('StreamReader tells of a cut: an event that is no completion', () => {
  const { refusal, isEnd } = new StreamReader().push(HEAD + chunked('data: {"error":{"code":"x"}}\n\n'))
  assert.equal(refusal, '{"error":{"code":"x"}}')
  assert.ok(isEnd)
})

test('StreamReader reads the next answer on the same connection', () => {
  const reader = new StreamReader()
  assert.equal(reader.push(HEAD + chunked(said('one'))).text, 'one')
  assert.equal(reader.push(HEAD + chunked(said('two'))).text, 'two')
})

test('StreamReader throws: an answer that is no stream', () => {
  const reader = new StreamReader()
  assert.throws(
    () => reader.push('HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\n{}'),
    /no stream: HTTP\/1.1 403/,
  )
  assert.equal(reader.status, 403)
})
