import { Sealed } from '#base/sealed.ts'
import type { Credential, Possession } from '#trust/access/caller.ts'
import type { SentCredential, SentPossession } from './messages.ts'

/** A credential on its way to the writer. What only a process of its own may bring comes to it as none. */
export function sendCredential(credential: Credential): SentCredential {
  switch (credential.kind) {
    case 'bearer':
      return { kind: 'bearer', token: textOf(credential.token) }
    case 'presented': {
      const tokens = credential.tokens.map(({ scheme, token, owner }) => ({
        scheme,
        token: textOf(token),
        owner,
      }))
      return { kind: 'presented', tokens, ...sendPossession(credential) }
    }
    case 'malformed':
      return { kind: 'malformed' }
    case 'none':
    case 'subject':
    case 'socket':
    case 'system':
      return { kind: 'none' }
  }
}

/** Takes nothing but what a request may bring: no worker speaks for the owner of the home. */
export function receiveCredential(sent: SentCredential): Credential {
  switch (sent.kind) {
    case 'bearer':
      return { kind: 'bearer', token: new Sealed(sent.token) }
    case 'presented': {
      const tokens = sent.tokens.map(({ scheme, token, owner }) => ({
        scheme,
        token: new Sealed(token),
        ...(owner === undefined ? {} : { owner }),
      }))
      return { kind: 'presented', tokens, ...receivePossession(sent) }
    }
    case 'malformed':
      return { kind: 'malformed' }
    case 'none':
      return { kind: 'none' }
  }
}

export function sendPossession({ proof, certificate }: Possession): SentPossession {
  if (proof === undefined) return { certificate }
  const { jwt, method, url } = proof
  return { proof: { jwt: textOf(jwt), method, url }, certificate }
}

export function receivePossession({ proof, certificate }: SentPossession): Possession {
  return {
    proof: proof && { jwt: new Sealed(proof.jwt), method: proof.method, url: proof.url },
    certificate,
  }
}

/** It leaves this process only for the one that started it. */
function textOf(secret: Sealed): string {
  return secret.open((text) => text)
}
