import { runCedarConformance } from './cedar.ts'
import { runJoseConformance } from './jose.ts'
import { runLedgerConformance } from './ledger.ts'

const HELP = `conformance WHAT

  cedar    decisions of our Cedar engine over the public corpus (62,472 requests) and its handmade suites, and
           whether it says of their 7,831 policy sets that they are well typed just where they are
  jose     public vectors for signatures (1,062 cases) through the code that checks the tokens of issuers
  ledger   trees, proofs and checkpoints of others (518 proofs, a log of 15 entries, the examples of C2SP, requests to a
           witness), in Gatehouse and in verifier/, which share no code

The corpus is looked for in $GATEHOUSE_FIXTURES and in ../shared/fixtures.`

const RUNS: Readonly<Record<string, (say: (line: string) => void) => boolean | Promise<boolean>>> = {
  cedar: runCedarConformance,
  jose: runJoseConformance,
  ledger: runLedgerConformance,
}

if (import.meta.main) {
  const [what = '', ...more] = process.argv.slice(2)
  const run = Object.hasOwn(RUNS, what) ? RUNS[what] : undefined
  if (run === undefined || more.length > 0) {
    console.error(HELP)
    process.exitCode = 64
  } else {
    process.exitCode = (await run((line) => console.log(line))) ? 0 : 1
  }
}
