import { fail, ok, unknown, warn, type Check } from '../check.ts'

export const workersServing: Check = {
  id: 'workers-serving',
  title: 'Workers',
  why: 'A worker that ends again and again serves less, and each time leaves requests whose outcome nobody knows.',
  run: ({ workers }) => {
    if (workers === undefined) return unknown('only a running door tells', 'Start it: npm start')
    if (workers.length === 0) return ok('one process serves, and needs no others')
    const given = workers.filter(({ state }) => state === 'given up').map(({ number }) => number)
    if (given.length > 0)
      return fail(
        `worker ${given.join(', ')} of ${workers.length} ended so often that it is not started any more`,
        'See what the door printed and the notes "worker:end" (gatehouse ledger tail), then start the door again',
      )
    const missing = workers.filter(({ state }) => state !== 'serving').length
    if (missing > 0)
      return warn(`${missing} of ${workers.length} workers are starting`, 'Look again in a minute')
    const restarts = workers.reduce((sum, one) => sum + one.restarts, 0)
    if (restarts === 0) return ok(`${workers.length} workers serve`)
    return warn(
      `${workers.length} workers serve, which had to be started again ${restarts} times`,
      'Find out why: gatehouse ledger tail --lines 1000 | grep worker:end',
    )
  },
}
