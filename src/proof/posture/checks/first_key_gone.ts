import { fail, ok, unknown, warn, type Check } from '../check.ts'

const LIFE_MS = 86_400_000

export const firstKeyGone: Check = {
  id: 'first-key-gone',
  title: 'First key',
  why: 'The key of the first start is for trying things; a file with a key should not outlive the trial.',
  run: ({ home, now }) => {
    if (home === undefined) return unknown('there is no home folder yet', 'Start the door once: npm start')
    if (home.firstKeyAt === undefined) return ok('its file is gone')
    const fix = `Make your own key with gatehouse key create, then: rm ${home.path}/first-key`
    if (now - home.firstKeyAt > LIFE_MS)
      return fail('its file is still there although the key has expired', fix)
    return warn('its file is still there', fix)
  },
}
