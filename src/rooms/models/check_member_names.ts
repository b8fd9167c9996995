import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { foldedName } from './folded_name.ts'
import { printPlace, visitUnknown, type Place, type Shape } from './known_members.ts'
import { redirectingName, reroutingName } from './rerouting.ts'

/**
 * Refuses members of which a server may make something else than was checked. Throws `input.invalid`, which names our
 * own fields only.
 *
 * In every object whose shape we know: another way to write a known name, a name of `rerouting.ts`, two siblings
 * that one server tells apart and another does not, and a name with other characters than the fields of servers have:
 * some stop reading at a NUL, trim white space, or take a look-alike for the letter. Not in objects of free form: in the schema of a tool's parameters
 * `a` and `A` may well be two names, and no server binds them to fields of its own.
 */
export function checkMemberNames(request: JsonObject, shape: Shape): void {
  const folds = new FoldedNames()
  visitUnknown(request, shape, ({ names, shape: { folds: known }, place }) => {
    const seen = new Set<string>()
    for (const name of names) {
      const folded = folds.of(name)
      const meant = known.get(folded)
      if (meant !== undefined) throw invalid(`${pathTo(meant, place)} must be written exactly so.`)
      const rerouting = reroutingName(folded)
      if (rerouting !== undefined) throw rerouted(pathTo(rerouting, place))
      if (!PLAIN.test(name)) throw invalid('A member that is not known has a name that is not plain ASCII.')
      if (seen.has(folded)) throw invalid('Two members of one object have names that differ in form only.')
      seen.add(folded)
    }
  })
  const { metadata } = request
  for (const name of isJsonObject(metadata) ? Object.keys(metadata) : []) {
    const redirecting = redirectingName(folds.of(name))
    if (redirecting !== undefined) throw rerouted(`metadata.${redirecting}`)
  }
}

/** What names of fields are made of, with the separators of paths and of namespaces. */
const PLAIN = /^[A-Za-z0-9_.:/-]+$/

/** The longest of a name that is folded, in UTF-16 code units; known ones have half of that at most. */
const NAME_LENGTH = 64
/** Different names folded for one request; clients bring a handful. Both bound the time, which NFKC stretches. */
const NAMES = 256

class FoldedNames {
  /** Most requests have none. */
  #folds: Map<string, string> | undefined

  of(name: string): string {
    this.#folds ??= new Map()
    const known = this.#folds.get(name)
    if (known !== undefined) return known
    if (name.length > NAME_LENGTH)
      throw invalid(`A member has a name of more than ${NAME_LENGTH} characters.`)
    if (this.#folds.size === NAMES) throw invalid(`More than ${NAMES} members are not known.`)
    const folded = foldedName(name)
    this.#folds.set(name, folded)
    return folded
  }
}

function pathTo(step: string, inside: Place | undefined): string {
  return printPlace({ step, inside })
}

function rerouted(field: string): Fault {
  return invalid(`${field} is not accepted: only model says which model is called, and nothing says where.`)
}

function invalid(say: string): Fault {
  return new Fault('input.invalid', {}, { say })
}
