import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { readPolicyFiles } from './read_policies.ts'

const ANY = 'permit (principal, action, resource);'

suite('readPolicyFiles', () => {
  test('readPolicyFiles tells the file and the line of what is wrong, in the order of the files', () => {
    const { problems } = readPolicyFiles([
      { name: 'a.cedar', text: `${ANY}\n\n  permit (principal == ?principal, action, resource);\n${ANY}` },
      { name: 'b.cedar', text: `@id("x")\n${ANY}\n@id("x")\n${ANY}\n` },
      { name: 'c.cedar', text: `// nothing\n@id("x") ${ANY}\n@id ${ANY}\n@id(" x") ${ANY}` },
    ])
    assert.deepEqual(
      problems.map(({ file, line, column }) => [file, line, column]),
      [
        ['a.cedar', 3, 3],
        ['b.cedar', 3, 1],
        ['c.cedar', 2, 1],
        ['c.cedar', 3, 1],
        ['c.cedar', 4, 1],
      ],
    )
    assert.match(problems[2]?.message ?? '', /taken by a policy in b\.cedar/)
  })

  test('readPolicyFiles tells a bounded number of problems, whatever they are', () => {
    const template = 'permit (principal == ?principal, action, resource);'
    const file = (name: string): { name: string; text: string } => ({
      name,
      text: `${template}\n`.repeat(LIMITS.policyProblems),
    })
    const { problems } = readPolicyFiles([file('a.cedar'), file('b.cedar')])
    assert.equal(problems.length, LIMITS.policyProblems)
    assert.ok(problems.every((problem) => problem.file === 'a.cedar'))
  })

  test('readPolicyFiles names policies by @id, and else by their file and number', () => {
    const { policies, problems } = readPolicyFiles([
      { name: 'a.cedar', text: `${ANY} @id("${'x'.repeat(128)}") ${ANY} ${ANY}` },
      { name: 'b.cedar', text: ANY },
    ])
    assert.deepEqual(problems, [])
    assert.deepEqual(
      policies.map(({ id }) => id),
      ['a.cedar#1', 'x'.repeat(128), 'a.cedar#3', 'b.cedar#1'],
    )
    const long = readPolicyFiles([{ name: 'a.cedar', text: `@id("${'x'.repeat(129)}") ${ANY}` }])
    assert.equal(long.problems.length, 1)
  })
})
