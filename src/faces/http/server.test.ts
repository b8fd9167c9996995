import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { suite, test } from 'node:test'
import { ENDLESS } from '../../../test/support/door_parts.ts'
import {
  answer,
  ASK,
  assertAlive,
  codeOf,
  HEAD,
  post,
  READ,
  refusal,
  rig,
  route,
  SHOW,
  STRANGER,
} from '../../../test/support/http_rig.ts'
import { RawConnection } from '../../../test/support/raw_http.ts'
import type { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { privateSocket } from '#base/private_socket.ts'
import type { Outcome } from '#door/outcome.ts'
import type { Incoming } from '#door/route.ts'
import type { ListenerAsk } from './listener.ts'

suite('openServer answers', () => {
  test('a request: with params, query, credential, address and its id', async (t) => {
    const { ask } = await rig(t)
    const reply = await ask(`GET /v1/show/my%20model?a=1&a=%C3%A9 HTTP/1.1\r\n${HEAD}\r\n`)
    const body = JSON.parse(reply.body)
    assert.deepEqual(body, {
      id: reply.headers.get('x-request-id'),
      credential: 'bearer',
      address: '127.0.0.1',
      params: { name: 'my model' },
      query: [
        ['a', '1'],
        ['a', 'é'],
      ],
    })
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    assert.equal(reply.headers.get('content-type'), 'application/json')
    assert.equal(reply.headers.has('server'), false)
    assert.equal(reply.headers.has('x-powered-by'), false)
  })

  test('a body: with a length, in chunks, in pieces, and none', async (t) => {
    const { ask, open } = await rig(t)
    assert.deepEqual(JSON.parse((await ask(post('{"a":1}'))).body), { bytes: 7, text: '{"a":1}' })
    const chunked = `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json; charset="UTF-8"\r\nTransfer-Encoding: chunked\r\n\r\n`
    assert.deepEqual(JSON.parse((await ask(`${chunked}3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n`)).body), {
      bytes: 7,
      text: '{"a":1}',
    })
    assert.deepEqual(JSON.parse((await ask(`POST /v1/read HTTP/1.1\r\n${HEAD}\r\n`)).body), {
      bytes: 0,
      text: '',
    })
    const pieces = await open()
    for (const character of post('{"a":1}')) pieces.write(character)
    assert.equal((await pieces.reply())?.status, 200)
  })

  test('pipelined requests: in order, on one connection', async (t) => {
    const { open } = await rig(t)
    const connection = await open()
    connection.write(`${post('"1"')}${post('"2"')}GET /none HTTP/1.1\r\n${HEAD}\r\n${post('"3"')}`)
    const replies = [
      await connection.reply(),
      await connection.reply(),
      await connection.reply(),
      await connection.reply(),
    ]
    assert.deepEqual(
      replies.map((reply) => reply?.status),
      [200, 200, 404, 200],
    )
    assert.deepEqual(
      [0, 1, 3].map((at) => JSON.parse(replies[at]?.body ?? '').text),
      ['"1"', '"2"', '"3"'],
    )
    assert.equal(new Set(replies.map((reply) => reply?.headers.get('x-request-id'))).size, 4)
  })

  test('health: open to all, on listeners that have it', async (t) => {
    let readiness = { isReady: true, reasons: ['policy.degraded'] }
    const { ask, open, digests, guard } = await rig(t, { readiness: () => readiness })
    const head = await (
      await open()
    )
      .write('HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      .closed()
    assert.match(head, /^HTTP\/1.1 200 [^]*\r\n\r\n$/, 'a head without a body')
    assert.equal((await ask('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).status, 200)
    assert.deepEqual(JSON.parse((await ask('GET /readyz HTTP/1.0\r\n\r\n')).body), {
      status: 'ready',
      reasons: ['policy.degraded'],
    })
    readiness = { isReady: false, reasons: ['ledger.unwritable'] }
    const reply = await ask('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.equal(reply.status, 503)
    assert.deepEqual(JSON.parse(reply.body), { status: 'not ready', reasons: ['ledger.unwritable'] })
    guard.flush()
    assert.equal(digests.length, 0)
    const without = await rig(t, { readiness: undefined })
    assert.equal(codeOf(await without.ask('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')), 'route.unknown')
  })
})

const REFUSED: readonly (readonly [why: string, request: string, code: FaultCode])[] = [
  ['no such route', `GET /v1/none HTTP/1.1\r\n${HEAD}\r\n`, 'route.unknown'],
  ['another method', `GET /v1/read HTTP/1.1\r\n${HEAD}\r\n`, 'method.wrong'],
  ['an unusual method', `PROPFIND /v1/read HTTP/1.1\r\n${HEAD}\r\n`, 'method.wrong'],
  ['dots', `GET /v1/../v1/show/x HTTP/1.1\r\n${HEAD}\r\n`, 'target.invalid'],
  ['a fragment', `GET /v1/show/x#y HTTP/1.1\r\n${HEAD}\r\n`, 'target.invalid'],
  ['an encoded slash', `GET /v1/show/x%2fy HTTP/1.1\r\n${HEAD}\r\n`, 'target.invalid'],
  ['absolute form, other host', `GET http://evil/v1/show/x HTTP/1.1\r\n${HEAD}\r\n`, 'target.invalid'],
  ['asterisk form', `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`, 'target.invalid'],
  ['no host', 'GET /v1/show/x HTTP/1.1\r\n\r\n', 'target.invalid'],
  ['a host with a path and a fragment', 'GET /v1/show/x HTTP/1.1\r\nHost: x/#@y\r\n\r\n', 'target.invalid'],
  ['a host with a user', 'GET /v1/show/x HTTP/1.1\r\nHost: a@b\r\n\r\n', 'target.invalid'],
  [
    'an empty host',
    'GET /v1/show/x HTTP/1.1\r\nHost:\r\nAuthorization: Bearer real-1\r\n\r\n',
    'target.invalid',
  ],
  ['two hosts', 'GET /v1/show/x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 'input.invalid'],
  [
    'too many header lines',
    `GET /v1/show/x HTTP/1.1\r\n${HEAD}${'a: b\r\n'.repeat(200)}\r\n`,
    'input.invalid',
  ],
  [
    'another content type',
    `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`,
    'input.invalid',
  ],
  ['no content type', `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Length: 2\r\n\r\n{}`, 'input.invalid'],
  [
    'another charset',
    `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}`,
    'input.invalid',
  ],
  [
    'a multipart form',
    `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n\r\n{}`,
    'input.invalid',
  ],
  [
    'two content types',
    `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    'input.invalid',
  ],
  ['compressed', post('{}', 'Content-Encoding: gzip\r\n'), 'input.invalid'],
  [
    'compressed twice',
    post('{}', 'Content-Encoding: identity\r\nContent-Encoding: gzip\r\n'),
    'input.invalid',
  ],
  ['two lengths', post('{}', 'Content-Length: 3\r\n'), 'input.invalid'],
  ['two equal lengths', post('{}', 'Content-Length: 2\r\n'), 'input.invalid'],
  ['a length and chunks', post('0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'), 'input.invalid'],
  ['chunks under another name', post('0\r\n\r\n', 'Transfer-Encoding: xchunked\r\n'), 'input.invalid'],
  ['a negative length', `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Length: -1\r\n\r\n`, 'input.invalid'],
  [
    'a length that is none',
    `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Length: 0x2\r\n\r\n{}`,
    'input.invalid',
  ],
  ['a folded header', `GET /v1/show/x HTTP/1.1\r\n${HEAD}X-A: b\r\n c\r\n\r\n`, 'input.invalid'],
  [
    'a space before the colon',
    `GET /v1/show/x HTTP/1.1\r\n${STRANGER}Authorization : Bearer real-1\r\n\r\n`,
    'input.invalid',
  ],
  ['bare line feeds', `GET /v1/show/x HTTP/1.1\n${HEAD.replaceAll('\r\n', '\n')}\n`, 'input.invalid'],
  ['a bare carriage return', `GET /v1/show/x HTTP/1.1\r\n${HEAD}X-A: b\rX-B: c\r\n\r\n`, 'input.invalid'],
  ['a NUL in a header', `GET /v1/show/x HTTP/1.1\r\n${HEAD}X-A: b\u{0}c\r\n\r\n`, 'input.invalid'],
  ['a NUL in the target', `GET /v1/show/x\u{0} HTTP/1.1\r\n${HEAD}\r\n`, 'input.invalid'],
  ['HTTP/0.9', 'GET /v1/show/x\r\n\r\n', 'input.invalid'],
  ['HTTP/3.0', `GET /v1/show/x HTTP/3.0\r\n${HEAD}\r\n`, 'input.invalid'],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'input.invalid'],
  ['TLS on a plain port', '\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}', 'input.invalid'],
  ['garbage', '\u{ff}\u{fe}\u{fd} \u{0}\u{1}\r\n\r\n', 'input.invalid'],
  [
    'a huge header',
    `GET /v1/show/x HTTP/1.1\r\n${HEAD}X-A: ${'a'.repeat(100_000)}\r\n\r\n`,
    'input.too_large',
  ],
  [
    '10,000 header lines',
    `GET /v1/show/x HTTP/1.1\r\n${HEAD}${'a: b\r\n'.repeat(10_000)}\r\n`,
    'input.too_large',
  ],
  ['a huge target', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${HEAD}\r\n`, 'input.too_large'],
  ['a long target', `GET /${'a'.repeat(3_000)} HTTP/1.1\r\n${HEAD}\r\n`, 'target.invalid'],
]

const POST_JSON = `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n`
/** Bodies whose end another program may see elsewhere. */
const UNCERTAIN: readonly (readonly [why: string, head: string])[] = [
  ['chunks in chunks', `${POST_JSON}Transfer-Encoding: chunked, chunked`],
  ['compressed chunks', `${POST_JSON}Transfer-Encoding: gzip, chunked`],
  ['chunks of nothing', `${POST_JSON}Transfer-Encoding: identity, chunked`],
  ['an empty coding', `${POST_JSON}Transfer-Encoding: ,chunked`],
  ['two lines', `${POST_JSON}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked`],
  [
    'chunks in HTTP/1.0',
    `${POST_JSON.replace('1.1', '1.0')}Connection: keep-alive\r\nTransfer-Encoding: chunked`,
  ],
  ['a health check too', `GET /healthz HTTP/1.1\r\n${HEAD}Transfer-Encoding: gzip, chunked`],
  ['no chunks at all', `${POST_JSON}Transfer-Encoding: identity`],
  ['nothing at all', `${POST_JSON}Transfer-Encoding: `],
  ['nothing and chunks', `${POST_JSON}Transfer-Encoding: \r\nTransfer-Encoding: chunked`],
  ['two hosts and compressed chunks', `${POST_JSON}Host: x\r\nTransfer-Encoding: gzip, chunked`],
  ['a parameter', `${POST_JSON}Transfer-Encoding: chunked;q=1`],
  ['chunks before something else', `${POST_JSON}Transfer-Encoding: chunked,`],
  ['a length too', `${POST_JSON}Transfer-Encoding: chunked\r\nContent-Length: 5`],
]

suite('openServer refuses, and goes on', () => {
  test('a body without a certain end: what comes after it is never looked at', async (t) => {
    let served = 0
    const hidden = route('GET', '/v1/hidden', () => {
      served += 1
      return Promise.resolve(answer('{}'))
    })
    const running = await rig(t, { routes: [READ, SHOW, hidden] })
    for (const [why, head] of UNCERTAIN) {
      const connection = await running.open()
      connection.write(`${head}\r\n\r\n0\r\n\r\nGET /v1/hidden HTTP/1.1\r\n${HEAD}\r\n`)
      const reply = await connection.reply()
      assert.equal(codeOf(reply), 'input.invalid', why)
      assert.equal(reply?.headers.get('connection'), 'close', why)
      assert.equal(await connection.closed(), '', why)
    }
    assert.equal(served, 0)
    await assertAlive(running)
  })

  test('what is hostile, wrong or ambiguous: with a problem and an id', async (t) => {
    const running = await rig(t)
    for (const [why, request, code] of REFUSED) {
      const reply = await running.ask(request)
      assert.equal(codeOf(reply), code, why)
      assert.match(reply.headers.get('x-request-id') ?? '', /^\w{16}$/, why)
      assert.match(reply.headers.get('content-type') ?? '', /json$/, why)
      assert.ok(!reply.body.includes('real-1'), why)
    }
    await assertAlive(running)
  })

  test('a chunk size that is none: the connection is closed, for the request is under way', async (t) => {
    const running = await rig(t)
    const connection = await running.open()
    const start = `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    assert.equal(await connection.write(`${start}zz\r\n`).closed(), '')
    await assertAlive(running)
  })

  test('smuggled requests: the second one is never served', async (t) => {
    let served = 0
    const hidden = route('GET', '/v1/hidden', () => {
      served += 1
      return Promise.resolve(answer('{}'))
    })
    const { open } = await rig(t, { routes: [READ, hidden] })
    const inner = `GET /v1/hidden HTTP/1.1\r\n${HEAD}\r\n`
    const start = `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n`
    const forms = [
      `${start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: chunked\r\nContent-Length: ${inner.length + 5}\r\n\r\n0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding\u{b}: chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${start}Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      `${start}Content-Length: 0,${inner.length}\r\n\r\n${inner}`,
      `${start}Content-Length: +0\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: chunked\r\n\r\n0;a=b\nX\r\n\r\n${inner}`,
      `${start}Transfer-Encoding: chunked\r\n\r\n00000000000000000\r\n\r\n${inner}`.replace(
        '00000000000000000',
        'fffffffffffffffff',
      ),
    ]
    for (const form of forms) {
      const connection = await open()
      connection.write(form)
      await connection.closed()
      assert.equal(served, 0, JSON.stringify(form.slice(100, 180)))
    }
  })

  test('another expectation, and a host after an empty one: counted, as a problem, and closed', async (t) => {
    const { open, guard, digests } = await rig(t)
    const requests = [post('{}', 'Expect: foo\r\n'), 'GET /v1/show/x HTTP/1.1\r\nHost:\r\nHost: evil\r\n\r\n']
    for (const request of requests) {
      const connection = await open()
      const reply = await connection.write(request).reply()
      assert.equal(codeOf(reply), 'input.invalid')
      assert.equal(reply?.headers.get('connection'), 'close')
      await connection.closed()
    }
    guard.flush()
    assert.deepEqual(
      digests.map(({ fields }) => fields['codes']),
      [{ 'input.invalid': 2 }],
    )
  })

  test('a 404 in OpenAI’s envelope under /v1/: its clients read nothing else', async (t) => {
    const { ask } = await rig(t)
    const inside = JSON.parse((await ask(`GET /v1/none HTTP/1.1\r\n${HEAD}\r\n`)).body)
    assert.equal(inside.error.gatehouse.stage, 'receive')
    assert.equal(
      'entry' in inside.error.gatehouse,
      false,
      'nothing was written, so there is no entry to look up',
    )
    const bare = await ask(`GET /none HTTP/1.1\r\n${HEAD}\r\n`)
    assert.equal(bare.headers.get('content-type'), 'application/problem+json')
    const wrong = await ask(`PUT /v1/read HTTP/1.1\r\n${HEAD}\r\n`)
    assert.equal(wrong.headers.get('allow'), 'POST')
  })

  test('a body over the limit by its length: without reading it', async (t) => {
    const running = await rig(t)
    const connection = await running.open()
    connection.write(
      `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n`,
    )
    const reply = await connection.reply()
    assert.equal(codeOf(reply), 'input.too_large')
    assert.equal(reply?.headers.get('connection'), 'close')
    await connection.closed()
    await assertAlive(running)
  })

  test('100 MB in chunks: the caller reads why, and memory stays flat', async (t) => {
    const running = await rig(t, {}, { lingerMs: 2_000 })
    const connection = await running.open()
    connection.write(
      `POST /v1/read HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    const chunk = Buffer.concat([
      Buffer.from('100000\r\n'),
      Buffer.alloc(1_048_576, 0x61),
      Buffer.from('\r\n'),
    ])
    const before = process.memoryUsage.rss()
    let written = 0
    const replied = connection.reply()
    while (written < 100 && !connection.isClosed) {
      written += 1
      await new Promise((resolve) => connection.socket.write(chunk, resolve))
    }
    assert.equal(codeOf(await replied), 'input.too_large')
    assert.ok(process.memoryUsage.rss() - before < 80_000_000, 'nothing is kept')
    await assertAlive(running)
  })

  test('a refusal before the body is read: a short body keeps the connection, a long one closes it', async (t) => {
    const { open } = await rig(t)
    const short = await open()
    short.write(post('{}', '', '/v1/refuse')).write(post('{}'))
    assert.equal((await short.reply())?.status, 401)
    assert.equal((await short.reply())?.status, 200)
    const long = await open()
    long.write(post('x'.repeat(200_000), '', '/v1/refuse').slice(0, 100_000))
    const reply = await long.reply()
    assert.equal(reply?.status, 401)
    assert.equal(reply.headers.get('www-authenticate'), 'Bearer realm="gatehouse"')
    assert.equal(await long.closed(), '')
  })

  test('slow headers: 408, and the connection is closed', async (t) => {
    const { open } = await rig(t, {}, { headersTimeoutMs: 100, checkMs: 20 })
    const connection = await open()
    connection.write('GET /v1/show/x HTTP/1.1\r\nHost:')
    assert.equal(codeOf(await connection.reply()), 'input.slow')
    await connection.closed()
  })

  test('a slow body: 408 from the pipeline, and the connection is closed', async (t) => {
    const running = await rig(t, {}, { bodyTimeoutMs: 100, headersTimeoutMs: 100, checkMs: 20 })
    const connection = await running.open()
    connection.write(post('{"a":1}').slice(0, -2))
    const reply = await connection.reply()
    assert.equal(codeOf(reply), 'input.slow')
    assert.match(reply?.body ?? '', /"stage":"parse"/)
    connection.write('x'.repeat(100_000))
    connection.destroy()
    await assertAlive(running)
  })

  test('garbage behind a request in flight: nobody gets a reply that is not theirs', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = route('GET', '/v1/slow', async () => {
      await promise
      return answer('{}')
    })
    const running = await rig(t, { routes: [slow, SHOW] })
    const connection = await running.open()
    connection.write(`GET /v1/slow HTTP/1.1\r\n${HEAD}\r\n\u{0}\u{0}garbage\r\n\r\n`)
    assert.equal(await connection.closed(), '')
    resolve()
    await assertAlive(running)
  })

  test('a handler that throws: internal.bug without a word of why', async (t) => {
    const broken = route('GET', '/v1/broken', () => Promise.reject(new Error('canary-9Qx')))
    const { ask } = await rig(t, { routes: [broken] })
    const reply = await ask(`GET /v1/broken HTTP/1.1\r\n${HEAD}\r\n`)
    assert.equal(codeOf(reply), 'internal.bug')
    assert.ok(!JSON.stringify([...reply.headers]).includes('canary') && !reply.body.includes('canary'))
  })
})

suite('openServer tells the door', () => {
  test('of a caller that goes away while the body comes: input.aborted', async (t) => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const read = route('POST', '/v1/read', (incoming) =>
      incoming.body(ENDLESS).then(
        () => answer('{}'),
        (thrown: unknown) => (resolve(thrown), refusal(thrown)),
      ),
    )
    const running = await rig(t, { routes: [read, SHOW] })
    const connection = await running.open()
    connection.write(post('{"a":1}').slice(0, -2))
    connection.socket.end()
    assert.equal(((await promise) as Fault).code, 'input.aborted')
    await assertAlive(running)
  })

  test('of a caller that goes away while the model works: onAbort, once; and not after a reply', async (t) => {
    const seen: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const wait = route('GET', '/v1/wait', async (incoming: Incoming) => {
      await new Promise<void>((aborted) =>
        incoming.onAbort(() => {
          seen.push('aborted')
          aborted()
        }),
      )
      incoming.onAbort(() => {
        seen.push('at once')
        resolve()
      })
      return answer('{}')
    })
    const quick = route('GET', '/v1/quick', (incoming) => {
      incoming.onAbort(() => seen.push('wrong'))
      return Promise.resolve(answer('{}'))
    })
    const running = await rig(t, { routes: [wait, quick, SHOW] })
    const done = await running.open()
    done.write(`GET /v1/quick HTTP/1.1\r\n${HEAD}\r\n`)
    assert.equal((await done.reply())?.status, 200)
    done.destroy()
    const connection = await running.open()
    connection.write(`GET /v1/wait HTTP/1.1\r\n${HEAD}\r\n`)
    await assertAlive(running)
    connection.destroy()
    await promise
    assert.deepEqual(seen, ['aborted', 'at once'])
  })

  test('to send 100 Continue only when the body is asked for: a stranger sends nothing in vain', async (t) => {
    const { open } = await rig(t)
    const wanted = await open()
    wanted.write(post('{}', 'Expect: 100-continue\r\n').slice(0, -2))
    assert.equal((await wanted.reply())?.status, 100)
    assert.equal((await wanted.write('{}').reply())?.status, 200)
    const unwanted = await open()
    unwanted.write(post('{}', 'Expect: 100-continue\r\n', '/v1/refuse').slice(0, -2))
    const reply = await unwanted.reply()
    assert.equal(reply?.status, 401)
    assert.equal(reply.headers.get('connection'), 'close', 'what comes next might be the body or a request')
    await unwanted.closed()
  })
})

suite('openServer takes nothing for a request that is none', () => {
  test('no tunnel, no upgrade, no trace: and what follows on the connection is not lost to one', async (t) => {
    const running = await rig(t)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    const rows: readonly (readonly [why: string, text: string, status: number])[] = [
      ['an upgrade of a route', `GET /v1/show/x HTTP/1.1\r\n${HEAD}${upgrade}\r\n`, 200],
      [
        'an upgrade to HTTP/2',
        `GET /v1/show/x HTTP/1.1\r\n${HEAD}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
        200,
      ],
      ['an upgrade of nothing', `GET /chat HTTP/1.1\r\n${HEAD}${upgrade}\r\n`, 404],
      ['a trace', `TRACE /v1/show/x HTTP/1.1\r\n${HEAD}\r\n`, 405],
    ]
    for (const [why, text, status] of rows) {
      const connection = await running.open()
      const reply = await connection.write(text).reply()
      assert.equal(reply?.status, status, why)
      assert.equal(reply?.headers.has('upgrade'), false, why)
      assert.equal(
        (await connection.write(`GET /v1/show/y HTTP/1.1\r\n${HEAD}\r\n`).reply())?.status,
        200,
        why,
      )
    }
    for (const target of ['example.com:443', '/v1/show/x']) {
      const tunnel = await running.open()
      tunnel.write(`CONNECT ${target} HTTP/1.1\r\n${HEAD}\r\nGET /v1/show/x HTTP/1.1\r\n${HEAD}\r\n`)
      assert.match(await tunnel.closed(), /^(|HTTP\/1.1 4.. [^]*)$/, target)
    }
    await assertAlive(running)
  })

  test('a caller that has closed its side still gets its reply', async (t) => {
    const running = await rig(t)
    const connection = await running.open()
    connection.write(post('{"a":1}')).socket.end()
    assert.equal((await connection.reply())?.status, 200)
    await connection.closed()
  })
})

suite('openServer and the flood guard', () => {
  test('strangers before the pipeline are throttled and counted: one digest, no entry', async (t) => {
    const { ask, guard, digests, metrics } = await rig(t)
    const codes: string[] = []
    for (let at = 0; at < 25; at += 1)
      codes.push(codeOf(await ask(`GET /v1/none HTTP/1.1\r\n${STRANGER}\r\n`)))
    assert.deepEqual(
      [codes.filter((code) => code === 'route.unknown').length, codes.at(-1)],
      [20, 'source.throttled'],
    )
    const reply = await ask(post('{}').replace('real-1', 'fake'))
    assert.equal(reply.status, 429)
    assert.equal(reply.headers.get('retry-after'), '1')
    assert.equal((await ask(post('{}'))).status, 200, 'what looks real goes on to be authenticated')
    assert.equal(codeOf(await ask(`GET /v1/none HTTP/1.1\r\n${HEAD}\r\n`)), 'route.unknown')
    assert.equal(codeOf(await ask('garbage\r\n\r\n')), 'input.invalid')
    guard.flush()
    assert.deepEqual(
      digests.map(({ fields }) => fields),
      [{ block: 'loopback', count: 28, codes: { 'route.unknown': 21, 'source.throttled': 7 }, window_ms: 0 }],
    )
    assert.match(metrics.expose(), /gatehouse_requests_total\{route="",model="",code="source.throttled"\} 6/)
    assert.match(metrics.expose(), /gatehouse_requests_in_flight 0/)
  })
})

suite('openServer listens', () => {
  test('only where there is a rule: listener.exposed before anything is accepted', async (t) => {
    for (const host of ['0.0.0.0', '::'])
      await assert.rejects(
        rig(t, { at: { kind: 'tcp', address: { host, port: 0 }, ask: ASK } }),
        { code: 'listener.exposed' },
        host,
      )
    const { server } = await rig(t, {
      at: { kind: 'tcp', address: { host: 'localhost', port: 0 }, ask: ASK },
    })
    assert.equal(server.rule.kind, 'loopback')
    assert.match(server.address, /^(127\.0\.0\.1|\[::1\]):\d+$/)
  })

  test('only where it can: listener.unavailable with the reason', async (t) => {
    const { server } = await rig(t)
    const taken = { kind: 'tcp', address: { host: '127.0.0.1', port: server.port }, ask: ASK } as const
    await assert.rejects(rig(t, { at: taken }), {
      code: 'listener.unavailable',
      detail: { address: server.address, reason: 'EADDRINUSE' },
    })
    const nowhere = { kind: 'tcp', address: { host: '192.0.2.1', port: 0 }, ask: ASK } as const
    await assert.rejects(rig(t, { at: nowhere }), { code: 'listener.unavailable' })
  })

  test('in plain text only to trusted proxies, and only until the day: the source is whom they name', async (t) => {
    let now = 0
    const ask: ListenerAsk = {
      ...ASK,
      hasProxies: true,
      exception: { reason: 'TLS ends in the mesh', expiresAt: 1_000 },
    }
    const at = { kind: 'tcp', address: { host: '0.0.0.0', port: 0 }, ask } as const
    const clock = { now: () => now, monotonic: () => now }
    const running = await rig(t, { at, clock, trustedProxies: ['127.0.0.0/8'] })
    assert.equal(running.server.rule.kind, 'insecure')
    const show = `GET /v1/show/x HTTP/1.1\r\n${HEAD}X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n\r\n`
    const open = await running.open()
    assert.equal(JSON.parse((await open.write(show).reply())?.body ?? '').address, '203.0.113.9')
    const strangers = await rig(t, { at, clock, trustedProxies: ['10.0.0.0/8'] })
    assert.equal(await (await strangers.open()).write(show).reply(), undefined)
    now = 1_000
    assert.equal(await (await running.open()).write(show).reply(), undefined)
  })

  test('no longer than the exception: at its end it closes by itself, with what is open', async (t) => {
    let now = 0
    const ask: ListenerAsk = {
      ...ASK,
      hasProxies: true,
      exception: { reason: 'TLS ends in the mesh', expiresAt: 1_000 },
    }
    const at = { kind: 'tcp', address: { host: '0.0.0.0', port: 0 }, ask } as const
    const clock = { now: () => now, monotonic: () => now }
    const running = await rig(t, { at, clock, trustedProxies: ['127.0.0.0/8'] }, { expiryCheckMs: 10 })
    const connection = await running.open()
    assert.equal((await connection.write(`GET /v1/show/x HTTP/1.1\r\n${HEAD}\r\n`).reply())?.status, 200)
    now = 1_000
    await connection.closed()
    await assert.rejects(running.open())
  })

  test('believes X-Forwarded-For from nobody else: loopback is no proxy by itself', async (t) => {
    const { ask } = await rig(t)
    const reply = await ask(`GET /v1/show/x HTTP/1.1\r\n${HEAD}X-Forwarded-For: 203.0.113.9\r\n\r\n`)
    assert.equal(JSON.parse(reply.body).address, '127.0.0.1')
  })

  test('on the socket of the home: the owner needs no key, and a stale socket is no obstacle', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gh-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const at = path.join(folder, 'admin.sock')
    for (let round = 0; round < 2; round += 1) {
      const running = await rig(t, {
        at: { kind: 'socket', path: at, socket: privateSocket(at) },
        readiness: undefined,
      })
      assert.deepEqual(
        [running.server.address, running.server.port, running.server.rule.kind],
        [at, 0, 'socket'],
      )
      const connection = await RawConnection.open({ path: at })
      const reply = await connection.write(`GET /v1/show/x HTTP/1.1\r\n${STRANGER}\r\n`).reply()
      const body = JSON.parse(reply?.body ?? '')
      assert.deepEqual([body.credential, body.address], ['socket', 'socket'])
      for (let times = 0; times < 30; times += 1)
        assert.equal(
          codeOf(await connection.write(`GET /none HTTP/1.1\r\n${STRANGER}\r\n`).reply()),
          'route.unknown',
        )
      running.guard.flush()
      assert.equal(running.digests.length, 0)
      connection.destroy()
      await running.server.close()
    }
  })
})

suite('close', () => {
  test('lets what is in flight end: the reply says that the connection closes', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const slow = route('GET', '/v1/slow', async () => {
      entered.resolve()
      await promise
      return answer('{"late":true}')
    })
    const running = await rig(t, { routes: [slow] })
    const idle = await running.open()
    const busy = await running.open()
    busy.write(`GET /v1/slow HTTP/1.1\r\n${HEAD}\r\n`)
    await entered.promise
    const closing = running.server.close()
    await assert.rejects(running.open(), 'nothing new is accepted')
    resolve()
    const reply = await busy.reply()
    assert.equal(reply?.body, '{"late":true}')
    assert.equal(reply.headers.get('connection'), 'close')
    await closing
    await busy.closed()
    await idle.closed()
  })

  test('does not wait for ever: what is not done within the limit is cut', async (t) => {
    const never = route('GET', '/v1/never', () => new Promise<Outcome>(() => undefined))
    const running = await rig(t, { routes: [never, SHOW] }, { drainMs: 50 })
    const connection = await running.open()
    connection.write(`GET /v1/never HTTP/1.1\r\n${HEAD}\r\n`)
    await assertAlive(running)
    await running.server.close()
    await connection.closed()
  })
})

test('a real client keeps its connection over many requests: none is lost', async (t) => {
  const { server } = await rig(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  t.after(() => agent.destroy())
  const one = (at: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({
        port: server.port,
        path: '/v1/read',
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json' },
      })
      request.on('error', reject)
      request.on('response', (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      })
      request.end(JSON.stringify({ at, text: 'x'.repeat(at * 100) }))
    })
  const statuses = await Promise.all(Array.from({ length: 200 }, (_, at) => one(at)))
  assert.deepEqual(new Set(statuses), new Set([200]))
})
