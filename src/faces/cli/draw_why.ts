import type { Explanation, StageState } from '#rooms/admin/why.ts'
import { printTime } from './duration.ts'
import type { Paint } from './style.ts'
import { visibleValue } from './visible.ts'

const MARKS: Readonly<
  Record<StageState, { readonly mark: string; readonly color: 'green' | 'red' | 'dim' | 'yellow' }>
> = {
  passed: { mark: '✓', color: 'green' },
  stopped: { mark: '✗', color: 'red' },
  not_reached: { mark: '·', color: 'dim' },
  unknown: { mark: '?', color: 'yellow' },
}
const LABEL_WIDTH = 9

/** Draws an explanation: the pipeline as a strip, then what decided. */
export function drawWhy(told: Explanation, paint: Paint): string {
  const strip = told.stages.map(({ stage, state }) =>
    paint(MARKS[state].color, `${stage} ${MARKS[state].mark}`),
  )
  const verdict = told.code === null ? told.result : `${told.result}: ${told.code}`
  const lines = [
    `${paint('bold', told.id)}  ${printTime(told.at)}  ${verdict}`,
    '',
    ...(strip.length === 0 ? [] : [`  ${strip.join(' ─ ')}`, '']),
    ...line('why', told.title),
    ...line('action', told.action),
    ...line('policies', told.policies.length > 0 ? told.policies.join(', ') : 'none matched'),
    ...line('found', told.findings.join(', ')),
    ...operatorLines(told),
    ...line('held', heldBy(told)),
    ...line('hint', told.hint),
  ]
  return lines.join('\n')
}

function operatorLines({ operator }: Explanation): readonly string[] {
  if (operator === null) return []
  const { ms, status, model, tries } = operator
  const counted = tries === null || tries < 2 ? '' : `, after ${tries} tries`
  const took = ms === null ? '' : `, ${ms} ms`
  return [
    ...line('caller', operator.caller === null ? null : withKey(operator.caller, operator.kid)),
    ...line('resource', operator.resource),
    ...line('model', model === null ? null : `${model}${counted}`),
    ...line('reason', operator.reason),
    ...line('errors', operator.errors.join(', ')),
    ...line('set', operator.set),
    ...line('trace', operator.trace),
    ...line('status', status === null ? null : `${status}${took}`),
  ]
}

const HOLDERS = { witnesses: 'cosigned by witnesses', anchors: 'held by anchors', nobody: 'not yet' } as const

/** Whether who owns the machine of the ledger could still change these entries unnoticed. */
function heldBy({ held }: Explanation): string | null {
  if (held === null) return null
  const since = held.since === null ? '' : `, at ${printTime(held.since)}`
  const through = held.older ? ', through the log in use, which states how theirs ended' : ''
  return `outside: ${HOLDERS[held.by]}${since}${through}`
}

function withKey(caller: string, kid: string | null): string {
  return kid === null ? caller : `${caller} by key ${kid}`
}

function line(label: string, text: string | null): readonly string[] {
  return text === null || text === '' ? [] : [`  ${label.padEnd(LABEL_WIDTH)} ${visibleValue(text)}`]
}
