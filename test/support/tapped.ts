import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server that keeps every byte that the server sends. */
export interface Tapped {
  readonly origin: string
  /** All bytes that came back since the last call. */
  readonly take: () => string
  readonly close: () => Promise<void>
}

export async function tapped(origin: string): Promise<Tapped> {
  const { hostname, port } = new URL(origin)
  let seen: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((from) => {
    const to = connect(Number(port), hostname)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined).on('close', () => other.destroy())
    }
    to.on('data', (bytes: Buffer) => seen.push(bytes))
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const text = Buffer.concat(seen).toString('latin1')
      seen = []
      return text
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
