import { FAULTS } from '#base/fault_table.ts'
import { UNPROVEN } from '#trust/access/unproven.ts'
import { CHECKS } from '#proof/posture/checks/all.ts'
import { COMMON_OPTIONS, type Command, type OptionRow } from '#faces/cli/command.ts'

/** Pages of the reference that are made from tables in the source; a test compares them with what is in `docs/`. */

const MADE = (from: string): string => `Made from \`${from}\`; a test compares.`

export function faultsPage(): string {
  const rows = Object.entries(FAULTS).map(
    ([code, { status, exit, title, hint }]) => `| \`${code}\` | ${status} | ${exit} | ${title} | ${hint} |`,
  )
  return `# Faults

${MADE('src/base/fault_table.ts')}

Every way in which Gatehouse refuses or fails has a code that stays the same. Over HTTP it comes as a problem (RFC 9457) with \`code\`, \`stage\`, \`entry\` and \`hint\`; on OpenAI routes the same stands inside OpenAI's error envelope. The command line ends with the exit status (as in sysexits.h), and with \`--json\` prints \`{"error":{"code","title","detail","hint","exit"}}\` on standard output.

Besides these, the command line ends with 0 when all is well, and \`doctor\` with 1 when a check fails.

| code | status | exit | title | hint |
|---|---|---|---|---|
${rows.join('\n')}
`
}

export function refusalReasonsPage(): string {
  const rows = Object.entries(UNPROVEN).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`)
  return `# Reasons of refusal

${MADE('src/trust/access/unproven.ts')}

Whoever is not proven reads \`caller.unknown\` and nothing else, whatever was wrong. The ledger has the reason as the public field \`reason\` of the refusal, with the short name of the issuer as \`issuer\` where it is one of the configuration; \`gatehouse why ENTRY\` shows both.

| reason | what it means |
|---|---|
${rows.join('\n')}
`
}

export function commandsPage(commands: readonly Command[]): string {
  return `# Commands

${MADE('src/faces/cli/commands/*.ts')}

\`./gatehouse COMMAND [OPTIONS]\`; \`npm start -- OPTIONS\` is \`./gatehouse up OPTIONS\`. Commands that change something go to the running door through \`admin.sock\` in the home; without a running door they open the same door for a moment, under the lock of the home. Commands that read take no lock. No command asks anything. Colours are left out when \`NO_COLOR\` is set or the output is not a terminal. Exit statuses are in [faults](faults.md).

Every command takes:

${optionTable(COMMON_OPTIONS)}
${commands.map(commandSection).join('\n')}`
}

export function checksTable(): string {
  const rows = CHECKS.map(({ id, title, why }) => `| \`${id}\` | ${title} | ${why} |`)
  return `| id | check | why |\n|---|---|---|\n${rows.join('\n')}`
}

function commandSection({ name, summary, words, options, example }: Command): string {
  const usage = words === '' ? name : `${name} ${words}`
  const own = options.length === 0 ? '' : `\n${optionTable(options)}\n`
  return `
## ${name}

\`gatehouse ${usage}\`: ${summary}.
${own}
Example: \`${example}\`
`
}

function optionTable(options: readonly OptionRow[]): string {
  const rows = options.map(({ name, value, says }) => {
    const form = value === undefined ? `--${name}` : `--${name} ${value}`
    return `| \`${form}\` | ${says.replaceAll('|', '\\|')} |`
  })
  return `| option | what it does |\n|---|---|\n${rows.join('\n')}`
}
