import { readSchema } from '#trust/cedar/read_schema.ts'
import { Draw } from './cedar_cases.ts'
import { makeSchema } from './cedar_random_schema.ts'
import { TypedWriter } from './cedar_typed_writer.ts'

/** A random schema, and policies of which about half are well typed by it. */
export interface TypedCase {
  readonly schema: string
  readonly policies: readonly string[]
}

/** The case follows from the seed and the schema alone; without a schema one is made. */
export function makeTypedCase(seed: number, count: number, schema?: string): TypedCase {
  const draw = new Draw(seed)
  const text = schema ?? makeSchema(draw)
  const read = readSchema(text)
  return { schema: text, policies: Array.from({ length: count }, () => new TypedWriter(draw, read).policy()) }
}
