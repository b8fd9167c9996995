import { Fault } from '#base/fault.ts'
import { shortDollars } from '#base/nano_dollars.ts'
import type { Moment } from './moment.ts'
import type { Applied, Subject } from './budgets.ts'
import type { Hindrance } from './ceilings.ts'

const SECOND_MS = 1_000

/** Says which limit it is, and nothing of what others took. */
export function exceeded({ account, subject }: Applied, hindrance: Hindrance, moment: Moment): Fault {
  const { name, limit, asked, fitsAt } = hindrance
  const detail = { reason: name, limit_of: account.name, limit, limit_asked: asked }
  const what = `${amountOf(name, limit)} ${OF[subject]}`
  if (fitsAt === Number.POSITIVE_INFINITY) {
    const say = `This request may take ${unitsOf(name, asked)}, and the limit is ${what}. ${SHORTER}`
    return new Fault('limit.exceeded', detail, { say })
  }
  const retryAfterSeconds = Math.max(1, Math.ceil((fitsAt - moment.at) / SECOND_MS))
  return new Fault('limit.exceeded', detail, { say: `The limit is ${what}.`, retryAfterSeconds })
}

/** A token or money limit applies, and nothing says how much the request may take. `what` holds our own words. */
export function unbounded(what: string): Fault {
  return new Fault('limit.unbounded', { reason: 'unbounded' }, { say: what })
}

export function unpriced(what: string): Fault {
  return new Fault('limit.unpriced', { reason: 'unpriced' }, { say: what })
}

const SHORTER = 'Send less, or ask for a shorter answer (max_tokens).'

const OF: Readonly<Record<Subject, string>> = {
  key: 'for this key',
  caller: 'for this caller',
  group: 'for a group of this caller',
  space: 'for the space of this caller',
  tenant: 'for the tenant of this caller',
  everybody: 'for all callers together',
}

function amountOf(name: Hindrance['name'], amount: number): string {
  if (name === 'concurrent') return `${amount} at the same time`
  return `${unitsOf(name, amount)} per ${name.slice(name.lastIndexOf('_') + 1)}`
}

function unitsOf(name: Hindrance['name'], amount: number): string {
  if (name.startsWith('dollars')) return shortDollars(amount)
  const unit = name.slice(0, name.indexOf('_'))
  return `${amount} ${amount === 1 ? unit.slice(0, -1) : unit}`
}
