import { Fault } from '#base/fault.ts'

/** `usage.wrong`, with the nearest valid form where there is one. */
export function wrongUsage(sentence: string, near?: string): Fault {
  return new Fault(
    'usage.wrong',
    {},
    { say: near === undefined ? sentence : `${sentence} Did you mean "${near}"?` },
  )
}
