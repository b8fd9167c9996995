import { fail, ok, unknown, warn, type Check } from '../check.ts'

const OTHERS = 0o077

export const keyFileModes: Check = {
  id: 'key-file-modes',
  title: 'Key files',
  why: 'Keys in files are as safe as the disk and its backups; fit for development.',
  run: ({ home }) => {
    if (home === undefined) return unknown('there is no home folder yet', 'Start the door once: npm start')
    const open = home.keyFiles.filter(({ mode }) => (mode & OTHERS) !== 0)
    if (open.length > 0) {
      const names = open.map(({ name }) => name).join(', ')
      return fail(
        `other users may read ${names}`,
        `Close them: chmod 600 ${home.path}/keys/*, then rotate the keys`,
      )
    }
    if (home.keyFiles.length === 0) return ok('no keys are kept in files')
    return warn(
      `${home.keyFiles.length} keys are kept in files (mode 0600): for development only`,
      'Keep the home on an encrypted disk and out of copies that are not encrypted (gatehouse backup encrypts); key stores outside files come with a later version',
    )
  },
}
