import { splitVerifierKey } from '#trust/ledger/note.ts'

/** Texts that are, by their form, a credential somebody issued. */
const ISSUED: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*(PRIVATE KEY|CERTIFICATE)/,
  /\bgate_(live|test)_[0-9A-Za-z]/,
  // JWS compact form: two base64url parts that start as JSON objects do.
  /\beyJ[\w-]{8,}\.[\w-]{8,}/,
  /\b(sk|pk|rk)[-_][\w-]{12,}/,
  /\b(AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}\b/,
  /\bAIza[\w-]{30,}/,
  /\b(gh[pousr]_|github_pat_|glpat-|npm_|pypi-|hf_|gsk_|xai-|r8_|xox[abeoprs]-|ya29\.|dop_v1_|shpat_)[\w-]{16,}/,
  /^\s*(Bearer|Basic)\s+\S{8,}/i,
  // Credentials inside a URL (RFC 3986 section 3.2.1).
  /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*:[^/?#\s@]+@/i,
]

/** An unbroken run this long that no word, model name or path has, but random keys do. */
const RANDOM_RUN = /[A-Za-z0-9]{24,}/g
/** Names have their digits together; random keys have them all over. */
const DIGIT_GROUPS = 2
/** How often the kind of character changes: names in CamelCase stay under 0.45, random keys are near 0.6. */
const MANY_CHANGES = 0.5
const SOME_CHANGES = 0.3

/**
 * True for a text that looks like a literal secret: the form of a known issuer, or a long random run. Made for the
 * values of a configuration file, where a false alarm costs a minute and a miss costs a key.
 */
export function looksLikeSecret(text: string): boolean {
  // Public keys of logs and witnesses; their id tells them from everything else.
  if (splitVerifierKey(text) !== undefined) return false
  return ISSUED.some((form) => form.test(text)) || hasRandomRun(text)
}

function hasRandomRun(text: string): boolean {
  // A content digest, as in an image or model reference, is public.
  const runs = text.replaceAll(/\bsha(256|512)[:-][0-9a-f]+/gi, '').match(RANDOM_RUN) ?? []
  return runs.some((run) => {
    const digitGroups = run.match(/\d+/g)?.length ?? 0
    const changes = run.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|\d(?=[A-Za-z])/g)?.length ?? 0
    const rate = changes / run.length
    return rate >= MANY_CHANGES || (rate >= SOME_CHANGES && digitGroups >= DIGIT_GROUPS)
  })
}
