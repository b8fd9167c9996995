import { runCedarConformance } from './cedar.ts'

const HELP = `conformance WHAT

  cedar    decisions of our Cedar engine over the public corpus (62,472 requests) and its handmade suites, and
           whether it says of their 7,831 policy sets that they are well typed just where they are

The corpus is looked for in $GATEHOUSE_FIXTURES and in ../shared/fixtures.`

if (import.meta.main) {
  const [what, ...more] = process.argv.slice(2)
  if (what !== 'cedar' || more.length > 0) {
    console.error(HELP)
    process.exitCode = 64
  } else {
    process.exitCode = runCedarConformance((line) => console.log(line)) ? 0 : 1
  }
}
