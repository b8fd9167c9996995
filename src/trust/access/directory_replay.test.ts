import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { DirectoryScene } from '../../../test/support/directory_scene.ts'
import type { Change, Directory, KnownCaller } from './directory.ts'
import type { RecordedChange } from './recorded_change.ts'

/** What an older database has: Ann is in `lab`, which stands in `staff`; both she and `staff` have roles. */
function scene(t: ConstructorParameters<typeof DirectoryScene>[0]): DirectoryScene {
  const older = new DirectoryScene(t)
  const { directory } = older
  const [staff, lab] = [older.group('staff'), older.group('lab')]
  directory.nest(lab, staff).make()
  directory.giveRole(staff, 'reader').make()
  const ann = older.user('ann')
  directory.addMembers(lab, [ann]).make()
  directory.giveRole(ann, 'author').make()
  older.space('research', 'default')
  directory.setLimits({ type: 'Group', id: 'staff' }, { requests_per_day: 100 }).make()
  older.callers.createKey({ name: 'batch', createdBy: 'test' })
  return older
}

const ann = (directory: Directory): KnownCaller => directory.find('ann') ?? assert.fail()
const group = (directory: Directory, name: string) => directory.findGroup(name) ?? assert.fail()

/** The records that a change would have put into the ledger. */
function recorded(change: Change<unknown>, isMade: boolean): readonly RecordedChange[] {
  return change.records.map(({ what, fields }) => ({ what, at: 7, kid: undefined, values: fields, isMade }))
}

function entry(what: string, values: JsonObject, isMade = true): RecordedChange {
  return { what, at: 7, kid: undefined, values, isMade }
}

type Row = readonly [
  why: string,
  changes: (directory: Directory) => readonly RecordedChange[],
  seen: (directory: Directory) => unknown,
  expected: unknown,
]

const ROWS: readonly Row[] = [
  [
    'a membership that was taken, though it is not certain',
    (directory) => recorded(directory.removeMembers(group(directory, 'lab'), [ann(directory)]), false),
    (directory) => group(directory, 'lab').members.size,
    0,
  ],
  [
    'a membership that was taken and given again',
    (directory) => [
      ...recorded(directory.removeMembers(group(directory, 'lab'), [ann(directory)]), true),
      entry('group:add', { group_id: group(directory, 'lab').id, caller_ids: [ann(directory).id] }),
    ],
    (directory) => group(directory, 'lab').members.size,
    1,
  ],
  [
    'a membership that was taken; that it was given again is not certain',
    (directory) => [
      ...recorded(directory.removeMembers(group(directory, 'lab'), [ann(directory)]), true),
      entry('group:add', { group_id: group(directory, 'lab').id, caller_ids: [ann(directory).id] }, false),
    ],
    (directory) => group(directory, 'lab').members.size,
    0,
  ],
  [
    'a membership that was given',
    (directory) => recorded(directory.addMembers(group(directory, 'staff'), [ann(directory)]), true),
    (directory) => group(directory, 'staff').members.size,
    0,
  ],
  [
    'a role that was taken',
    (directory) => recorded(directory.takeRole(ann(directory), 'author'), false),
    (directory) => ann(directory).roles.size,
    0,
  ],
  [
    'a role of a group that was taken and given again',
    (directory) => [
      ...recorded(directory.takeRole(group(directory, 'staff'), 'reader'), true),
      ...recorded(directory.giveRole(group(directory, 'staff'), 'reader'), true),
    ],
    (directory) => group(directory, 'staff').roles.size,
    1,
  ],
  [
    'a group that was taken out of another',
    (directory) => recorded(directory.nest(group(directory, 'lab'), undefined), false),
    (directory) => group(directory, 'lab').parent,
    undefined,
  ],
  [
    'a group that was deleted',
    (directory) => recorded(directory.deleteGroup(group(directory, 'lab')), true),
    (directory) => [directory.findGroup('lab'), ann(directory).groups.size],
    [undefined, 0],
  ],
  [
    'a group that got another name',
    (directory) => recorded(directory.changeGroup(group(directory, 'lab'), { display: 'old lab' }), true),
    (directory) => [directory.findGroup('lab'), group(directory, 'old-lab').members.size],
    [undefined, 1],
  ],
  [
    'groups that changed names among each other',
    (directory) => [
      entry('group:change', { group_id: group(directory, 'lab').id, name_after: 'staff', display: 'staff' }),
      entry('group:change', { group_id: group(directory, 'staff').id, name_after: 'lab', display: 'lab' }),
    ],
    (directory) => [group(directory, 'staff').members.size, group(directory, 'lab').members.size],
    [1, 0],
  ],
  [
    'a space that no longer inherits',
    (directory) => {
      const space = directory.findSpace('research') ?? assert.fail()
      return recorded(directory.changeSpace(space, { inherits: false }), false)
    },
    (directory) => directory.findSpace('research')?.inherits,
    false,
  ],
  [
    'a caller that was moved to a space that is here',
    (directory) => recorded(directory.setSpace(ann(directory), 'research'), true),
    (directory) => [ann(directory).space.name, ann(directory).disabledAt],
    ['research', undefined],
  ],
  [
    'a caller that was moved to a space that is not here',
    (directory) => [entry('caller:space', { caller_id: ann(directory).id, space: 'gone' })],
    (directory) => [ann(directory).space.name, ann(directory).disabledAt !== undefined],
    ['default', true],
  ],
  [
    'a move that is not certain',
    (directory) => recorded(directory.setSpace(ann(directory), 'research'), false),
    (directory) => ann(directory).space.name,
    'default',
  ],
  [
    'a caller that was deleted',
    (directory) => recorded(directory.deleteCaller(ann(directory)), true),
    (directory) => directory.find('ann'),
    undefined,
  ],
  [
    'a caller that was to be deleted, which is not certain',
    (directory) => recorded(directory.deleteCaller(ann(directory)), false),
    (directory) => ann(directory).disabledAt !== undefined,
    true,
  ],
  [
    'a user who got another name',
    (directory) => recorded(directory.changeUser(ann(directory), { name: 'anna' }), true),
    (directory) => [directory.find('ann'), directory.find('anna')?.groups.size],
    [undefined, 1],
  ],
  [
    'a user who got the name of one who is here now',
    (directory) => [entry('caller:change', { caller_id: ann(directory).id, name_after: 'batch' })],
    (directory) =>
      directory.listCallers({ start: 0, count: 9 }).items.map(({ disabledAt }) => disabledAt !== undefined),
    [true, false],
  ],
  [
    'limits that were lowered',
    (directory) =>
      recorded(directory.setLimits({ type: 'Group', id: 'staff' }, { requests_per_day: 10 }), true),
    (directory) => group(directory, 'staff').limits,
    { requests_per_day: 10 },
  ],
  [
    'a user who was made and disabled since',
    () => [entry('caller:disable', { name: 'new', caller_id: 'new0000000000001', caller_kind: 'User' })],
    (directory) => [directory.find('new')?.id, directory.find('new')?.disabledAt],
    ['new0000000000001', 7],
  ],
  [
    'a service that was made and disabled since: without its keys it is nobody',
    () => [entry('caller:disable', { name: 'new', caller_id: 'new0000000000001', caller_kind: 'Service' })],
    (directory) => directory.find('new'),
    undefined,
  ],
  [
    'what nobody knows',
    () => [
      entry('group:remove', { group_id: 'none', caller_ids: ['none'] }),
      entry('role:take', { holder_id: 'none', role: 'reader' }),
      entry('space:change', { space: 'none', inherits: false }),
      entry('limits:set', { of_type: 'Rocket', of: 'x', of_id: 'y', limits: null }),
      entry('caller:delete', { name: 'none', caller_id: 'none' }),
    ],
    (directory) => [ann(directory).groups.size, ann(directory).roles.size],
    [1, 1],
  ],
]

for (const [why, changes, seen, expected] of ROWS)
  test(`replay takes away what was taken away: ${why}`, (t) => {
    const older = scene(t)
    const all = changes(older.directory)
    older.callers.replay(all)
    for (const { directory } of [older.callers, older.again()]) assert.deepEqual(seen(directory), expected)
    assert.equal(older.callers.replay(all).made, 0, 'twice is once')
  })
