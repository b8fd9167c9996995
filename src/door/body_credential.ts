import type { Credential, Possession } from '#trust/access/caller.ts'
import { NO_POSSESSION, type Incoming } from './route.ts'
import type { StrangerForms } from './stranger_forms.ts'

/** A request whose credential stood in its body, which is held until `release`. */
export interface FormIncoming {
  readonly incoming: Incoming
  readonly release: () => void
}

/**
 * Reads the body of a request whose headers prove nobody, because its credential stands in there: no more than a small form,
 * for a short time, and in memory of its own, so that strangers take nothing from callers. Gives the same request as one that
 * has this credential.
 *
 * Rejects with what reading the body does, and with what `credentialIn` throws.
 */
export async function readBodyCredential(
  forms: StrangerForms,
  incoming: Incoming,
  credentialIn: (body: Uint8Array, possession: Possession) => Credential,
): Promise<FormIncoming> {
  const { id, address, params, query, trace, preconditions, possession = NO_POSSESSION } = incoming
  const memory = forms.open(address)
  try {
    const bytes = await incoming.body(memory)
    const credential = credentialIn(bytes, possession)
    const body: Incoming['body'] = async (holding) => {
      holding.claim(bytes.length)
      return Promise.resolve(bytes)
    }
    const onAbort = (listener: () => void): void => incoming.onAbort(listener)
    const onEnd = (listener: () => void): void => incoming.onEnd(listener)
    return {
      incoming: {
        id,
        credential,
        possession,
        address,
        params,
        query,
        trace,
        preconditions,
        body,
        onAbort,
        onEnd,
      },
      release: () => memory.release(),
    }
  } catch (thrown) {
    memory.release()
    throw thrown
  }
}
