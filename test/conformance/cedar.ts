import { fixtureFolder } from '../support/fixtures.ts'
import { openCorpus, openHandmade, runSet } from './cedar_corpus.ts'

/**
 * `npm run conformance -- cedar`: every request of the Cedar corpus and the handmade suites, and
 * whether the policies of each set are well typed. True when all agree.
 */
export function runCedarConformance(say: (line: string) => void): boolean {
  const folder = fixtureFolder('cedar')
  if (folder === undefined) return (say('requests 0/0: the corpus is absent'), false)
  const corpus = openCorpus(folder)
  const results = corpus.sets.map((name) => runSet(name, corpus.read))
  const misses = results.flatMap((result) => result.misses)
  for (const line of misses) say(`MISS ${line}`)
  const requests = results.reduce((sum, result) => sum + result.requests, 0)
  const validated = [...results]
  const { suites, read } = openHandmade(folder)
  for (const [suite, files] of suites) {
    const ran = files.map((file) => runSet(file, read))
    const wrong = ran.flatMap((result) => result.misses)
    for (const line of wrong) say(`MISS ${line}`)
    misses.push(...wrong)
    validated.push(...ran)
    const asked = ran.reduce((sum, result) => sum + result.requests, 0)
    say(`handmade ${suite} ${asked - wrong.length}/${asked}`)
  }
  const missed = results.reduce((sum, result) => sum + result.misses.length, 0)
  say(`requests ${requests - missed}/${requests}`)
  const mistyped = validated.filter(({ isValidated }) => !isValidated)
  for (const { name } of mistyped) say(`MISS ${name}: validated otherwise`)
  say(`validation ${validated.length - mistyped.length}/${validated.length}`)
  return misses.length === 0 && mistyped.length === 0
}
