/** A random Cedar question with its policies, made from a seed alone. Numbers outside of policy text stay within 2^53. */
export interface CedarCase {
  readonly policies: readonly string[]
  readonly entities: readonly JsonEntity[]
  readonly principal: JsonRef
  readonly action: JsonRef
  readonly resource: JsonRef
  readonly context: Readonly<Record<string, JsonValue>>
}

export interface JsonRef {
  readonly type: string
  readonly id: string
}

export type JsonValue =
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

export interface JsonEntity {
  readonly uid: JsonRef
  readonly attrs: Readonly<Record<string, JsonValue>>
  readonly parents: readonly JsonRef[]
  readonly tags: Readonly<Record<string, JsonValue>>
}

/** Draws from one seed (mulberry32): the same seed gives the same draws on every machine. */
export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }

  one<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new RangeError('nothing to draw from')
    return found
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  some<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.below(max + 1) }, make)
  }
}

type Kind = 'truth' | 'integer' | 'text' | 'entity' | 'set' | 'record' | Extension
type Extension = 'decimal' | 'ip' | 'datetime' | 'duration'

const EXTENSIONS: readonly Extension[] = ['decimal', 'ip', 'datetime', 'duration']
const KINDS: readonly Kind[] = ['truth', 'integer', 'text', 'entity', 'set', 'record', ...EXTENSIONS]
const TYPES = ['User', 'Group', 'Doc', 'Gate::Doc']
const IDS = ['a', 'b', 'c', '*', 'a"b\\']
/** The kind of value that an attribute or a tag of this name has, most of the time. */
const ATTRIBUTES: Readonly<Record<string, Kind>> = {
  on: 'truth',
  size: 'integer',
  name: 'text',
  owner: 'entity',
  labels: 'set',
  more: 'record',
  price: 'decimal',
  from: 'ip',
  at: 'datetime',
  ttl: 'duration',
  'odd name': 'integer',
}
const NAMES = Object.keys(ATTRIBUTES)
const INTEGERS = ['0', '1', '-1', '2', '3', '10', '-7', '9007199254740991', '-9007199254740991', '4294967296']
const HUGE = ['9007199254740993', '9223372036854775807', '(-9223372036854775808)', '3037000500']
const TEXTS = ['', 'a', 'ab', 'a*b', 'A', 'é', '😀', 'x\ny', '"', '\\', 'abcabc']
const PATTERNS = ['*', 'a*', '*b', 'a*b', '\\*', 'a\\*b', '', '**', '*a*b*', '\\u{61}*', '\\u{1f600}', 'é*']
const WORDS: Readonly<Record<Extension, readonly string[]>> = {
  decimal: [
    '0.0',
    '1.5',
    '-1.5',
    '1.50',
    '922337203685477.5807',
    '-922337203685477.5808',
    '1.23456',
    '1',
    '.5',
    '-0.1',
  ],
  ip: [
    '127.0.0.1',
    '10.0.0.0/8',
    '10.1.2.3',
    '::1',
    'ff00::/8',
    '::',
    '1:2:3:4:5:6:7:8',
    '224.0.0.1/4',
    '1.2.3',
    '01.2.3.4',
    '::1/129',
    '::ffff:1.2.3.4',
    '0.0.0.0/0',
  ],
  datetime: [
    '1970-01-01',
    '2024-02-29',
    '2023-02-29',
    '1969-12-31T23:59:59.999Z',
    '2024-10-15T11:35:00+0100',
    '0000-01-01',
    '9999-12-31T23:59:59Z',
    '2024-01-01T24:00:00Z',
    '2024-1-1',
    '1960-05-05T00:00:00.000-2359',
  ],
  duration: [
    '0ms',
    '1d2h3m4s5ms',
    '-1h',
    '36h',
    '9223372036854775807ms',
    '-9223372036854775808ms',
    '9223372036854775808ms',
    '1s1d',
    '',
    '-',
    '90m',
    '106751991168d',
  ],
}
const DEPTH = 4
const ILL_TYPED_PERCENT = 6

export function makeCase(seed: number): CedarCase {
  const draw = new Draw(seed)
  const writer = new PolicyWriter(draw)
  const entities = makeEntities(draw)
  const someone = (): JsonRef =>
    draw.chance(80) && entities.length > 0 ? draw.one(entities).uid : makeRef(draw)
  return {
    policies: Array.from({ length: 1 + draw.below(4) }, () => writer.policy()),
    entities,
    principal: someone(),
    action: { type: 'Action', id: draw.one(['read', 'write', 'all']) },
    resource: someone(),
    context: makeRecord(draw, 2),
  }
}

function makeRef(draw: Draw): JsonRef {
  return { type: draw.one(TYPES), id: draw.one(IDS) }
}

/** Parents come later in the list, so that there is no circle. */
function makeEntities(draw: Draw): JsonEntity[] {
  const refs = new Map<string, JsonRef>()
  for (const ref of draw.some(7, () => makeRef(draw))) refs.set(`${ref.type} ${ref.id}`, ref)
  const list = [...refs.values()]
  const entities = list.map((uid, index) => ({
    uid,
    attrs: makeRecord(draw, 3),
    parents: list.slice(index + 1).filter(() => draw.chance(30)),
    tags: makeRecord(draw, 1),
  }))
  const group = { type: 'Action', id: 'all' }
  const action = (id: string): JsonEntity => ({
    uid: { type: 'Action', id },
    attrs: {},
    parents: [group],
    tags: {},
  })
  return draw.chance(70)
    ? [...entities, action('read'), { uid: group, attrs: {}, parents: [], tags: {} }]
    : entities
}

function makeRecord(draw: Draw, depth: number): Record<string, JsonValue> {
  const record: Record<string, JsonValue> = {}
  for (const name of NAMES) {
    const kind = draw.chance(95) ? ATTRIBUTES[name] : draw.one(KINDS)
    if (kind !== undefined && draw.chance(60)) record[name] = makeValue(draw, kind, depth)
  }
  return record
}

function makeValue(draw: Draw, kind: Kind, depth: number): JsonValue {
  switch (kind) {
    case 'truth':
      return draw.chance(50)
    case 'integer':
      return Number(draw.one(INTEGERS))
    case 'text':
      return draw.one(TEXTS)
    case 'entity':
      return { __entity: { ...makeRef(draw) } }
    case 'set':
      return draw.some(3, () => makeValue(draw, depth > 0 ? draw.one(KINDS) : 'integer', depth - 1))
    case 'record':
      return depth > 0 ? makeRecord(draw, depth - 1) : {}
    default:
      // Half of the texts say nothing, which is an error of the whole list and nothing to compare.
      return { __extn: { fn: kind, arg: draw.one(WORDS[kind].slice(0, 2)) } }
  }
}

/** Writes random policies that parse; most of their expressions are well typed. */
class PolicyWriter {
  readonly #draw: Draw

  constructor(draw: Draw) {
    this.#draw = draw
  }

  policy(): string {
    const conditions = this.#draw.some(2, () => {
      return ` ${this.#draw.one(['when', 'unless'])} { ${this.#truth(DEPTH)} }`
    })
    const scope = `${this.#scope('principal')}, ${this.#action()}, ${this.#scope('resource')}`
    return `${this.#draw.one(['permit', 'permit', 'forbid'])} (${scope})${conditions.join('')};`
  }

  #scope(variable: string): string {
    const type = this.#draw.one(TYPES)
    const forms = [
      '',
      '',
      '',
      '',
      '',
      '',
      '',
      '',
      ` == ${this.#ref()}`,
      ` in ${this.#ref()}`,
      ` is ${type}`,
      ` is ${type} in ${this.#ref()}`,
    ]
    return variable + this.#draw.one(forms)
  }

  #action(): string {
    const one = (): string => `Action::"${this.#draw.one(['read', 'write', 'all'])}"`
    const list = this.#draw.some(3, one)
    return `action${this.#draw.one(['', '', '', '', ` == ${one()}`, ` in ${one()}`, ` in [${list.join(', ')}]`])}`
  }

  #ref(): string {
    const { type, id } = makeRef(this.#draw)
    return `${type}::${JSON.stringify(id)}`
  }

  #any(depth: number): string {
    return this.#write(this.#draw.one(KINDS), depth)
  }

  #write(kind: Kind, depth: number): string {
    const wanted = this.#draw.chance(ILL_TYPED_PERCENT) ? this.#draw.one(KINDS) : kind
    if (depth > 0 && this.#draw.chance(10))
      return `(if ${this.#truth(depth - 1)} then ${this.#write(wanted, depth - 1)} else ${this.#write(wanted, depth - 1)})`
    if (depth > 0 && this.#draw.chance(25)) return this.#attribute(wanted, depth - 1)
    switch (wanted) {
      case 'truth':
        return `(${this.#truth(depth)})`
      case 'integer':
        return this.#integer(depth)
      case 'text':
        return JSON.stringify(this.#draw.one(TEXTS))
      case 'entity':
        return this.#draw.one(['principal', 'resource', 'action', this.#ref(), this.#ref()])
      case 'set':
        return `[${this.#draw.some(3, () => this.#any(depth - 1)).join(', ')}]`
      case 'record':
        return this.#record(depth)
      default:
        return this.#extension(wanted, depth)
    }
  }

  #record(depth: number): string {
    if (depth <= 0 || this.#draw.chance(30)) return this.#draw.one(['context', '{}'])
    const names = NAMES.filter(() => this.#draw.chance(20))
    return `{${names.map((name) => `${JSON.stringify(name)}: ${this.#write(ATTRIBUTES[name] ?? 'text', depth - 1)}`).join(', ')}}`
  }

  #attribute(kind: Kind, depth: number): string {
    const name = NAMES.find((each) => ATTRIBUTES[each] === kind) ?? 'more'
    const owner = this.#draw.chance(40)
      ? this.#draw.one(['context', 'context.more'])
      : this.#write('entity', depth)
    if (this.#draw.chance(20)) return `${owner}.getTag(${JSON.stringify(name)})`
    return this.#draw.chance(30) || name === 'odd name'
      ? `${owner}[${JSON.stringify(name)}]`
      : `${owner}.${name}`
  }

  #integer(depth: number): string {
    const literal = this.#draw.one([...INTEGERS, ...INTEGERS, ...HUGE])
    if (depth <= 0 || this.#draw.chance(40)) return literal
    const part = (): string => this.#write('integer', depth - 1)
    const method = this.#draw.one(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])
    return this.#draw.one([
      `(${part()} ${this.#draw.one(['+', '-', '*'])} ${part()})`,
      `(${part()} + ${part()} * ${part()} - ${part()})`,
      `-(${part()})`,
      `${this.#write('duration', depth - 1)}.${method}()`,
    ])
  }

  #extension(kind: Extension, depth: number): string {
    const literal = `${kind}(${JSON.stringify(this.#draw.one(WORDS[kind]))})`
    if (depth <= 0 || this.#draw.chance(60)) return literal
    const at = (): string => this.#write('datetime', depth - 1)
    if (kind === 'datetime')
      return this.#draw.one([`${at()}.offset(${this.#write('duration', depth - 1)})`, `${at()}.toDate()`])
    if (kind === 'duration') return this.#draw.one([`${at()}.durationSince(${at()})`, `${at()}.toTime()`])
    return literal
  }

  #truth(depth: number): string {
    if (depth <= 0) return this.#draw.one(['true', 'false', 'context.on', 'principal in resource'])
    const next = depth - 1
    const any = (): string => this.#any(next)
    const test = (): string => this.#truth(next)
    const kind = (): string =>
      this.#write(this.#draw.one(['integer', 'datetime', 'duration', 'integer']), next)
    const forms: (() => string)[] = [
      () => `(${test()}) && (${test()}) && (${test()})`,
      () => `(${test()}) || (${test()})`,
      () => `!(${test()})`,
      () => `${any()} ${this.#draw.one(['==', '!='])} ${any()}`,
      () => this.#sameKinds(next),
      () => `${kind()} ${this.#draw.one(['<', '<=', '>', '>='])} ${kind()}`,
      () =>
        `${this.#write('integer', next)} ${this.#draw.one(['<', '<=', '>', '>='])} ${this.#write('integer', next)}`,
      () =>
        `${this.#write('entity', next)} in ${this.#draw.one([this.#ref(), `[${this.#ref()}, ${this.#write('entity', next)}]`, any()])}`,
      () =>
        `${this.#write('entity', next)} is ${this.#draw.one(TYPES)}${this.#draw.one(['', ` in ${this.#write('entity', next)}`])}`,
      () =>
        `${this.#draw.one(['context', this.#write('entity', next), any()])} has ${this.#draw.one(['size', 'more.size', 'owner.name', '"odd name"'])}`,
      () => `${this.#write('text', next)} like "${this.#draw.one(PATTERNS)}"`,
      () => `${this.#write('set', next)}.${this.#draw.one(['contains', 'contains'])}(${any()})`,
      () =>
        `${this.#write('set', next)}.${this.#draw.one(['containsAll', 'containsAny'])}(${this.#write('set', next)})`,
      () => `${this.#write('set', next)}.isEmpty()`,
      () => `${this.#write('entity', next)}.hasTag(${JSON.stringify(this.#draw.one(NAMES))})`,
      () =>
        `${this.#write('decimal', next)}.${this.#draw.one(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(${this.#write('decimal', next)})`,
      () =>
        `${this.#write('ip', next)}.${this.#draw.one(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`,
      () => `${this.#write('ip', next)}.isInRange(${this.#write('ip', next)})`,
      () => `if ${test()} then ${test()} else ${test()}`,
      () => this.#attribute('truth', next),
    ]
    return this.#draw.one(forms)()
  }

  #sameKinds(depth: number): string {
    const kind = this.#draw.one(KINDS)
    return `${this.#write(kind, depth)} == ${this.#write(kind, depth)}`
  }
}

const TOKENS = (
  '( ) [ ] { } , ; . : :: == = ! - && || @ ? / % permit forbid when unless if then else in is has like true false ' +
  'principal action resource context User __cedar ip contains isEmpty size ?principal ?resource ?other 1 ' +
  '9223372036854775807 9223372036854775808 18446744073709551616 "a" "\\u{1f600}" "\\x41" "\\*" "\\q" "" @id("x") ' +
  '@if //c\n \u00a0 \ufeff \u0085'
).split(' ')
const PIECES = /"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|\d+|::|==|!=|<=|>=|&&|\|\||\s+|./gsu

/** A policy text with a few tokens left out, doubled, changed or put in: most such texts are no policies. */
export function spoilPolicy(text: string, draw: Draw): string {
  const pieces: string[] = [...(text.match(PIECES) ?? [])]
  for (let times = 1 + draw.below(2); times > 0; times--) {
    const at = draw.below(Math.max(1, pieces.length))
    const change = draw.below(4)
    if (change === 0) pieces.splice(at, 1)
    else if (change === 1) pieces.splice(at, 0, ` ${draw.one(TOKENS)} `)
    else if (change === 2) pieces.splice(at, 1, ` ${draw.one(TOKENS)} `)
    else pieces.splice(at, 0, pieces[draw.below(Math.max(1, pieces.length))] ?? '')
  }
  return pieces.join('')
}
