import { fail, ok, unknown, warn, type Check } from '../check.ts'

export const issuersReadable: Check = {
  id: 'issuers-readable',
  title: 'Keys of issuers',
  why: 'Without the keys of an identity provider its tokens are refused; old ones count for a day at most.',
  run: ({ issuers }) => {
    if (issuers === undefined) return unknown('no running door was asked', 'Start the door with npm start')
    const without = issuers.filter(({ state }) => state === 'none')
    if (without.length > 0)
      return fail(
        `no keys of ${without.map(sayProblem).join('; ')}`,
        'See that the issuer can be reached from here, and check its part of gatehouse.yaml',
      )
    const troubled = issuers.filter(({ problems }) => problems.length > 0)
    if (troubled.length > 0)
      return warn(
        troubled.map(sayProblem).join('; '),
        'See that the issuer can be reached from here, and what it publishes',
      )
    const waiting = issuers.filter(({ state }) => state === 'waiting').length
    if (waiting > 0) return unknown(`${waiting} issuers have not been asked yet`, 'Ask again in some seconds')
    return ok(issuers.length === 0 ? 'none is configured' : `read from ${issuers.length} issuers`)
  },
}

function sayProblem({
  name,
  problems,
}: {
  readonly name: string
  readonly problems: readonly string[]
}): string {
  const [first = 'not read yet'] = problems
  return `${name} (${first})`
}
