import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { readJsonPolicy } from '#trust/cedar/json_policy.ts'
import { parseExactJson } from '#trust/cedar/json_values.ts'
import { parsePolicies } from '#trust/cedar/parse_policy.ts'
import { bareTree } from '../support/cedar_tree.ts'
import { fixtureFolder, NO_CORPUS } from '../support/fixtures.ts'
import { openCorpus, openHandmade, runSet, type SetResult } from './cedar_corpus.ts'

const REQUESTS = 62_472
const HANDMADE_REQUESTS = 74
/** 7,809 generated ones, of which 6,190 are well typed, and 22 by hand. */
const SETS = 7_831
/** cedar-wasm hands integers over as numbers of JavaScript, so policies that hold longer ones are not the same there. */
const LONG_INTEGER = /\d{16}/

const folder = fixtureFolder('cedar')

const NONE: readonly SetResult[] = []
let ran = { corpus: NONE, handmade: NONE }

before(() => {
  if (folder === undefined) return
  const corpus = openCorpus(folder)
  const handmade = openHandmade(folder)
  ran = {
    corpus: corpus.sets.map((name) => runSet(name, corpus.read)),
    handmade: [...handmade.suites.values()].flat().map((name) => runSet(name, handmade.read)),
  }
})

test(
  'every request of the Cedar corpus is answered as expected',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    assert.deepEqual(
      ran.corpus.flatMap(({ misses }) => misses),
      [],
    )
    assert.equal(requestsOf(ran.corpus), REQUESTS)
  },
)

test(
  'every request of the handmade suites is answered as expected',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    assert.deepEqual(
      ran.handmade.flatMap(({ misses }) => misses),
      [],
    )
    assert.equal(requestsOf(ran.handmade), HANDMADE_REQUESTS)
  },
)

test(
  'the policies of every set are well typed just where the corpus says so',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    const results = [...ran.corpus, ...ran.handmade]
    assert.deepEqual(
      results.filter(({ isValidated }) => !isValidated).map(({ name }) => name),
      [],
    )
    assert.equal(results.length, SETS)
  },
)

test(
  'the harness sees a wrong answer: a set whose expectation is turned around misses',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    const { sets, read } = openCorpus(folder ?? '')
    const [name = ''] = sets
    const turned = (file: string): string =>
      file === name
        ? read(file).replaceAll(
            /"decision": "(allow|deny)"/g,
            (_all, word) => `"decision": "${word === 'allow' ? 'deny' : 'allow'}"`,
          )
        : read(file)
    const { requests, misses } = runSet(name, turned)
    assert.equal(misses.length, requests)
    const invalid = (file: string): string =>
      file === name
        ? read(file).replace(
            /("shouldValidate": )(true|false)/,
            (_all, key, word) => `${key}${word === 'false'}`,
          )
        : read(file)
    assert.ok(runSet(name, read).isValidated)
    assert.ok(!runSet(name, invalid).isValidated)
  },
)

test(
  'the JSON form of every policy of the corpus reads as its text',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    const { sets, read } = openCorpus(folder ?? '')
    let compared = 0
    for (const set of sets) {
      const text = read(set.replace('.json', '.cedar'))
      if (LONG_INTEGER.test(text)) continue
      const answer = policyToJson(text)
      assert.ok(answer.type === 'success', set)
      const [policy] = parsePolicies(text).policies
      assert.deepEqual(
        bareTree(readJsonPolicy(parseExactJson(JSON.stringify(answer.json)))),
        bareTree(policy),
        set,
      )
      compared += 1
    }
    assert.ok(compared > 7_000, `${compared} compared`)
  },
)

function requestsOf(results: readonly SetResult[]): number {
  return results.reduce((sum, { requests }) => sum + requests, 0)
}
