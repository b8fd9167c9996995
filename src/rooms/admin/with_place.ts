import { Fault } from '#base/fault.ts'
import { placeOf } from '#trust/ledger/place_of.ts'

/** Tells an operator where the ledger is damaged; anybody else hears only that it is. Throws as the work does. */
export async function withPlace<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'ledger.corrupt') throw thrown
    const { place, what } = placeOf(thrown)
    throw new Fault('ledger.corrupt', thrown.detail, { say: `${place}: ${what}.`, cause: thrown })
  }
}
