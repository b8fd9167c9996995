import { Capabilities } from './capabilities.ts'
import { attributeKey, expressionKey, tagKey } from './expression_key.ts'
import { describeType } from './describe_type.ts'
import { mustBe, plain, refuseType, truth, type Inference, type Inferred } from './inference.ts'
import { NO_FIELDS, type RecordType, type SchemaType, type TruthType } from './schema_types.ts'
import type { Expression } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

/** `a has b.c` is `a has b && a.b has c`. */
export function inferHas(
  { target, path, at }: Of<'has'>,
  known: Capabilities,
  inference: Inference,
): Inferred<TruthType> {
  const inner = new Capabilities(known)
  const shows = new Set<string>()
  let only: boolean | undefined = true
  let owner = target
  let type = inference.infer(target, known).type
  for (const attribute of path) {
    const field = fieldsOf(type, owner, inference).fields.get(attribute)
    if (field === undefined) return truth(false)
    // An entity may be absent, and then it has not even what its type requires.
    if (!field.isRequired || type.kind === 'entity') {
      const key = attributeKey(expressionKey(owner), attribute)
      if (!inner.has(key)) only = undefined
      inner.add(new Set([key]))
      shows.add(key)
    }
    owner = { kind: 'get', target: owner, attribute, at }
    type = field.type
  }
  return truth(only, shows)
}

export function inferGet(expression: Of<'get'>, known: Capabilities, inference: Inference): Inferred {
  const { target, attribute, at } = expression
  const { type } = inference.infer(target, known)
  const field = fieldsOf(type, target, inference).fields.get(attribute)
  const name = JSON.stringify(attribute)
  if (field === undefined) throw new SyntaxProblem(at, `${describeType(type)} has no attribute ${name}`)
  if (!field.isRequired && !known.has(expressionKey(expression)))
    throw new SyntaxProblem(at, `the attribute ${name} may be absent; expected a test with "has" before`)
  return plain(field.type)
}

export function inferHasTag(
  expression: Of<'method'>,
  known: Capabilities,
  inference: Inference,
): Inferred<TruthType> {
  const { tags, key } = inferTag(expression, known, inference)
  if (tags === undefined) return truth(false)
  return known.has(key) ? truth(true) : truth(undefined, new Set([key]))
}

export function inferGetTag(expression: Of<'method'>, known: Capabilities, inference: Inference): Inferred {
  const { tags, key, owner } = inferTag(expression, known, inference)
  if (tags === undefined) throw new SyntaxProblem(expression.at, `${owner} has no tags`)
  if (!known.has(key))
    throw new SyntaxProblem(expression.at, 'the tag may be absent; expected a test with "hasTag" before')
  return plain(tags)
}

interface Tag {
  /** The type of the entity. */
  readonly owner: string
  readonly tags: SchemaType | undefined
  readonly key: string
}

function inferTag({ target, argument, at }: Of<'method'>, known: Capabilities, inference: Inference): Tag {
  if (argument === undefined) throw new SyntaxProblem(at, 'expected the name of a tag')
  const { type: owner } = mustBe('entity', inference.infer(target, known).type, target, 'an entity')
  mustBe('text', inference.infer(argument, known).type, argument, 'String')
  const tags = inference.entities.get(owner)?.tags
  return { owner, tags, key: tagKey(expressionKey(target), expressionKey(argument)) }
}

/** Actions have no attributes. */
function fieldsOf(type: SchemaType, { at }: Expression, { entities }: Inference): RecordType {
  if (type.kind === 'record') return type
  if (type.kind === 'entity') return entities.get(type.type)?.attributes ?? NO_FIELDS
  return refuseType(at, 'an entity or a record', type)
}
