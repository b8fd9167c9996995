import type { World } from './world.ts'

const CODES = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 } as const

export type Paint = (color: keyof typeof CODES, text: string) => string

/** Colours a text on a terminal, and leaves it alone elsewhere or when NO_COLOR (no-color.org) is set. */
export function painter(world: Pick<World, 'isTty' | 'env'>): Paint {
  const isPlain = !world.isTty || (world.env['NO_COLOR'] ?? '') !== '' || world.env['TERM'] === 'dumb'
  return (color, text) => (isPlain ? text : `\u001B[${CODES[color]}m${text}\u001B[0m`)
}
