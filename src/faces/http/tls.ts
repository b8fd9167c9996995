import { createSecureContext, type Server, type SecureContextOptions } from 'node:tls'
import { NO_RENEGOTIATION, NO_TICKETS } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'

export interface TlsPaths {
  readonly cert: string
  readonly key: string
  readonly minimum: '1.2' | '1.3'
}

/** Which clients are asked for certificates, and whose certificates count. */
export interface ClientCertificates {
  readonly mode: 'request' | 'required'
  /** Certificates of authorities in PEM. */
  readonly ca: string
}

export interface TlsParts {
  readonly paths: TlsPaths
  /** Of the listeners that ask clients for certificates; undefined where none does. */
  readonly clients?: ClientCertificates | undefined
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

/** What a server needs to speak TLS. */
export interface ListenerTls {
  /** For a new server. */
  readonly options: ListenerTlsOptions
  /** From now on the server gets every new pair. Connections that are open keep theirs. */
  attach(server: Server): void
}

interface ListenerTlsOptions extends SecureContextOptions {
  readonly ALPNProtocols: string[]
  readonly requestCert?: boolean
  readonly rejectUnauthorized?: boolean
}

/** The certificate and key of the listeners, and the authorities of clients; all are read again when they change. */
export class TlsPair implements ListenerTls {
  readonly #parts: TlsParts
  readonly #servers = new Set<Server>()
  /** Of these, the ones that ask clients for certificates. */
  readonly #asking = new Set<Server>()
  readonly #watching: { close(): void }
  #loaded: Loaded

  /** Throws `config.invalid` when the pair cannot be read or does not belong together. */
  constructor(parts: TlsParts) {
    this.#parts = parts
    this.#loaded = load(parts)
    const { cert, key } = parts.paths
    const files = parts.clients === undefined ? [cert, key] : [cert, key, parts.clients.ca]
    this.#watching = parts.watch(files, () => this.reload())
  }

  get options(): ListenerTlsOptions {
    return { ...this.#loaded.plain, ALPNProtocols: ['http/1.1'] }
  }

  attach(server: Server): void {
    this.#servers.add(server)
    server.once('close', () => {
      this.#servers.delete(server)
      this.#asking.delete(server)
    })
  }

  /** For a listener whose clients are asked for certificates, where the configuration says so. */
  get asking(): ListenerTls {
    const { clients } = this.#parts
    if (clients === undefined) return this
    return {
      options: {
        ...this.#loaded.asking,
        ALPNProtocols: ['http/1.1'],
        requestCert: true,
        rejectUnauthorized: clients.mode === 'required',
      },
      attach: (server) => {
        this.attach(server)
        this.#asking.add(server)
      },
    }
  }

  /** Reads all files again. A pair that is not good leaves the old one in force. */
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
      this.#loaded = load(this.#parts)
    } catch {
      // Between two writes the pair does not match: nothing is lost by staying with the old one.
      return 'kept'
    }
    const { plain, asking } = this.#loaded
    for (const server of this.#servers) server.setSecureContext(this.#asking.has(server) ? asking : plain)
    return 'reloaded'
  }
}

interface Loaded {
  readonly plain: SecureContextOptions
  /** With the authorities of clients. */
  readonly asking: SecureContextOptions
}

function load({ paths, clients, readFile }: TlsParts): Loaded {
  try {
    const plain: SecureContextOptions = {
      cert: readFile(paths.cert),
      key: readFile(paths.key),
      minVersion: PROTOCOLS[paths.minimum],
      ciphers: CIPHERS,
      honorCipherOrder: true,
      secureOptions: NO_RENEGOTIATION,
    }
    const ca = clients === undefined ? undefined : readFile(clients.ca)
    // OpenSSL takes an empty text for "none given" and would serve without a certificate, or trust every authority there is.
    if (plain.cert === '' || plain.key === '' || ca?.includes('BEGIN CERTIFICATE') === false)
      throw new TypeError('an empty file')
    const asking = ca === undefined ? plain : { ...plain, ca, secureOptions: NO_RENEGOTIATION | NO_TICKETS }
    // Made once here, so that a key that does not fit its certificate is found before it is used.
    createSecureContext(asking)
    return { plain, asking }
  } catch (thrown) {
    throw new Fault(
      'config.invalid',
      { path: 'tls', reason: thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown' },
      {
        say: 'The files of tls (cert, key, client_ca) cannot be read, or do not belong together.',
        cause: thrown,
      },
    )
  }
}
