/** Draws facts under each other, each beside its name; one that is empty as a dash. */
export function drawFacts(facts: readonly (readonly [name: string, fact: string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, fact]) => `${name.padEnd(width)}  ${fact === '' ? '-' : fact}`).join('\n')
}
