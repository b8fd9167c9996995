import net from 'node:net'

/**
 * The model provider of the bench: reads a whole request, answers at once with one fixed completion of about 600 bytes.
 * Raw sockets, so that it costs less than anything measured against it. Prints `{"port":N}` when it listens.
 */
export const COMPLETION = JSON.stringify({
  id: 'chatcmpl-7Qb2mYp0sXk4LrT9vWc1',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'mock',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'The meeting moved to Thursday at ten. Please bring the draft of the plan and the figures of the last ' +
          'quarter; the room is on the second floor, beside the library. Tea and biscuits are provided, and the ' +
          'notes of the previous meeting are on the shared page.',
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 212, completion_tokens: 58, total_tokens: 270 },
  system_fingerprint: 'fp_0a1b2c3d4e',
})

const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(COMPLETION)}\r\n\r\n${COMPLETION}`,
)

function serve(socket: net.Socket): void {
  socket.setNoDelay(true)
  let kept: Buffer | undefined
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    let rest = kept === undefined ? chunk : Buffer.concat([kept, chunk])
    for (
      let length = requestLength(rest);
      length > 0 && length <= rest.length;
      length = requestLength(rest)
    ) {
      rest = rest.subarray(length)
      socket.write(ANSWER)
    }
    kept = rest.length === 0 ? undefined : rest
  })
}

/** Bytes of the first request, or 0 while its headers are not complete. */
export function requestLength(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return 0
  const head = bytes.toString('latin1', 0, end)
  const body = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (body !== undefined) return end + 4 + Number(body)
  if (!/\r\ntransfer-encoding:/i.test(head)) return end + 4
  const last = bytes.indexOf('0\r\n\r\n', end)
  return last === -1 ? 0 : last + 5
}

if (import.meta.main) {
  const server = net.createServer(serve)
  server.listen(0, '127.0.0.1', () =>
    console.log(JSON.stringify({ port: (server.address() as net.AddressInfo).port })),
  )
}
