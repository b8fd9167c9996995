import { sha256Hex } from '#base/crypto.ts'
import { printRef, type EntityRef } from '#base/decider.ts'
import { hashOf, isSameRef } from './ref_map.ts'
import { canonicalText, EntityValue, isEqual, type RecordValue, type Value } from './values.ts'

/** What is said of an entity, by itself: the same wherever it is said. */
export class EntityAccount {
  readonly ref: EntityRef
  readonly parents: readonly EntityRef[]
  /** `hashOf` the reference. */
  readonly hash: number
  readonly #attributes: RecordValue
  readonly #tags: RecordValue
  #value: EntityValue | undefined
  #digest: string | undefined

  constructor(ref: EntityRef, parents: readonly EntityRef[], attributes: RecordValue, tags: RecordValue) {
    this.ref = ref
    this.parents = parents
    this.hash = hashOf(ref)
    this.#attributes = attributes
    this.#tags = tags
  }

  /** The entity as policies see it; the same object each time. */
  get value(): EntityValue {
    this.#value ??= new EntityValue(this.ref.type, this.ref.id)
    return this.#value
  }

  attribute(name: string): Value | undefined {
    return this.#attributes.fields.get(name)
  }

  tag(name: string): Value | undefined {
    return this.#tags.fields.get(name)
  }

  /** A hash of all that is said of the entity, worked out once. */
  get digest(): string {
    this.#digest ??= sha256Hex(
      JSON.stringify([
        printRef(this.ref),
        this.parents.map(printRef).sort(),
        canonicalText(this.#attributes),
        canonicalText(this.#tags),
      ]),
    )
    return this.#digest
  }

  /** True when both say the same. */
  agrees(other: EntityAccount): boolean {
    return (
      this === other ||
      (areAllIn(this.parents, other.parents) &&
        areAllIn(other.parents, this.parents) &&
        isEqual(this.#attributes, other.#attributes) &&
        isEqual(this.#tags, other.#tags))
    )
  }
}

function areAllIn(refs: readonly EntityRef[], others: readonly EntityRef[]): boolean {
  return refs.every((ref) => others.some((other) => isSameRef(other, ref)))
}
