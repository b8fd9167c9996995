import type { SpaceRow } from '#rooms/admin/answers.ts'

/** A space in one sentence. */
export function spaceLine({ name, tenant, parent, inherits }: SpaceRow): string {
  const above = parent === null ? '' : inherits ? `, and inherits from ${parent}` : `, under ${parent}`
  return `Space ${name} belongs to tenant ${tenant}${above}.`
}
