import { toHex } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { md5Base64, sha256Hex } from '#base/crypto.ts'
import { asFault } from '#base/fault.ts'
import type { Upstream, UpstreamAnswer } from '#base/http_client.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import { AnchorFailure, type AnchorTarget } from './anchor_keeper.ts'
import { awsAuthorization, awsTime, type AwsCredentials } from './aws_signature.ts'

export interface ObjectAnchorParts {
  /** Where the storage is; its origin is what `upstream` connects to. */
  readonly endpoint: URL
  readonly upstream: Pick<Upstream, 'send'>
  readonly bucket: string
  readonly region: string
  readonly prefix: string
  readonly mode: 'compliance' | 'governance'
  readonly retentionMs: number
  /** Calls back with what is kept no longer than the call. */
  readonly withCredentials: <T>(use: (credentials: AwsCredentials, token: string | undefined) => T) => T
  readonly clock: Clock
}

const SIZE_DIGITS = 16
/** What storage with object lock says of each object: without versions it has no object lock, and ignores what was asked for. */
const VERSION = 'x-amz-version-id'

/**
 * S3-compatible storage with object lock. Each checkpoint is an object of its own, which nobody can delete or replace before
 * its time: not who owns this machine, and in compliance mode not who owns the bucket.
 */
export function objectAnchor(parts: ObjectAnchorParts): AnchorTarget {
  const { endpoint, bucket, prefix } = parts
  return {
    name: `object ${endpoint.host}/${bucket}/${prefix}`,
    kind: 'object',
    put: async (checkpoint) => {
      const name = objectName(prefix, checkpoint)
      const first = await send(parts, checkpoint, name)
      // It may be ours from before, or of somebody who has put something else there: this one stands beside it.
      const at = awsTime(parts.clock.now())
      const { status, headers } =
        first.status === 412 ? await send(parts, checkpoint, `${name}.${at}`) : first
      if (status < 200 || status > 299) throw new AnchorFailure(sayStatus(status))
      if ((headers[VERSION] ?? 'null') === 'null') throw new AnchorFailure(NO_VERSIONS)
      return undefined
    },
  }
}

const NO_VERSIONS = 'keeps no versions, so what it holds can be replaced: the bucket needs object lock'

/** Names sort by size; two trees of one size have different names. */
export function objectName(prefix: string, { head }: Pick<SignedHead, 'head'>): string {
  const size = String(head.size).padStart(SIZE_DIGITS, '0')
  return `${prefix}${head.origin}/${size}-${toHex(head.root)}.checkpoint`
}

async function send(
  parts: ObjectAnchorParts,
  checkpoint: SignedHead,
  name: string,
): Promise<Pick<UpstreamAnswer, 'status' | 'headers'>> {
  const { endpoint, upstream, bucket, region, mode, retentionMs, withCredentials, clock } = parts
  const at = clock.now()
  const path = `${endpoint.pathname.replace(/\/+$/, '')}/${bucket}/${encodeKey(name)}`
  const bodyHash = sha256Hex(checkpoint.text)
  const headers = {
    host: endpoint.host,
    // Asked for by the storage wherever retention is set.
    'content-md5': md5Base64(checkpoint.text),
    'content-type': 'text/plain; charset=utf-8',
    'if-none-match': '*',
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': awsTime(at),
    'x-amz-object-lock-mode': mode.toUpperCase(),
    'x-amz-object-lock-retain-until-date': new Date(at + retentionMs).toISOString(),
  }
  try {
    return await withCredentials((credentials, token) => {
      const all = token === undefined ? headers : { ...headers, 'x-amz-security-token': token }
      const request = { method: 'PUT', path, headers: all, bodyHash }
      const authorization = awsAuthorization(request, credentials, { region, service: 's3', at })
      const { host: _host, ...sent } = { ...all, authorization }
      return upstream.send({
        method: 'PUT',
        path,
        headers: Object.entries(sent).flat(),
        body: checkpoint.text,
        memory: BOUNDED,
        onAbort: () => undefined,
      })
    })
  } catch (thrown) {
    throw new AnchorFailure(`cannot be reached: ${asFault(thrown).code}`)
  }
}

/** What an upstream may answer is bounded by it. */
const BOUNDED = { claim: () => undefined }

/** Every character but the unreserved ones, and "/" between the parts. */
function encodeKey(key: string): string {
  return key
    .split('/')
    .map((part) =>
      encodeURIComponent(part).replaceAll(
        /[!'()*]/g,
        (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    )
    .join('/')
}

function sayStatus(status: number): string {
  if (status === 403) return 'refuses the key, or lets it set no retention'
  if (status === 404) return 'has no such bucket'
  return `answers ${status}`
}
