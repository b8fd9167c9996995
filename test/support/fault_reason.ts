import { Fault } from '#base/fault.ts'

/** The `reason` in the detail of the fault that the work ends with, or `none`. */
export function reasonOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    const { reason } = thrown.detail
    return typeof reason === 'string' ? reason : thrown.code
  }
}
