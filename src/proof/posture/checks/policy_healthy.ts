import { fail, ok, unknown, type Check } from '../check.ts'

const SHOWN_OF_HASH = 12

export const policyHealthy: Check = {
  id: 'policy-healthy',
  title: 'Policy set',
  why: 'A set that does not parse never means "no policy": the last good one holds, or everything is refused.',
  run: ({ policy }) => {
    if (policy === undefined)
      return unknown('no policy folder could be read', 'Start the door once: npm start')
    const problems = `${policy.problems} problems in the files`
    if (policy.state === 'none') {
      return fail(
        `no valid set is loaded, everything is refused; ${problems}`,
        'Run gatehouse policy check, mend the files, then start the door again',
      )
    }
    if (policy.state === 'degraded') {
      return fail(
        `the last good set is in force, not the files; ${problems}`,
        'Run gatehouse policy check, mend the files, then gatehouse policy apply',
      )
    }
    return ok(policy.set === undefined ? 'in force' : `in force, set ${policy.set.slice(0, SHOWN_OF_HASH)}`)
  },
}
