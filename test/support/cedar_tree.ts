/**
 * The tree of a policy without places, and chains of one operator flat: the JSON form of Cedar nests these in pairs, and
 * they mean the same.
 */
export function bareTree(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`
  if (value instanceof Map)
    return [...value]
      .map(([name, inner]) => [String(name), bareTree(inner)])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  if (Array.isArray(value)) return value.map(bareTree)
  if (typeof value !== 'object' || value === null) return value
  const bare = Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'at')
      .map(([name, inner]) => [name, bareTree(inner)]),
  )
  return flat(bare)
}

interface Bare {
  readonly kind?: unknown
  readonly operands?: unknown
  readonly first?: unknown
  readonly rest?: unknown
}

function flat(bare: Bare): unknown {
  if ((bare.kind === 'and' || bare.kind === 'or') && Array.isArray(bare.operands)) {
    const operands = bare.operands.flatMap((one: Bare) => (one.kind === bare.kind ? one.operands : [one]))
    return { kind: bare.kind, operands }
  }
  const first = bare.first as Bare | undefined
  if (bare.kind !== 'arithmetic' || first?.kind !== 'arithmetic') return bare
  return { kind: 'arithmetic', first: first.first, rest: [first.rest, bare.rest].flat() }
}
