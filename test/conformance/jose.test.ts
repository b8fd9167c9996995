import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import { fixtureFolder, NO_CORPUS } from '../support/fixtures.ts'
import { accountsOf, type JoseAccount } from './jose.ts'

/** Cases of each file that tokens can be, and of them those that are accepted. */
const CASES: Readonly<Record<string, readonly [cases: number, accepted: number]>> = {
  jws: [401, 14],
  jwk: [26, 1],
  jwx: [49, 2],
  es256: [262, 173],
  ed25519: [151, 88],
  'ml-dsa-44': [173, 75],
}

const folder = fixtureFolder('jose')
let accounts: readonly JoseAccount[] = []

before(async () => {
  if (folder !== undefined) accounts = await accountsOf(folder)
})

for (const [name, [cases, accepted]] of Object.entries(CASES))
  test(
    `every vector of ${name} is judged as it should be, or refused on purpose`,
    { skip: folder === undefined && NO_CORPUS },
    () => {
      const account = accounts.find((one) => one.name === name)
      assert.ok(account !== undefined)
      assert.deepEqual(account.misses, [])
      const { verdicts } = account
      assert.equal(verdicts.accepted + verdicts.refused + verdicts.notTaken, cases)
      assert.equal(verdicts.accepted, accepted)
    },
  )

test(
  'nothing with a shared secret is ever accepted, however good its signature is',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    const kinds = accounts.flatMap(({ notTaken }) => [...notTaken])
    const shared = kinds.filter(([kind]) => kind.startsWith('HS')).reduce((sum, [, count]) => sum + count, 0)
    assert.equal(shared, 14)
  },
)
