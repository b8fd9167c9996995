import fs from 'node:fs'
import path from 'node:path'

export const ROOT = path.dirname(import.meta.dirname)

const LEFT_OUT = new Set(['node_modules', '.git', '.gatehouse', 'coverage', 'peers', '.install.lock'])

/** Every file of the project below `folders`, relative to the root, in a fixed order; nothing installed or made. */
export function listFiles(folders: readonly string[] = ['.'], root: string = ROOT): string[] {
  const found: string[] = []
  const walk = (folder: string): void => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      if (LEFT_OUT.has(entry.name)) continue
      const place = path.join(folder, entry.name)
      if (entry.isDirectory()) walk(place)
      else if (entry.isFile()) found.push(place)
    }
  }
  for (const folder of folders) if (fs.existsSync(path.join(root, folder))) walk(folder)
  return found.toSorted()
}

export function readText(file: string, root: string = ROOT): string {
  return fs.readFileSync(path.join(root, file), 'utf8')
}
