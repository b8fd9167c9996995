import { lookup } from 'node:dns/promises'
import path from 'node:path'
import type { ListenAddress } from '#base/address.ts'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { readPlainFileNow } from '#base/plain_file.ts'
import type { Sealed } from '#base/sealed.ts'
import { watchFiles } from '#base/watch_files.ts'
import type { FloodGuard } from '#door/flood_guard.ts'
import type { RequestMetrics } from '#door/request_metrics.ts'
import type { ConnectionsParts } from '#faces/http/connections.ts'
import { ruleFor, type ListenerAsk, type ListenerName } from '#faces/http/listener.ts'
import { TlsPair, type TlsParts } from '#faces/http/tls.ts'
import { resolveSecret, type Config } from './config.ts'
import { secretReader } from './main_config.ts'

/** A configuration with what its references start from. */
export interface Configured {
  readonly config: Config
  /** Relative paths of the configuration start here. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What the rule of a listener is asked with. */
export function listenerAsk(config: Config, name: ListenerName): ListenerAsk {
  const { tls, trusted_proxies: proxies, insecure_plaintext_listener: declared } = config
  return {
    name,
    hasTls: tls !== undefined,
    hasCredential: name !== 'metrics' || config.metrics_token !== undefined,
    hasProxies: proxies.length > 0,
    exception: declared && { reason: declared.reason, expiresAt: Date.parse(declared.expires) },
  }
}

/** Throws `config.invalid` when a token is asked for and not there: that must not mean that none is asked for. */
export function metricsToken({ config, folder, env }: Configured): Sealed | undefined {
  const { metrics_token: reference } = config
  if (reference === undefined) return undefined
  const token = resolveSecret(reference, env, secretReader(folder))
  if (token !== undefined) return token
  throw new Fault(
    'config.invalid',
    {},
    { say: 'metrics_token refers to a variable or file that is empty or missing.' },
  )
}

/** A certificate and its key are two files: they are read when both have been left alone this long. */
const TLS_QUIET_MS = 500

/** The certificate and key of the configuration, which are read again when they change. Throws `config.invalid`. */
export function openTls(
  { config: { tls }, folder }: Configured,
  onReload: TlsParts['onReload'],
  watch: TlsParts['watch'] = (files, onChange) => watchFiles(files, TLS_QUIET_MS, onChange, () => undefined),
): TlsPair | undefined {
  if (tls === undefined) return undefined
  const at = (file: string): string => path.resolve(folder, file)
  return new TlsPair({
    watch,
    onReload,
    paths: { cert: at(tls.cert), key: at(tls.key), minimum: tls.minimum },
    clients:
      tls.client_certificates === 'none' || tls.client_ca === undefined
        ? undefined
        : { mode: tls.client_certificates, ca: at(tls.client_ca) },
    readFile: (file) =>
      readPlainFileNow(file, { maxBytes: LIMITS.secretFileBytes, links: 'follow' }).toString('utf8'),
  })
}

/** Throws what a door would refuse to listen with: `listener.exposed` and `config.invalid`. Opens nothing. */
export async function checkListeners(configured: Configured, now: Millis): Promise<void> {
  const { config } = configured
  metricsToken(configured)
  openTls(
    configured,
    () => undefined,
    () => ({ close: () => undefined }),
  )
  await checkRule(listenerAsk(config, 'door'), config.listen, now)
  await checkRule(listenerAsk(config, 'admin'), config.admin_listen, now)
  await checkRule(listenerAsk(config, 'metrics'), config.metrics_listen, now)
}

/** A name counts as open to all unless the system knows it as an address of this machine alone. */
async function checkRule(ask: ListenerAsk, { host, port }: ListenAddress, now: Millis): Promise<void> {
  try {
    ruleFor(ask, { host, port }, now)
  } catch (thrown) {
    const resolved = await lookup(host).catch(() => undefined)
    if (resolved === undefined || resolved.address === host) throw thrown
    ruleFor(ask, { host: resolved.address, port }, now)
  }
}

/** Counts connections that were closed before they brought a request, against their source too. */
export function dropCounter({
  guard,
  requests,
}: {
  readonly guard: FloodGuard
  readonly requests: RequestMetrics
}): ConnectionsParts['onDrop'] {
  return (peer, reason) => {
    guard.dropped(peer)
    requests.dropped(reason)
  }
}
