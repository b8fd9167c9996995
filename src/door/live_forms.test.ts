import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFractions } from '../../test/support/planted_secrets.ts'
import { protectedValues } from '../../test/support/protected_values.ts'
import { DETECTORS } from './detectors/all.ts'
import { isInvisible } from './invisible.ts'
import { INVISIBLE, LIVE_FORMS } from './live_forms.ts'
import { LiveText, statesKnown } from './live_text.ts'

test('LIVE_FORMS has a form for every detector, and says why', () => {
  const served = new Set(LIVE_FORMS.flatMap(({ detectors }) => detectors))
  for (const { id } of DETECTORS) assert.ok(served.has(id), id)
  for (const { why } of LIVE_FORMS) assert.match(why, /^[A-Z].+\.$/)
})

test('LiveText is live at every character of what a detector finds but the last', () => {
  const random = randomFractions(7)
  for (const { kind, make, detector } of protectedValues()) {
    const text = make(random)
    const live = new LiveText()
    const bits = Array.from({ length: text.length }, (_, at) => live.step(text.charCodeAt(at)))
    for (const { start, end } of detector.find(text))
      for (let at = start; at < end - 1; at++) assert.notEqual(bits[at], 0, `${kind} at ${String(at)}`)
  }
  assert.ok(statesKnown() < 1_000)
})

test('LiveText is idle behind ordinary words and signs', () => {
  const live = new LiveText()
  for (const sign of ' ,;:()"<>|\n。，！') {
    for (const unit of 'word') live.step(unit.charCodeAt(0))
    const bits = live.step(sign.charCodeAt(0))
    if (sign !== ':') assert.equal(bits, 0, sign)
    live.step(0x20)
  }
})

test('INVISIBLE has the units that show nothing', () => {
  for (let unit = 0; unit < 0xd800; unit++)
    assert.equal(
      INVISIBLE.some(([first, last]) => first <= unit && unit <= last),
      isInvisible(unit),
      unit.toString(16),
    )
})
