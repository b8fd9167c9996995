import { join } from 'node:path'
import type { World } from './world.ts'

/** The home when none is named: beside package.json, so that a clone needs no other folder. */
export function defaultHome({ project }: Pick<World, 'project'>): string {
  return join(project, '.gatehouse')
}
