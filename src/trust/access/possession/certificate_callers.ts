import type { Caller, ClientCertificate, Proven } from '../caller.ts'
import { UNLIMITED } from '../caller_facts.ts'
import type { CallerFacts, Directory } from '../directory.ts'
import { unproven } from '../unproven.ts'

const BY_CERTIFICATE = Object.freeze({
  aal: 1,
  via: 'certificate',
  binding: 'mtls',
  amr: Object.freeze([]),
  acr: undefined,
  authTime: undefined,
} as const)

/** Callers that a certificate proves, as the directory has them at each look. */
export function certificateCallers(
  directory: Pick<Directory, 'find' | 'factsOf'>,
): (name: string, certificate: ClientCertificate) => Proven {
  return (name, { thumbprint }) => {
    let last: { readonly facts: CallerFacts; readonly caller: Caller } | undefined
    const evidence = Object.freeze({ via: 'certificate', certificate: thumbprint })
    const look = (): Caller => {
      const known = directory.find(name)
      if (known === undefined) throw unproven('certificate.unmapped')
      if (known.disabledAt !== undefined) throw unproven('caller.disabled')
      const facts = directory.factsOf(known)
      if (last?.facts === facts) return last.caller
      const { ref, entities, space } = facts
      const caller: Caller = Object.freeze({
        ref,
        entities,
        space,
        scope: UNLIMITED,
        kid: undefined,
        assurance: BY_CERTIFICATE,
        evidence,
      })
      last = { facts, caller }
      return caller
    }
    return { caller: look(), recheck: look }
  }
}
