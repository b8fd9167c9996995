import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeHome, startDoor, temporaryHome } from '../support/gatehouse_process.ts'
import { matches, parseScript, runScript } from './script.ts'

/** Scripts in whose names it stands run beside an open door. */
const WITH_DOOR = 'running'

for (const name of readdirSync(import.meta.dirname).filter((file) => file.endsWith('.txt'))) {
  test(`gatehouse does what the script says: ${name}`, async () => {
    const steps = parseScript(readFileSync(join(import.meta.dirname, name), 'utf8'))
    assert.ok(steps.length > 0, 'a script without commands tests nothing')
    const home = await temporaryHome()
    const door = name.includes(WITH_DOOR) ? await startDoor(home) : undefined
    try {
      await runScript(steps, home, { HOME: home, DOOR: door?.door ?? '' })
    } finally {
      await door?.stop()
      await removeHome(home)
    }
  })
}

const PATTERNS: readonly (readonly [why: string, pattern: string, text: string, expected: boolean])[] = [
  ['the same', 'a\nb', 'a\nb', true],
  ['a part of a line', 'a … c', 'a b c', true],
  ['… does not cross lines', 'a … c', 'a b\nc', false],
  ['… alone is any lines', 'a\n…\nc', 'a\nb\nb\nc', true],
  ['… alone may be no line', 'a\n…\nc', 'a\nc', true],
  ['… at the end', 'a\n…', 'a\nb\nc', true],
  ['special characters are plain', 'a.b (c)', 'a.b (c)', true],
  ['special characters are not patterns', 'a.b', 'axb', false],
  ['something more', 'a', 'a\nb', false],
]
for (const [why, pattern, text, expected] of PATTERNS) {
  test(`matches is right: ${why}`, () => assert.equal(matches(pattern, text), expected))
}
