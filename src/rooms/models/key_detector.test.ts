import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import { HoldBack } from '#door/hold_back.ts'
import { IslandDetectors } from '#door/island_search.ts'
import { UPSTREAM_KEY } from '#door/inspection_actions.ts'
import { keyDetector } from './key_detector.ts'

const KEY = ['sk', 'own', 'Upstream', '4kQ9zT2mX7'].join('-')

test('keyDetector finds the key, and nothing else', () => {
  const { find } = keyDetector(new Sealed(KEY))
  assert.deepEqual(find(`a ${KEY}${KEY}`), [
    { rule: UPSTREAM_KEY, start: 2, end: 2 + KEY.length },
    { rule: UPSTREAM_KEY, start: 2 + KEY.length, end: 2 + 2 * KEY.length },
  ])
  for (const text of ['', KEY.slice(1), KEY.slice(0, -1), KEY.toUpperCase()]) assert.deepEqual(find(text), [])
  assert.deepEqual(keyDetector(new Sealed('')).find('abc'), [])
})

test('a guard with a keyDetector lets no part of the key out, wherever the text is cut', () => {
  const texts = [
    `the key is ${KEY}, so`,
    JSON.stringify({ key: KEY }),
    Buffer.from(`key ${KEY} key`).toString('base64'),
  ]
  const detectors = new IslandDetectors([keyDetector(new Sealed(KEY))])
  for (const text of texts)
    for (let cut = 1; cut < text.length; cut++) {
      const guard = new HoldBack({
        detectors,
        action: () => 'block',
        encoded: 'pass',
      })
      let left = ''
      assert.throws(
        () => {
          left += guard.push(text.slice(0, cut))
          left += guard.push(text.slice(cut))
          left += guard.end()
        },
        { code: 'content.blocked' },
        `${text} at ${cut}`,
      )
      assert.ok(!left.includes(KEY.slice(0, 6)), left)
    }
})
