import type { EntityRef } from '#base/decider.ts'
import { printType } from '#trust/cedar/describe_type.ts'
import type { ActionShape, Schema, SchemaType } from '#trust/cedar/schema_types.ts'
import type { Draw } from './cedar_cases.ts'
import { ATTRIBUTE_NAMES as NAMES, PLAIN_TYPES as PLAIN, WORDS } from './cedar_random_schema.ts'
import { fieldsOf, pathsFrom, type Path } from './cedar_schema_paths.ts'

const IDS = ['x', 'y']
const DEPTH = 4
/** Writes one policy, most of it well typed in one environment. */
export class TypedWriter {
  readonly #draw: Draw
  readonly #schema: Schema
  readonly #action: ActionShape
  readonly #principal: string
  readonly #resource: string
  readonly #paths: readonly Path[]
  /** Percent of mistakes. */
  readonly #wrong: number
  #known: readonly string[] = []

  constructor(draw: Draw, schema: Schema) {
    this.#draw = draw
    this.#schema = schema
    this.#action = draw.one(schema.actions.filter(({ principals }) => principals.size > 0))
    this.#principal = draw.one([...this.#action.principals])
    this.#resource = draw.one([...this.#action.resources])
    this.#wrong = draw.one([0, 1, 3, 8])
    this.#paths = [
      ...pathsFrom('principal', { kind: 'entity', type: this.#principal }, schema),
      ...pathsFrom('resource', { kind: 'entity', type: this.#resource }, schema),
      ...pathsFrom('context', this.#action.context, schema),
    ]
  }

  policy(): string {
    const scope = `${this.#scope('principal', this.#principal)}, ${this.#actionScope()}, ${this.#scope('resource', this.#resource)}`
    const conditions = Array.from({ length: this.#draw.below(3) }, () => {
      this.#known = []
      return ` ${this.#draw.one(['when', 'when', 'unless'])} { ${this.#condition()} }`
    })
    return `${this.#draw.one(['permit', 'forbid'])} (${scope})${conditions.join('')};`
  }

  /** Half of the conditions are small, so that one mistake is not hidden by another. */
  #condition(): string {
    const forms: (() => string)[] = [
      () => this.#reached(),
      () => this.#reached(),
      () => this.#tagTest(1),
      () => this.#recordTest(1),
      () => this.#extensionTest(1),
      () => this.#order(1),
      () => this.#setTest(1),
      () => this.#guarded(1),
      () => this.#equality(1),
    ]
    return this.#draw.chance(50) ? this.#truth(DEPTH) : this.#draw.one(forms)()
  }

  #scope(variable: string, type: string): string {
    const other = this.#draw.chance(94) ? type : this.#entityType()
    const within = this.#draw.chance(50) ? type : this.#entityType()
    const more = this.#draw.one([` in ${this.#ref(within)}`, ` is ${other} in ${this.#ref(within)}`])
    const forms = [
      '',
      '',
      '',
      ` is ${other}`,
      ` is ${other}`,
      ` is ${other}`,
      ` == ${this.#ref(other)}`,
      more,
    ]
    return variable + this.#draw.one(forms)
  }

  #actionScope(): string {
    const own = ref(this.#action.ref)
    const other = (): string => this.#anyAction()
    const forms = [` == ${own}`, ` == ${own}`, ` == ${own}`, '', '', ` in [${own}, ${other()}]`]
    if (this.#draw.chance(15)) forms.push(` in ${other()}`)
    if (this.#draw.chance(2)) return 'action in []'
    return `action${this.#draw.one(forms)}`
  }

  #entityType(): string {
    return this.#draw.chance(this.#wrong / 4)
      ? this.#draw.one(['Nothing', 'Action', 'N::Action'])
      : this.#draw.one([...this.#schema.entities.keys()])
  }

  #entity(): SchemaType {
    return { kind: 'entity', type: this.#entityType() }
  }

  #ref(type: string): string {
    const ids = this.#schema.entities.get(type)?.ids
    const id = this.#draw.one(ids === undefined || this.#draw.chance(this.#wrong) ? IDS : [...ids])
    return ref({ type, id })
  }

  #anyAction(): string {
    return this.#draw.chance(this.#wrong / 4)
      ? 'Action::"none"'
      : ref(this.#draw.one(this.#schema.actions).ref)
  }

  #isWrong(): boolean {
    return this.#draw.chance(this.#wrong)
  }

  #anyType(): SchemaType {
    if (this.#draw.chance(50)) return this.#draw.one(this.#paths).type
    const entity = this.#entity()
    return this.#draw.one<SchemaType>([...PLAIN, entity, { kind: 'set', element: entity }])
  }

  #write(type: SchemaType, depth: number): string {
    const draw = this.#draw
    if (this.#isWrong()) return this.#write(this.#anyType(), depth - 1)
    if (depth > 0 && draw.chance(8)) {
      const test = this.#truth(depth - 1)
      return `(if ${test} then ${this.#write(type, depth - 1)} else ${this.#write(type, depth - 1)})`
    }
    if (depth > 0 && draw.chance(5))
      return `{k: ${this.#write(type, depth - 1)}, l: ${this.#write(this.#anyType(), 0)}}.k`
    const path = draw.chance(70) ? this.#path(type) : undefined
    return path ?? this.#make(type, depth)
  }

  /** A path of the type for which what it needs is known (or not, by mistake). */
  #path(type: SchemaType): string | undefined {
    const wanted = printType(type)
    const fits = this.#paths.filter(
      (path) =>
        printType(path.type) === wanted &&
        (path.needs.every((need) => this.#known.includes(need)) || this.#isWrong()),
    )
    return fits.length === 0 ? undefined : this.#draw.one(fits).text
  }

  #make(type: SchemaType, depth: number): string {
    const draw = this.#draw
    switch (type.kind) {
      case 'truth':
        return depth > 0
          ? `(${this.#truth(depth - 1)})`
          : draw.one(['true', 'false', '(resource == resource)'])
      case 'integer':
        return depth > 0 ? this.#integer(depth - 1) : draw.one(['0', '-1', '9223372036854775807'])
      case 'text':
        return draw.one(['""', '"a"', '"a*"'])
      case 'extension':
        return this.#extension(type.type, depth - 1)
      case 'entity':
        return this.#ref(type.type)
      case 'set': {
        if (this.#isWrong()) return '[]'
        const elements = [type.element, ...draw.some(2, () => type.element)]
        return `[${elements.map((element) => this.#write(element, depth - 1)).join(', ')}]`
      }
      case 'record': {
        const fields = [...type.fields].filter(([, { isRequired }]) => isRequired || draw.chance(50))
        return `{${fields.map(([name, field]) => `${JSON.stringify(name)}: ${this.#write(field.type, depth - 1)}`).join(', ')}}`
      }
    }
  }

  #integer(depth: number): string {
    const part = (): string => this.#write({ kind: 'integer' }, depth)
    const method = this.#draw.one(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])
    return this.#draw.one([
      () => `(${part()} ${this.#draw.one(['+', '-', '*'])} ${part()} - ${part()})`,
      () => `-(${part()})`,
      () => `${this.#write({ kind: 'extension', type: 'duration' }, depth)}.${method}()`,
    ])()
  }

  #extension(type: 'decimal' | 'ipaddr' | 'datetime' | 'duration', depth: number): string {
    const at = (): string => this.#write({ kind: 'extension', type: 'datetime' }, depth)
    const by = (): string => this.#write({ kind: 'extension', type: 'duration' }, depth)
    const word = this.#isWrong() ? this.#draw.one(WORDS[type] ?? []) : (WORDS[type]?.[0] ?? '')
    const literal = this.#isWrong() ? this.#write({ kind: 'text' }, depth) : JSON.stringify(word)
    const forms = [() => `${type === 'ipaddr' ? 'ip' : type}(${literal})`]
    if (type === 'datetime' && depth > 0)
      forms.push(
        () => `${at()}.offset(${by()})`,
        () => `${at()}.toDate()`,
      )
    if (type === 'duration' && depth > 0)
      forms.push(
        () => `${at()}.durationSince(${at()})`,
        () => `${at()}.toTime()`,
      )
    return this.#draw.one(forms)()
  }

  #truth(depth: number): string {
    const draw = this.#draw
    if (this.#isWrong()) return this.#write(this.#anyType(), depth - 1)
    if (depth <= 0)
      return draw.one([
        'true',
        '(principal == principal)',
        '(resource in resource)',
        this.#write({ kind: 'truth' }, 0),
      ])
    const next = depth - 1
    const test = (): string => this.#truth(next)
    const entity = (): string => this.#write(this.#entity(), next)
    const forms: (() => string)[] = [
      () => this.#guarded(next),
      () => this.#guarded(next),
      () => this.#guarded(next),
      () => this.#guarded(next),
      () => `((${test()}) && (${test()}))`,
      () => `((${test()}) || (${test()}))`,
      () => `((${draw.one(['false', 'true', test()])}) || (${test()}))`,
      () => `(if ${draw.one(['false', 'true'])} then ${test()} else ${test()})`,
      () => `!(${test()})`,
      () => `(if ${test()} then ${test()} else ${test()})`,
      () => this.#equality(next),
      () => this.#equality(next),
      () => this.#order(next),
      () => `(${entity()} in ${entity()})`,
      () => `(${draw.one(['principal', 'resource', entity()])} in [${entity()}, ${entity()}])`,
      () => this.#actionTest(),
      () => `(${draw.one(['principal', 'resource', 'action', entity()])} is ${this.#entityType()})`,
      () => `(${draw.one(['principal', 'resource', entity()])} is ${this.#entityType()} in ${entity()})`,
      () => `(${draw.one(this.#paths.slice(0, 8)).text} has ${JSON.stringify(draw.one([...NAMES, 'none']))})`,
      () => `(principal has ${draw.one(['a.b', 'b', 'c.d.a', 'none.a'])})`,
      () => `(${this.#write({ kind: 'text' }, next)} like "a*")`,
      () => this.#setTest(next),
      () => this.#tagTest(next),
      () => this.#recordTest(next),
      () => (draw.chance(60) ? this.#truth(next) : this.#reached()),
      () => this.#extensionTest(next),
      () => this.#write({ kind: 'truth' }, next),
    ]
    return draw.one(forms)()
  }

  /** A test that something is there, and behind it an expression that may rely on it. */
  #guarded(depth: number): string {
    const draw = this.#draw
    const before = this.#known
    const path = draw.one(this.#paths)
    const tests = path.needs.filter((need) => !before.includes(need))
    this.#known = [...before, ...tests]
    const rest = draw.chance(60)
      ? `(${path.text} == ${this.#write(path.type, depth)})`
      : `(${this.#truth(depth)})`
    this.#known = before
    if (tests.length === 0) return rest
    const guard = tests
      .map((one) => (draw.chance(8) ? `(${one} || ${this.#truth(depth - 1)})` : one))
      .join(' && ')
    const other = (): string => this.#truth(depth - 1)
    return draw.one([
      () => `(${guard} && ${rest})`,
      () => `(${guard} && ${rest})`,
      () => `(if ${guard} then ${rest} else (${other()}))`,
      () =>
        `((if ${guard} then ${draw.one(['true', other()])} else (${draw.one(['false', guard])})) && ${rest})`,
      () => `((if ${other()} then (${guard}) else (${draw.one(['false', guard])})) && ${rest})`,
      () => `(((${guard}) || (${draw.one(['false', guard])})) && ${rest})`,
      () => `(!(${draw.one(['!', ''])}(${guard})) ${draw.one(['||', '&&'])} ${rest})`,
    ])()
  }

  #equality(depth: number): string {
    const type = this.#anyType()
    const other = this.#draw.chance(10) ? this.#anyType() : type
    return `(${this.#write(type, depth)} ${this.#draw.one(['==', '!='])} ${this.#write(other, depth)})`
  }

  #order(depth: number): string {
    const type = this.#draw.one<SchemaType>([
      { kind: 'integer' },
      { kind: 'extension', type: 'datetime' },
      { kind: 'extension', type: 'duration' },
    ])
    const one = this.#draw.chance(5) ? this.#anyType() : type
    const other = this.#draw.chance(70) ? one : this.#draw.chance(80) ? type : this.#anyType()
    return `(${this.#write(one, depth)} ${this.#draw.one(['<', '<=', '>', '>='])} ${this.#write(other, depth)})`
  }

  #actionTest(): string {
    const one = (): string => this.#draw.one(['action', this.#anyAction(), this.#anyAction()])
    return this.#draw.one([
      () => `(action == ${one()})`,
      () => `(${one()} in ${one()})`,
      () => `(${one()} in [${one()}, ${one()}])`,
      () => `((if ${this.#truth(1)} then ${one()} else ${one()}) in ${one()})`,
      () => `(action in principal)`,
      () => `(action has a)`,
      () => `(action == ${one()} && ${this.#truth(2)})`,
    ])()
  }

  #setTest(depth: number): string {
    const element = this.#anyType()
    const set = (): string => this.#write({ kind: 'set', element }, depth)
    return this.#draw.one([
      () => `${set()}.contains(${this.#write(element, depth)})`,
      () => `${set()}.${this.#draw.one(['containsAll', 'containsAny'])}(${set()})`,
      () => `${set()}.isEmpty()`,
      () =>
        `(${this.#write(this.#entity(), depth)} in ${this.#write({ kind: 'set', element: this.#entity() }, depth)})`,
    ])()
  }

  #tagTest(depth: number): string {
    const draw = this.#draw
    const tagged = [...this.#schema.entities]
      .filter(([, { tags }]) => tags !== undefined)
      .map(([type]) => type)
    const type = draw.one(tagged.length === 0 || draw.chance(10) ? [this.#entityType()] : tagged)
    const paths = this.#paths.filter((path) => printType(path.type) === type).map(({ text }) => text)
    const owner = draw.one([...paths, this.#ref(type)])
    const key = draw.chance(60) ? '"k"' : this.#write({ kind: 'text' }, depth)
    const has = `${owner}.hasTag(${draw.chance(12) ? draw.one(['"l"', '1']) : key})`
    const tags = this.#schema.entities.get(type)?.tags ?? this.#anyType()
    const value = `(${owner}.getTag(${key}) == ${this.#write(tags, depth)})`
    const again = `${draw.chance(30) ? this.#ref(type) : owner}.hasTag(${key})`
    return draw.one([
      `(${has})`,
      `(${has} && ${value})`,
      `(${has} && ${value})`,
      `(${has} && (${again} || ${this.#wrongs()}))`,
      draw.chance(25) ? value : `(${has} || ${this.#truth(0)})`,
    ])
  }

  /** What is ill-typed wherever it is reached: it shows what is inferred of the test before. */
  #wrongs(): string {
    return this.#draw.one(['1', 'principal', 'context', '(1 + true)'])
  }

  /** Well typed just when the test is always true, or always false. */
  #reached(): string {
    const test = this.#draw.chance(30) ? this.#truth(1) : this.#fact()
    return this.#draw.one([
      `((${test}) || ${this.#wrongs()})`,
      `((${test}) && ${this.#wrongs()})`,
      `(!(${test}) && ${this.#wrongs()})`,
      `(if ${test} then true else ${this.#wrongs()})`,
      `(if ${test} then ${this.#wrongs()} else true)`,
    ])
  }

  #fact(): string {
    const draw = this.#draw
    const path = draw.one(this.#paths.filter(({ needs }) => needs.length === 0))
    const names = [...fieldsOf(path.type, this.#schema).keys(), 'none']
    const has = `${path.text} has ${JSON.stringify(draw.one(names))}`
    const someone = draw.one(['principal', 'resource'])
    const type = draw.one([this.#principal, this.#resource, this.#entityType()])
    return draw.one([
      has,
      `${has} && ${has}`,
      `${someone} is ${type}`,
      `${someone} is ${type} in ${this.#ref(this.#entityType())}`,
      `${someone} in ${this.#ref(type)}`,
      `${someone} in [${this.#ref(type)}]`,
      `${someone} ${draw.one(['==', '!='])} ${this.#ref(type)}`,
      `${draw.one(['1', '"a"', 'true'])} ${draw.one(['==', '!='])} ${draw.one(['1', '"a"', 'true'])}`,
      `${someone}.hasTag("k")`,
      this.#actionTest(),
    ])
  }

  #recordTest(depth: number): string {
    const records = this.#paths.filter(
      ({ type, needs }) => type.kind === 'record' && needs.every((one) => this.#known.includes(one)),
    )
    const { text, type } = this.#draw.one(records.length === 0 ? this.#paths.slice(0, 1) : records)
    return `(${text} == ${this.#make(type, depth)})`
  }

  #extensionTest(depth: number): string {
    const address = (): string => this.#write({ kind: 'extension', type: 'ipaddr' }, depth)
    const decimal = (): string => this.#write({ kind: 'extension', type: 'decimal' }, depth)
    const more = this.#draw.chance(10) ? address() : ''
    return this.#draw.one([
      () => `${address()}.${this.#draw.one(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}(${more})`,
      () => `${address()}.isInRange(${address()})`,
      () =>
        `${decimal()}.${this.#draw.one(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(${decimal()})`,
    ])()
  }
}

function ref({ type, id }: EntityRef): string {
  return `${type}::${JSON.stringify(id)}`
}
