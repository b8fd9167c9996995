import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { StillClock } from '../../../../test/support/door_parts.ts'
import { Breaker, type BreakerSettings, type BreakerState, type Pass } from './breaker.ts'
import { POOL_LIMITS } from './pool_limits.ts'

const SETTINGS: BreakerSettings = { failures: 3, failurePercent: 50, windowMs: 10_000, openMs: 1_000 }

/** `+` a call that succeeds, `-` one that fails, `0` one that says nothing, `p` and `P` a bad and a good probe, numbers pass time. */
type Story = readonly ('+' | '-' | '0' | 'p' | 'P' | number)[]

function told(
  story: Story,
  settings: BreakerSettings = SETTINGS,
): { breaker: Breaker; clock: StillClock; states: BreakerState[] } {
  const clock = new StillClock()
  const states: BreakerState[] = []
  const breaker = new Breaker(settings, clock, (state) => states.push(state))
  for (const step of story) {
    if (typeof step === 'number') clock.advance(step)
    else if (step === 'p' || step === 'P') breaker.probed(step === 'P')
    else end(breaker.enter(), step)
  }
  return { breaker, clock, states }
}

function end(pass: Pass | undefined, how: '+' | '-' | '0'): void {
  if (how === '+') pass?.succeeded()
  else if (how === '-') pass?.failed()
  else pass?.left()
}

const STORIES: readonly (readonly [why: string, story: Story, state: BreakerState, waitMs: number])[] = [
  ['nothing happened', [], 'closed', 0],
  ['two failures in a row', ['-', '-'], 'closed', 0],
  ['three failures in a row', ['-', '-', '-'], 'open', 1_000],
  ['a success in between', ['-', '-', '+', '-', '-'], 'closed', 0],
  ['what says nothing is no success', ['-', '-', '0', '-'], 'open', 1_000],
  ['half of ten calls failed', ['+', '-', '+', '-', '+', '-', '+', '-', '+', '-'], 'open', 1_000],
  ['half of nine calls failed', ['+', '-', '+', '-', '+', '-', '+', '-', '-'], 'closed', 0],
  ['half of ten, but long ago', ['+', '-', '+', '-', '+', '-', '+', '-', '+', 20_000, '-'], 'closed', 0],
  [
    'half of ten, though many succeeded long ago',
    [
      ...Array.from({ length: 20 }, () => '+' as const),
      20_000,
      '+',
      '-',
      '+',
      '-',
      '+',
      '-',
      '+',
      '-',
      '+',
      '-',
    ],
    'open',
    1_000,
  ],
  ['the wait is not over', ['-', '-', '-', 999], 'open', 1],
  ['the wait is over', ['-', '-', '-', 1_000], 'open', 0],
  ['a trial succeeded', ['-', '-', '-', 1_000, '+'], 'closed', 0],
  ['a trial failed: the next wait is twice as long', ['-', '-', '-', 1_000, '-'], 'open', 2_000],
  ['two trials failed', ['-', '-', '-', 1_000, '-', 2_000, '-'], 'open', 4_000],
  ['a trial said nothing: its place is free again', ['-', '-', '-', 1_000, '0'], 'half_open', 0],
  ['it was closed in between: waits begin anew', ['-', '-', '-', 1_000, '+', '-', '-', '-'], 'open', 1_000],
  ['what failed before it was closed is forgotten', ['-', '-', '-', 1_000, '+', '-', '-'], 'closed', 0],
  ['three probes failed', ['p', 'p', 'p'], 'open', 1_000],
  ['a good probe in between', ['p', 'p', 'P', 'p', 'p'], 'closed', 0],
  ['a good probe ends the wait, and closes nothing', ['-', '-', '-', 'P'], 'open', 0],
  ['a bad probe makes it wait on', ['-', '-', '-', 900, 'p'], 'open', 1_000],
  ['good probes do not undo failures of calls', ['-', '-', 'P', '-'], 'open', 1_000],
]

for (const [why, story, state, waitMs] of STORIES) {
  test(`Breaker is ${state}: ${why}`, () => {
    const { breaker } = told(story)
    assert.deepEqual([breaker.state, breaker.waitMs()], [state, waitMs])
  })
}

test('Breaker never waits longer than so many times the first wait', () => {
  const { breaker, clock } = told(['-', '-', '-'])
  for (let at = 0; at < 20; at++) {
    clock.advance(breaker.waitMs())
    breaker.enter()?.failed()
  }
  assert.equal(breaker.waitMs(), SETTINGS.openMs * POOL_LIMITS.longestOpen)
})

test('Breaker lets one call through to see, and no other before that has ended', () => {
  const { breaker, clock, states } = told(['-', '-', '-', 1_000])
  const trial = breaker.enter()
  assert.ok(trial !== undefined)
  assert.equal(breaker.enter(), undefined)
  clock.advance(100_000)
  assert.equal(breaker.enter(), undefined)
  trial.succeeded()
  assert.ok(breaker.enter() !== undefined)
  assert.deepEqual(states, ['open', 'half_open', 'closed'])
})

test('Breaker does not listen to calls that began before it changed', () => {
  const { breaker, clock } = told(['-', '-'])
  const [early, late, last] = [breaker.enter(), breaker.enter(), breaker.enter()]
  early?.failed()
  assert.equal(breaker.state, 'open')
  late?.succeeded()
  assert.equal(breaker.state, 'open')
  clock.advance(1_000)
  const trial = breaker.enter()
  last?.failed()
  assert.equal(breaker.state, 'half_open')
  trial?.succeeded()
  assert.equal(breaker.state, 'closed')
})

test('Breaker listens to one end of a call', () => {
  const { breaker } = told(['-', '-'])
  const pass = breaker.enter()
  pass?.left()
  pass?.failed()
  assert.equal(breaker.state, 'closed')
})

test('Breaker counts how streams end and not how they begin', () => {
  const { breaker } = told([])
  for (let at = 0; at < 3; at++) {
    const pass = breaker.enter()
    pass?.begun()
    pass?.failed()
  }
  assert.equal(breaker.state, 'open')
})

test('Breaker is content with a trial that has begun to answer, and counts its end', () => {
  const { breaker } = told(['-', '-', '-', 1_000])
  const trial = breaker.enter()
  trial?.begun()
  assert.equal(breaker.state, 'closed')
  end(breaker.enter(), '-')
  end(breaker.enter(), '-')
  trial?.failed()
  assert.equal(breaker.state, 'open')
})

test('Breaker does not listen to what begins after it changed', () => {
  const { breaker, clock } = told(['-', '-'])
  const [early, late] = [breaker.enter(), breaker.enter()]
  early?.failed()
  clock.advance(1_000)
  breaker.enter()
  late?.begun()
  assert.equal(breaker.state, 'half_open')
})

test('Breaker never lets more through than it may: any story of calls, ends, probes and time', () => {
  const step = fc.oneof(
    fc.constant({ kind: 'enter' as const }),
    fc.record({ kind: fc.constant('end' as const), at: fc.nat(20), how: fc.constantFrom('+', '-', '0') }),
    fc.record({ kind: fc.constant('begin' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({ kind: fc.constant('probe' as const), isGood: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const clock = new StillClock()
      let trials: Pass[] = []
      const breaker = new Breaker(SETTINGS, clock, () => (trials = []))
      const under: Pass[] = []
      for (const one of steps) {
        if (one.kind === 'time') clock.advance(one.ms)
        else if (one.kind === 'probe') breaker.probed(one.isGood)
        else if (one.kind === 'begin') under[one.at % Math.max(1, under.length)]?.begun()
        else if (one.kind === 'end') {
          const [pass] = under.splice(one.at % Math.max(1, under.length), 1)
          trials = trials.filter((trial) => trial !== pass)
          end(pass, one.how)
        } else {
          const waitMs = breaker.waitMs()
          const pass = breaker.enter()
          assert.equal(pass === undefined, waitMs > 0)
          if (pass === undefined) continue
          assert.notEqual(breaker.state, 'open')
          under.push(pass)
          if (breaker.state === 'half_open') trials.push(pass)
        }
        assert.ok(trials.length <= POOL_LIMITS.trials)
      }
    }),
    { seed: 20_261_122, numRuns: 500 },
  )
})
