import { openUpstream } from '#base/http_client.ts'
import type { Memory } from '#base/memory.ts'
import type { UpstreamNetwork } from '#base/upstream_address.ts'
import { POOL_LIMITS } from './pool_limits.ts'
import type { ProbeSettings } from './pool_settings.ts'

export interface ProbeParts {
  readonly settings: ProbeSettings
  /** Scheme, host and port of the member. */
  readonly origin: string
  readonly network: UpstreamNetwork | undefined
}

/** Asks a member from time to time whether it is up. */
export interface Probe {
  close(): Promise<void>
}

/** What a probe may read is limited beforehand, and it is one at a time. */
const BOUNDED: Memory = { claim: () => undefined }

/** `onResult` is told of each probe: good is any answer with a status of 2xx in time. */
export function openProbe(
  { settings, origin, network }: ProbeParts,
  onResult: (isGood: boolean) => void,
): Probe {
  const timeoutMs = Math.min(settings.everyMs, POOL_LIMITS.probeTimeoutMs)
  const upstream = openUpstream({
    origin,
    connections: 1,
    connectTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    maxAnswerBytes: POOL_LIMITS.probeBytes,
    network,
  })
  let isUnderWay = false
  let isClosed = false
  const probe = async (): Promise<void> => {
    if (isUnderWay) return
    isUnderWay = true
    const isGood = await upstream
      .send({
        method: 'GET',
        path: settings.path,
        headers: ['user-agent', 'gatehouse'],
        body: undefined,
        memory: BOUNDED,
        onAbort: () => undefined,
      })
      .then(
        ({ status }) => status >= 200 && status < 300,
        () => false,
      )
    isUnderWay = false
    if (!isClosed) onResult(isGood)
  }
  const timer = setInterval(() => void probe(), settings.everyMs)
  timer.unref()
  return {
    close: async () => {
      isClosed = true
      clearInterval(timer)
      await upstream.close()
    },
  }
}
