import { isEntryId } from '#base/ids.ts'
import { isJsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { KnownMetrics } from './known_metrics.ts'
import {
  both,
  either,
  isAmount,
  isFlag,
  isNull,
  isNumber,
  isOneOf,
  isText,
  isWhole,
  isWord,
  listOf,
  listOfJust,
  objectOf,
  optional,
  recordOf,
  textOf,
  type Form,
} from './form.ts'
import type { Forms } from './link.ts'
import type { WorkerAnswers, WriterAnswers } from './messages.ts'

/**
 * What the writer takes from a worker: whatever is of another form ends it. A worker reads what strangers send, so what it
 * says is checked as a door checks its callers. `bodyBytes`: of the longest body.
 */
export function workerForms(bodyBytes: number, metrics: KnownMetrics): Forms<WriterAnswers, WorkerAnswers> {
  return { asks: ASKS, answers: { ...ANSWERS, body: base64Of(bodyBytes), report: reportOf(metrics) } }
}

const isId: Form = (value) => typeof value === 'string' && isEntryId(value)
const isRef = objectOf({ type: isWord, id: isText })

/** Of an entry; what may stand in it the ledger says, once more for all that record. */
const isDraft = objectOf({
  kind: isWord,
  id: isId,
  at: isWhole,
  reserved: isFlag,
  countedAs: optional(objectOf({ route: isWord, model: isWord })),
  // With words that metrics count it under.
  fields: both(
    isJsonObject,
    objectOf({
      stage: optional(isWord),
      code: optional(isWord),
      model: optional(isWord),
      provider: optional(isWord),
      findings: optional(listOf(isWord)),
    }),
  ),
})

const isCertificate = objectOf({
  thumbprint: isText,
  subject: isText,
  uris: listOf(isText),
  dnsNames: listOf(isText),
  emails: listOf(isText),
  notAfter: either(isNumber, isNull),
})

const POSSESSION = {
  proof: optional(objectOf({ jwt: isText, method: isText, url: isText })),
  certificate: optional(isCertificate),
}

const isToken = objectOf({ scheme: isOneOf(['bearer', 'dpop']), token: isText, owner: optional(isText) })

const isCredential = either(
  objectOf({ kind: isOneOf(['none', 'malformed']) }),
  objectOf({ kind: isOneOf(['bearer']), token: isText }),
  objectOf({ kind: isOneOf(['presented']), tokens: listOf(isToken), ...POSSESSION }),
)

const isLimitedCaller = objectOf({
  ref: isRef,
  entities: listOf(objectOf({ ref: isRef, attributes: isJsonObject, parents: listOf(isRef) })),
  space: isText,
  limitedBy: optional(listOf(objectOf({ kid: isWord, terms: optional(recordOf(isAmount)) }))),
})

const isDemand = objectOf({
  tokensIn: optional(isAmount),
  tokensOut: optional(isAmount),
  unbounded: optional(isText),
  unpriced: optional(isText),
})

/** Facts of an outcome. What is less than nothing would give back what others have taken. */
const isEnd = objectOf({
  facts: both(isJsonObject, objectOf({ tries_unknown: optional(isWhole) })),
  isWhole: isFlag,
  isTaken: isFlag,
})

const isTrace = objectOf({
  traceId: textOf(/^[0-9a-f]{32}$/),
  parentId: textOf(/^[0-9a-f]{16}$/),
  isSampled: isFlag,
  state: isText,
})

const isIncoming = objectOf({
  route: isText,
  id: isId,
  credential: isCredential,
  possession: optional(objectOf(POSSESSION)),
  address: isWord,
  params: recordOf(isText),
  query: listOf(listOfJust(2, isText)),
  trace: optional(isTrace),
  preconditions: optional(objectOf({ ifMatch: optional(isText), ifNoneMatch: optional(isText) })),
})

const ASKS: Forms<WriterAnswers, WorkerAnswers>['asks'] = {
  append: isDraft,
  appendLater: isDraft,
  prove: objectOf({ credential: isCredential, address: isWord }),
  recheck: isWhole,
  proofEnded: isWhole,
  reserve: objectOf({
    id: isId,
    caller: isLimitedCaller,
    model: isText,
    members: optional(listOf(isText)),
    demand: isDemand,
  }),
  reserveAgain: isId,
  settle: objectOf({ id: isId, end: isEnd }),
  release: isId,
  pass: isIncoming,
  passAborted: isId,
  passEnded: isId,
}

const isRule = either(
  objectOf({ kind: isOneOf(['socket', 'loopback', 'tls']) }),
  objectOf({ kind: isOneOf(['insecure']), reason: isText, expiresAt: isNumber }),
)

const ANSWERS = {
  serve: objectOf({ address: isWord, port: both(isWhole, (port) => Number(port) < 2 ** 16), rule: isRule }),
  change: isNull,
  drain: isNull,
}

function base64Of(bytes: number): Form {
  // Four characters for each three bytes (RFC 4648 section 4).
  const most = 4 * Math.ceil(Math.max(bytes, LIMITS.formBytes) / 3)
  return (value) => typeof value === 'string' && value.length <= most
}

function reportOf(metrics: KnownMetrics): Form {
  return objectOf({
    inFlight: isWhole,
    residentBytes: isWhole,
    readings: listOf((reading) => metrics.isReading(reading), metrics.count),
  })
}
