/** Groups of nodes that reach each other (Tarjan 1972), each in the order of one walk around it. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const walk = {
    edges,
    order: new Map<string, number>(),
    low: new Map<string, number>(),
    stack: [],
    cycles: [],
  }
  for (const node of edges.keys()) if (!walk.order.has(node)) visit(walk, node)
  return walk.cycles
}

interface Walk {
  readonly edges: ReadonlyMap<string, readonly string[]>
  readonly order: Map<string, number>
  readonly low: Map<string, number>
  readonly stack: string[]
  readonly cycles: string[][]
}

function visit(walk: Walk, node: string): void {
  const order = walk.order.size
  walk.order.set(node, order)
  walk.low.set(node, order)
  walk.stack.push(node)
  const next = walk.edges.get(node) ?? []
  for (const other of next) {
    if (!walk.order.has(other)) visit(walk, other)
    if (walk.stack.includes(other)) walk.low.set(node, Math.min(lowOf(walk, node), lowOf(walk, other)))
  }
  if (lowOf(walk, node) !== order) return
  const group = walk.stack.splice(walk.stack.indexOf(node))
  if (group.length > 1 || next.includes(node)) walk.cycles.push(group)
}

function lowOf(walk: Walk, node: string): number {
  return walk.low.get(node) ?? 0
}
