import assert from 'node:assert/strict'
import { ed25519PublicBytes } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { newKeyText, newKid, parseKey } from '#trust/access/key.ts'
import { tailEntries } from '#trust/ledger/read.ts'
import { verifyLedger, type VerifyReport } from '#trust/ledger/verify.ts'
import { UPSTREAM_KEY } from './contestants.ts'
import { settle, type Guarantees } from './guarantees.ts'

/** What is sent, and what must come of it: the status, and the code on record. */
const REQUESTS: readonly (readonly [
  why: string,
  change: Change,
  status: number,
  code: string | undefined,
])[] = [
  ['a good request passes', {}, 200, undefined],
  ['a well-formed key of another secret is refused', { key: ofAnotherSecret }, 401, 'caller.unknown'],
  ['a key that nobody has is refused', { key: ofNobody }, 401, 'caller.unknown'],
  ['no key is refused', { key: () => '' }, 401, 'caller.unknown'],
  ['a model beyond the key is refused', { model: 'other' }, 403, 'action.denied'],
  ['a secret in a message is refused', { says: (key) => `My key is ${key}.` }, 422, 'content.blocked'],
  [
    'a member that stands twice is refused',
    { body: '{"model":"house","model":"other"}' },
    400,
    'input.invalid',
  ],
  ['a body of another form is refused', { body: '{"model":"house"}' }, 400, 'input.invalid'],
]

interface Change {
  readonly key?: (key: string) => string
  readonly model?: string
  readonly says?: (key: string) => string
  readonly body?: string
}

/**
 * Sends requests to the contestant itself and looks at what it did and wrote: one that skips work is worth nothing. Throws
 * AssertionError.
 */
export async function checkGuarantees(guarantees: Guarantees, port: number): Promise<void> {
  for (const [why, change, status] of REQUESTS)
    assert.equal(await statusOf(port, guarantees.key, change), status, why)
  checkAnswers(guarantees)
  const { log, ledgerKeys } = guarantees
  // The outcome of the last one may still be on its way to the disk.
  while (log.written.entries < REQUESTS.length + 1) await new Promise((resolve) => setTimeout(resolve, 1))
  await log.sign()
  const { sidecarKey } = ledgerKeys
  const report = await verifyStraight(guarantees)
  assert.ok(report.ok, report.statement)
  const entries = await tailEntries(NODE_FILES, log.directory, LIMITS.leafBytes, { sidecarKey })
  assert.equal(report.origins[0]?.signed, entries.length, 'the checkpoint covers every entry')
  checkRecord(
    entries.map(({ leaf }) => leaf),
    entries.map(({ opened }) => Object.keys(opened ?? {})),
  )
}

/** The provider of the bench never says a secret, so this is asked without it. */
function checkAnswers(guarantees: Guarantees): void {
  const entered = { id: newEntryId(), seed: guarantees.log.drawSeed(), address: '', startedAt: 0 }
  for (const [said, code] of [
    [guarantees.key, 'content.blocked'],
    [UPSTREAM_KEY, 'upstream.invalid'],
  ] as const) {
    const answer = Buffer.from(JSON.stringify({ choices: [{ message: { content: `It is ${said}.` } }] }))
    assert.throws(() => settle(guarantees, entered, answer), { code }, 'a secret in an answer is kept back')
  }
}

/** What `ledger verify` finds in what the contestant wrote, with both keys. */
export async function verifyStraight({ log, ledgerKeys }: Guarantees): Promise<VerifyReport> {
  const { sidecarKey, signingPem } = ledgerKeys
  const keys = { publicKey: ed25519PublicBytes(signingPem), sidecarKey }
  return await verifyLedger({ files: NODE_FILES, directory: log.directory, keys })
}

function checkRecord(leaves: readonly JsonObject[], sensitive: readonly (readonly string[])[]): void {
  const [intent, outcome, ...refusals] = inPairs(leaves)
  assert.equal(intent?.['kind'], 'intent')
  assert.equal(outcome?.['kind'], 'outcome')
  assert.equal(intent['id'], outcome['id'], 'both are of one request')
  assert.deepEqual(
    refusals.map(({ code }) => code),
    REQUESTS.flatMap(([, , , code]) => code ?? []),
  )
  assert.deepEqual(sensitive[leaves.indexOf(intent)], ['address', 'content'])
  assert.ok(isJsonObject(intent['commit']) && isJsonObject(outcome['commit']))
}

/** Intent and outcome first: a refusal may have been written between them. */
function inPairs(leaves: readonly JsonObject[]): readonly JsonObject[] {
  const refusals = leaves.filter(({ kind }) => kind === 'refusal')
  return [...leaves.filter((leaf) => !refusals.includes(leaf)), ...refusals]
}

async function statusOf(port: number, key: string, change: Change): Promise<number> {
  const { model = 'house', says = () => 'Good day.' } = change
  const shown = change.key === undefined ? key : change.key(key)
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(shown === '' ? {} : { authorization: `Bearer ${shown}` }),
    },
    body: change.body ?? JSON.stringify({ model, messages: [{ role: 'user', content: says(key) }] }),
  })
  const answer: unknown = await response.json()
  assert.equal(isJsonObject(answer) && answer['model'] === 'house', response.status === 200)
  return response.status
}

function ofAnotherSecret(key: string): string {
  return newKeyText({ environment: 'live', kid: parseKey(key)?.kid ?? '' })
}

function ofNobody(): string {
  return newKeyText({ environment: 'live', kid: newKid() })
}
