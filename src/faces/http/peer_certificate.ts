import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '#trust/access/caller.ts'
import { readClientCertificate } from '#trust/access/possession/client_certificate.ts'
import type { Connection } from './connections.ts'

/**
 * The certificate that the client showed when the connection was made; read once, for it stays the same. `untrusted` for one
 * that TLS could not verify or that cannot be used.
 */
export function certificateOn(
  connection: Connection,
  socket: Socket,
): ClientCertificate | 'untrusted' | undefined {
  connection.certificate ??= readOn(socket)
  return connection.certificate === 'none' ? undefined : connection.certificate
}

function readOn(socket: Socket): ClientCertificate | 'untrusted' | 'none' {
  const peer = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (peer === undefined) return 'none'
  const isVerified = socket instanceof TLSSocket && socket.authorized
  return isVerified ? (readClientCertificate(peer) ?? 'untrusted') : 'untrusted'
}
