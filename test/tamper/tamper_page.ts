import type { Finding } from './scene.ts'
import type { Sayings, TamperRow } from './tamper_table.ts'

/** `docs/reference/tamper-table.md`, from what the verifiers said just now. */
export function tamperPage(rows: readonly TamperRow[]): string {
  const lines = rows.map(({ edit, home, exported }) => `| ${edit} | ${cell(home)} | ${cell(exported)} |`)
  return `# What tampering the verifiers find

Made by \`test/tamper/tamper_table.test.ts\`, which makes every edit and runs both verifiers; a test compares.

A home with 518 entries is edited by somebody who knows every format and makes each checksum right again. Then two programs that share no code look at it: \`gatehouse ledger verify\`, with the keys of the home, and [verifier/](../../verifier/README.md), with the key that was noted when the log was made, on an export of the log. Each runs without anything from outside, and with the newest checkpoint as somebody else holds it (\`--against\`).

A cell is the first thing that a program says. **Not without an outside copy** marks what nobody can see from the files alone: they are just as a log of their size would be. With a copy elsewhere it is found, and the cell says as what. That is what [witnesses and anchors](../explanation/ledger.md) are for. A dash: there is nothing of the kind to edit there.

| edit | \`gatehouse ledger verify\` | \`verifier/\` on an export |
|---|---|---|
${lines.join('\n')}

\`ORIGIN\` stands for the name of the log. Files are those of [the ledger format](ledger-format.md), or tiles and bundles of [tlog-tiles](https://c2sp.org/tlog-tiles). "5 in it, not 6" are entries of a bundle.
`
}

function cell(said: Sayings | undefined): string {
  if (said === undefined) return '—'
  if (said.alone !== undefined) return quoted(said.alone)
  return `**Not without an outside copy**; with one: ${said.outside === undefined ? 'not found' : quoted(said.outside)}`
}

function quoted(finding: NonNullable<Finding>): string {
  return `\`${finding.replaceAll('|', '\\|')}\``
}
