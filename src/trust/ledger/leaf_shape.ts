import { Fault } from '#base/fault.ts'
import { classOf, type FieldClass } from './class_table.ts'

/** Fields of one entry and characters of a field's name; the names are ours, so more is a mistake of ours. */
export const MOST_FIELDS = 64
export const NAME_CHARACTERS = 64
/** Names behind one another that are remembered: a dozen kinds of entries have ten fields each. */
const KEPT_STEPS = 4_096

/** A member of a leaf: one that every entry has, the commitments, or a field. */
export interface LeafMember {
  readonly name: string
  readonly holds: 'version' | 'kind' | 'id' | 'at' | 'commitments' | FieldClass
  /** The brace or comma before it, and its name. */
  readonly opening: string
}

/** How an entry with these fields is written: the members of its leaf, and of its commitments, in canonical order. */
export interface LeafShape {
  readonly members: readonly LeafMember[]
  readonly sensitive: readonly LeafMember[]
}

/**
 * The shape of an entry with fields of these names. Entries come with few sets of names, each in one order mostly, so
 * sorting and sorting out is done once for each. Throws `internal.bug` for names that are not ours.
 */
export function shapeOf(names: readonly string[]): LeafShape {
  let step = FIRST
  for (const name of names) step = step.next.get(name) ?? addStep(step, name)
  step.shape ??= newShape(names)
  return step.shape
}

/** What the names up to here lead to. */
interface Step {
  readonly next: Map<string, Step>
  shape: LeafShape | undefined
}

const FIRST: Step = { next: new Map(), shape: undefined }
let keptSteps = 0

function addStep(from: Step, name: string): Step {
  const step: Step = { next: new Map(), shape: undefined }
  // Half a character has no form of its own in UTF-8: two names would become one.
  if (name === '' || name.length > NAME_CHARACTERS || !name.isWellFormed()) throw wrongNames()
  if (keptSteps >= KEPT_STEPS) {
    FIRST.next.clear()
    keptSteps = 0
  }
  from.next.set(name, step)
  keptSteps += 1
  return step
}

function newShape(names: readonly string[]): LeafShape {
  if (names.length > MOST_FIELDS) throw wrongNames()
  const fields = names.map((name) => ({ name, holds: classOf(name) }))
  const sensitive = fields.filter(({ holds }) => holds === 'sensitive')
  const always = [
    { name: 'v', holds: 'version' },
    { name: 'kind', holds: 'kind' },
    { name: 'id', holds: 'id' },
    { name: 'at', holds: 'at' },
  ] as const
  const commitments = sensitive.length > 0 ? [{ name: 'commit', holds: 'commitments' } as const] : []
  const open = fields.filter(({ holds }) => holds !== 'sensitive')
  return { members: inOrder([...always, ...commitments, ...open]), sensitive: inOrder(sensitive) }
}

function inOrder(members: readonly Omit<LeafMember, 'opening'>[]): readonly LeafMember[] {
  // By UTF-16 code units (RFC 8785 section 3.2.3), as `<` compares.
  return members
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map((each, at) => ({ ...each, opening: `${at === 0 ? '{' : ','}${JSON.stringify(each.name)}:` }))
}

function wrongNames(): Fault {
  return new Fault('internal.bug', { error: 'an entry has too many fields, or names that are none' })
}
