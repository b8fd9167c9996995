import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import { NO_CORPUS } from '../support/fixtures.ts'
import { ledgerAccounts, runLedgerConformance, type LedgerAccount } from './ledger.ts'

/** Of 518 public vectors the verifier knows those about whole trees. */
const COUNTS: Readonly<Record<string, number>> = {
  'merkle inclusion src': 98,
  'merkle inclusion verifier': 98,
  'merkle consistency src': 98,
  'merkle consistency verifier': 98,
  'merkle subtreeinclusion src': 204,
  'merkle subtreeconsistency src': 118,
  'tessera-log src': 47,
  'tessera-log verifier': 47,
  'c2sp-examples src': 5,
  'c2sp-examples verifier': 5,
  'witness src': 10,
  'witness verifier': 10,
}
const OWN = 365

let accounts: readonly LedgerAccount[] = []
let absent: readonly string[] = []
before(() => {
  const found = ledgerAccounts()
  accounts = found.accounts
  absent = found.absent
})

test('trees by the words of RFC 9162 come out the same: in src and in the verifier', () => {
  const own = accounts.filter(({ name }) => name.startsWith('rfc-9162 '))
  assert.deepEqual(
    own.map(({ name, right, all }) => [name, right, all]),
    ['src', 'verifier'].map((name) => [`rfc-9162 ${name}`, OWN, OWN]),
  )
})

test('trees, proofs and checkpoints of others come out the same: in src and in the verifier', (t) => {
  if (absent.length > 0) return t.skip(NO_CORPUS)
  const others = accounts.filter(({ name }) => !name.startsWith('rfc-9162 '))
  assert.deepEqual(
    others.flatMap(({ name, misses }) => misses.map((miss) => `${name} ${miss}`)),
    [],
  )
  assert.deepEqual(Object.fromEntries(others.map(({ name, all }) => [name, all])), COUNTS)
})

test('runLedgerConformance says how many of how many: and is true only where nothing is absent', () => {
  const lines: string[] = []
  assert.equal(
    runLedgerConformance((line) => lines.push(line)),
    absent.length === 0,
  )
  assert.ok(lines.includes(`rfc-9162 verifier ${OWN}/${OWN}`))
})
