import { runCli } from '#faces/cli/run.ts'
import type { World } from '#faces/cli/world.ts'
import { Fault } from '#base/fault.ts'
import { StillClock } from './door_parts.ts'
import { ROOT } from './gatehouse_process.ts'

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** A world without doors: what needs one is refused as it would be beside another process. */
export function worldWithout(parts: Partial<World> = {}): World {
  const locked = async () => Promise.reject(new Fault('home.locked'))
  return {
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    isTty: false,
    env: {},
    cwd: ROOT,
    project: ROOT,
    version: '9.9.9',
    clock: new StillClock(),
    onStop: () => undefined,
    startDoor: locked,
    openDoor: locked,
    startWitness: async () => Promise.reject(new Fault('config.invalid')),
    readConfig: async () => Promise.reject(new Fault('config.invalid')),
    checkConfig: async () => Promise.reject(new Fault('config.invalid')),
    ...parts,
  }
}

/** Runs a command line in this process and gives what it printed. */
export async function run(line: string, parts: Partial<World> = {}): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  const world = worldWithout({
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    ...parts,
  })
  const exit = await runCli(
    line.split(' ').filter((word) => word !== ''),
    world,
  )
  return { exit, stdout, stderr }
}
