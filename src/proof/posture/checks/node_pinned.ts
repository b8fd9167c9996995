import { ok, unknown, warn, type Check } from '../check.ts'

export const nodePinned: Check = {
  id: 'node-pinned',
  title: 'Node',
  why: 'The version that is tested is the one that is locked.',
  run: ({ node }) => {
    if (node?.pinned === undefined)
      return unknown('the locked version cannot be read', 'Start through ./gatehouse or npm start')
    if (node.version !== node.pinned) {
      return warn(`${node.version} runs, ${node.pinned} is locked`, 'Start through ./gatehouse or npm start')
    }
    return ok(`${node.version}, as locked`)
  },
}
