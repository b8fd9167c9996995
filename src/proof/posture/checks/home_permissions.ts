import { fail, ok, unknown, type Check } from '../check.ts'

const OTHERS = 0o077

export const homePermissions: Check = {
  id: 'home-permissions',
  title: 'Home folder',
  why: 'The home holds keys, callers and the ledger; whoever can write it is an operator.',
  run: ({ home }) => {
    if (home === undefined) return unknown('there is no home folder yet', 'Start the door once: npm start')
    if (!home.isOwn)
      return fail('it belongs to another user', `Give it to this user: chown -R "$USER" ${home.path}`)
    if ((home.mode & OTHERS) !== 0)
      return fail('other users may enter it', `Close it: chmod 700 ${home.path}`)
    return ok('only this user may enter it')
  },
}
