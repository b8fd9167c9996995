import { ok, unknown, type Check } from '../check.ts'

export const doorRunning: Check = {
  id: 'door-running',
  title: 'Door',
  why: 'What a stopped door would do is not known.',
  run: ({ door }) => {
    if (door === undefined || !door.isRunning) return unknown('it is not running', 'Start it: npm start')
    return ok(door.pid === undefined ? 'running' : `running as process ${door.pid}`)
  },
}
