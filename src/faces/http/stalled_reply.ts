import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { LIMITS } from '#base/limits.ts'

/**
 * Destroys the connection of a reply when its caller takes nothing of it for `stalledMs`. To be called right after
 * `send`.
 *
 * Node starts the timer of a socket anew with each write that is done (`net.Socket.setTimeout`), and a long reply is
 * many of them: a slow caller gets all of it.
 */
export function limitStall(response: ServerResponse, stalledMs: number): void {
  const { socket } = response
  // Behind another reply on the same connection: its own wait begins when the socket is handed on.
  if (socket === null) response.once('socket', (its: Socket) => watch(response, its, stalledMs))
  else if (!response.writableEnded || socket.writableLength > 0) watch(response, socket, stalledMs)
}

function watch(response: ServerResponse, socket: Socket, stalledMs: number): void {
  socket.setTimeout(stalledMs)
  // Before Node's own listener, which starts the wait for the next request.
  response.prependOnceListener('finish', () => socket.setTimeout(LIMITS.stillConnectionMs))
}
