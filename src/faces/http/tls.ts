import { createSecureContext, type Server, type SecureContextOptions } from 'node:tls'
import { NO_RENEGOTIATION } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'

export interface TlsPaths {
  readonly cert: string
  readonly key: string
  readonly minimum: '1.2' | '1.3'
}

export interface TlsParts {
  readonly paths: TlsPaths
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string
  /** Calls back when one of the files has changed and is quiet again. */
  readonly watch: (files: readonly string[], onChange: () => void) => { close(): void }
  /** Told of each reload; `kept` means that the new pair is bad and the old one stays. */
  readonly onReload: (result: 'reloaded' | 'kept') => void
}

const PROTOCOLS = { '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' } as const

/** TLS 1.3's own, and of TLS 1.2 only what has forward secrecy and authenticated encryption (RFC 9325 section 4.2). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** The certificate and key of the listeners; both are read again when they change. */
export class TlsPair {
  readonly #parts: TlsParts
  readonly #servers = new Set<Server>()
  readonly #watching: { close(): void }
  #context: SecureContextOptions

  /** Throws `config.invalid` when the pair cannot be read or does not belong together. */
  constructor(parts: TlsParts) {
    this.#parts = parts
    this.#context = load(parts)
    const { cert, key } = parts.paths
    this.#watching = parts.watch([cert, key], () => this.reload())
  }

  /** Options for a new server. */
  get options(): SecureContextOptions & { readonly ALPNProtocols: string[] } {
    return { ...this.#context, ALPNProtocols: ['http/1.1'] }
  }

  /** From now on the server gets every new pair. Connections that are open keep theirs. */
  attach(server: Server): void {
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
  }

  /** Reads both files again. A pair that is not good leaves the old one in force. */
  reload(): 'reloaded' | 'kept' {
    const result = this.#swap()
    this.#parts.onReload(result)
    return result
  }

  close(): void {
    this.#watching.close()
  }

  #swap(): 'reloaded' | 'kept' {
    try {
      this.#context = load(this.#parts)
    } catch {
      // Between two writes the pair does not match: nothing is lost by staying with the old one.
      return 'kept'
    }
    for (const server of this.#servers) server.setSecureContext(this.#context)
    return 'reloaded'
  }
}

function load({ paths, readFile }: TlsParts): SecureContextOptions {
  try {
    const context: SecureContextOptions = {
      cert: readFile(paths.cert),
      key: readFile(paths.key),
      minVersion: PROTOCOLS[paths.minimum],
      ciphers: CIPHERS,
      honorCipherOrder: true,
      secureOptions: NO_RENEGOTIATION,
    }
    // OpenSSL takes an empty text for "none given" and would serve without a certificate.
    if (context.cert === '' || context.key === '') throw new TypeError('an empty file')
    // Made once here, so that a key that does not fit its certificate is found before it is used.
    createSecureContext(context)
    return context
  } catch (thrown) {
    throw new Fault(
      'config.invalid',
      { path: 'tls', reason: thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown' },
      { say: 'tls.cert and tls.key cannot be read, or do not belong together.', cause: thrown },
    )
  }
}
