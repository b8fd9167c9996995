import fs from 'node:fs'
import path from 'node:path'

const PLACES = [
  process.env['GATEHOUSE_FIXTURES'],
  path.resolve(import.meta.dirname, '../../../shared/fixtures'),
]

/** Why a test that needs such a set is skipped. */
export const NO_CORPUS = 'its public test data is not on this machine (GATEHOUSE_FIXTURES)'

/** The folder of one set of public test data; undefined, said aloud, where the set is not on this machine. */
export function fixtureFolder(name: string): string | undefined {
  const folders = PLACES.filter((place) => place !== undefined).map((place) => path.join(place, name))
  const found = folders.find((folder) => fs.existsSync(folder))
  if (found === undefined)
    console.warn(`SKIPPED: no fixtures "${name}" in ${folders.join(' or ')}; set GATEHOUSE_FIXTURES`)
  return found
}
