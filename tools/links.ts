import fs from 'node:fs'
import path from 'node:path'
import { listFiles, readText, ROOT } from './files.ts'

/** Links of a Markdown text, without those in code; web addresses are left alone, because a check must not need a network. */
export function findLinks(markdown: string): string[] {
  const text = markdown.replaceAll(/^(```+|~~~+)[\s\S]*?^\1\s*$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
  const reference = [...text.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)]
  return [...inline, ...reference]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z][a-z+.-]*:/.test(link))
}

/** The anchors that headings of a Markdown text get. */
export function findAnchors(markdown: string): Set<string> {
  const text = markdown.replaceAll(/^(```+|~~~+)[\s\S]*?^\1\s*$/gm, '')
  const seen = new Map<string, number>()
  const anchors = [...text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) => {
    const plain = (match[1] ?? '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
  return new Set(anchors)
}

/** Links of the given Markdown files that lead nowhere. */
export function checkLinks(files: readonly string[], root: string = ROOT): string[] {
  return files.flatMap((file) =>
    findLinks(readText(file, root))
      .filter((link) => !isThere(file, link, root))
      .map((link) => `${file}: ${link} leads nowhere`),
  )
}

function isThere(file: string, link: string, root: string): boolean {
  const [place = '', anchor] = link.split('#', 2)
  const target = place === '' ? file : path.join(path.dirname(file), decodeURIComponent(place))
  if (target.startsWith('..') || !fs.existsSync(path.join(root, target))) return false
  return anchor === undefined || !target.endsWith('.md') || findAnchors(readText(target, root)).has(anchor)
}

if (import.meta.main) {
  const wrong = checkLinks(listFiles().filter((file) => file.endsWith('.md')))
  for (const line of wrong) console.error(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
