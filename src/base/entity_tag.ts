/** True where a list of entity tags, or `*`, names this one; compared weakly (RFC 9110 section 8.8.3.2). */
export function namesTag(list: string, tag: string): boolean {
  return list.split(',').some((each) => {
    const named = each.trim()
    return named === '*' || opaque(named) === opaque(tag)
  })
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
