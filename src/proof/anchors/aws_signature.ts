import { toHex } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { hmacSha256, sha256Hex } from '#base/crypto.ts'

/** AWS Signature Version 4, in the `Authorization` header (docs.aws.amazon.com, "Authenticating Requests"). */

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface AwsRequest {
  readonly method: string
  /** As it is sent, percent-encoded once. Without a query. */
  readonly path: string
  /** All that are signed, names in lower case, `host` among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly bodyHash: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The value of the `Authorization` header. `headers` must hold `x-amz-date` of the same time. */
export function awsAuthorization(
  request: AwsRequest,
  credentials: AwsCredentials,
  scope: { readonly region: string; readonly service: string; readonly at: Millis },
): string {
  const time = awsTime(scope.at)
  const day = time.slice(0, 8)
  const names = Object.keys(request.headers).sort()
  const signed = names.join(';')
  const lines = names.map(
    (name) => `${name}:${(request.headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}\n`,
  )
  const canonical = [request.method, request.path, '', lines.join(''), signed, request.bodyHash].join('\n')
  const place = `${day}/${scope.region}/${scope.service}/aws4_request`
  const text = [ALGORITHM, time, place, sha256Hex(canonical)].join('\n')
  const key = [day, scope.region, scope.service, 'aws4_request'].reduce<Uint8Array>(
    (outer, part) => hmacSha256(outer, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  )
  const signature = toHex(hmacSha256(key, text))
  return `${ALGORITHM} Credential=${credentials.accessKeyId}/${place},SignedHeaders=${signed},Signature=${signature}`
}

/** As in `20130524T000000Z`. */
export function awsTime(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
