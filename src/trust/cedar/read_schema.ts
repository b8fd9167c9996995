import type { EntityRef } from '#base/decider.ts'
import { Cursor } from './cursor.ts'
import {
  NO_FIELDS,
  type ActionShape,
  type EntityShape,
  type RecordType,
  type Schema,
} from './schema_types.ts'
import { SchemaNames, type WrittenRecord, type WrittenType } from './schema_names.ts'
import { unescapeString } from './unescape.ts'

/**
 * Reads a schema in Cedar's own notation: namespaces, entity types, common types and actions. It takes what the
 * reference takes and some more; it does not judge a schema. Throws SyntaxProblem.
 */
export function readSchema(text: string): Schema {
  const reader = new SchemaReader(new Cursor(text))
  return reader.read()
}

interface WrittenEntity {
  readonly space: string
  readonly parents: readonly string[]
  readonly attributes: WrittenRecord | undefined
  readonly tags: WrittenType | undefined
  readonly ids: ReadonlySet<string> | undefined
}

interface WrittenAction {
  readonly space: string
  readonly ids: readonly string[]
  readonly parents: readonly EntityRef[]
  readonly principals: readonly string[]
  readonly resources: readonly string[]
  readonly context: WrittenType | undefined
}

class SchemaReader {
  readonly #cursor: Cursor
  readonly #names = new SchemaNames()
  readonly #entities = new Map<string, WrittenEntity>()
  readonly #actions: WrittenAction[] = []

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  read(): Schema {
    while (this.#cursor.token.kind !== 'end') {
      this.#annotations()
      if (!this.#cursor.take('namespace')) {
        this.#declaration('')
        continue
      }
      const space = this.#cursor.path('the name of a namespace')
      this.#cursor.expect('{')
      while (!this.#cursor.take('}')) {
        this.#annotations()
        this.#declaration(space)
      }
    }
    const entities = [...this.#entities].map(([type, entity]) => [type, this.#toShape(entity)] as const)
    return {
      entities: new Map(entities),
      actions: this.#actions.flatMap((action) => this.#toActions(action)),
    }
  }

  #annotations(): void {
    while (this.#cursor.take('@')) {
      this.#cursor.next()
      if (!this.#cursor.take('(')) continue
      this.#cursor.expectKind('string', 'a text between quotes')
      this.#cursor.expect(')')
    }
  }

  #declaration(space: string): void {
    if (this.#cursor.take('entity')) this.#entity(space)
    else if (this.#cursor.take('action')) this.#action(space)
    else if (this.#cursor.take('type')) {
      const name = qualify(space, this.#cursor.expectName('the name of a type'))
      this.#cursor.expect('=')
      this.#names.addCommon(name, space, this.#type())
    } else this.#cursor.refuse('"entity", "action", "type" or "namespace"')
    this.#cursor.expect(';')
  }

  #entity(space: string): void {
    const names = [this.#cursor.expectName('the name of an entity type')]
    while (this.#cursor.take(',')) names.push(this.#cursor.expectName('the name of an entity type'))
    const ids = this.#cursor.take('enum') ? this.#enumIds() : undefined
    const parents = this.#cursor.take('in') ? this.#paths() : []
    this.#cursor.take('=')
    const attributes = this.#cursor.isMark('{') ? this.#record() : undefined
    const tags = this.#cursor.take('tags') ? this.#type() : undefined
    for (const name of names) {
      const type = qualify(space, name)
      this.#names.addEntity(type)
      this.#entities.set(type, { space, parents, attributes, tags, ids })
    }
  }

  #enumIds(): Set<string> {
    this.#cursor.expect('[')
    const id = (): string => {
      const { text, at } = this.#cursor.expectKind('string', 'an entity id between quotes')
      return unescapeString(text, at)
    }
    return new Set(this.#cursor.list(']', id))
  }

  #action(space: string): void {
    const ids = [this.#actionId()]
    while (this.#cursor.take(',')) ids.push(this.#actionId())
    const parents = this.#cursor.take('in') ? this.#actionRefs(space) : []
    let principals: string[] = []
    let resources: string[] = []
    let context: WrittenType | undefined
    if (this.#cursor.take('appliesTo')) {
      this.#cursor.expect('{')
      this.#cursor.list('}', () => {
        const name = this.#cursor.next().text
        this.#cursor.expect(':')
        if (name === 'principal') principals = this.#paths()
        else if (name === 'resource') resources = this.#paths()
        else context = this.#type()
      })
    }
    this.#actions.push({ space, ids, parents, principals, resources, context })
  }

  #actionId(): string {
    const { kind, text, at } = this.#cursor.next()
    return kind === 'string' ? unescapeString(text, at) : text
  }

  #actionRefs(space: string): EntityRef[] {
    if (!this.#cursor.take('[')) return [this.#actionRef(space)]
    return this.#cursor.list(']', () => this.#actionRef(space))
  }

  /** An id alone, or a reference with its type, as in `Gate::Action::"read"`. */
  #actionRef(space: string): EntityRef {
    if (this.#cursor.ahead(1).text !== '::') return { type: qualify(space, 'Action'), id: this.#actionId() }
    const type = this.#cursor.path('the name of an action type')
    this.#cursor.expect('::')
    return { type, id: this.#actionId() }
  }

  #paths(): string[] {
    const path = (): string => this.#cursor.path('the name of an entity type')
    return this.#cursor.take('[') ? this.#cursor.list(']', path) : [path()]
  }

  #type(): WrittenType {
    if (this.#cursor.isMark('{')) return this.#record()
    if (this.#cursor.take('__cedar')) {
      this.#cursor.expect('::')
      return { kind: 'built-in', name: this.#cursor.expectName('a type') }
    }
    const name = this.#cursor.path('a type')
    if (name !== 'Set') return { kind: 'name', name }
    this.#cursor.expect('<')
    const element = this.#type()
    this.#cursor.expect('>')
    return { kind: 'set', element }
  }

  #record(): WrittenRecord {
    const fields: WrittenRecord['fields'] = new Map()
    this.#cursor.expect('{')
    this.#cursor.list('}', () => {
      this.#annotations()
      const { kind, text, at } = this.#cursor.next()
      const name = kind === 'string' ? unescapeString(text, at) : text
      const isRequired = !this.#cursor.take('?')
      this.#cursor.expect(':')
      fields.set(name, { type: this.#type(), isRequired })
    })
    return { kind: 'record', fields }
  }

  #toShape({ space, parents, attributes, tags, ids }: WrittenEntity): EntityShape {
    return {
      parents: this.#entityNames(space, parents),
      attributes: attributes === undefined ? NO_FIELDS : this.#names.toRecord(attributes, space),
      tags: tags === undefined ? undefined : this.#names.toType(tags, space),
      ids,
    }
  }

  #toActions(action: WrittenAction): ActionShape[] {
    const { space } = action
    return action.ids.map((id) => ({
      ref: { type: qualify(space, 'Action'), id },
      parents: action.parents,
      principals: this.#entityNames(space, action.principals),
      resources: this.#entityNames(space, action.resources),
      context: this.#toContext(action),
    }))
  }

  #toContext({ context, space }: WrittenAction): RecordType {
    const type = context === undefined ? NO_FIELDS : this.#names.toType(context, space)
    return type.kind === 'record' ? type : NO_FIELDS
  }

  #entityNames(space: string, names: readonly string[]): Set<string> {
    return new Set(names.map((name) => this.#names.entityName(name, space)))
  }
}

function qualify(space: string, name: string): string {
  return space === '' ? name : `${space}::${name}`
}
