/** What a route to models does, in the words of OpenTelemetry's conventions; a route that is none of them by its own name. */
export function operationOf(route: string): string {
  return OPERATIONS.get(route) ?? route
}

const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['responses', 'chat'],
  ['messages', 'chat'],
])
