import { Fault } from '#base/fault.ts'

/** What cannot be carried to the API of a provider, or back, without becoming something else. `what` holds our own words. */
export function apiUnsupported(what: string): Fault {
  return new Fault(
    'api.unsupported',
    { field: what },
    { say: `${what} cannot be carried between this API and that of the provider.` },
  )
}
