import assert from 'node:assert/strict'
import { Agent, get } from 'node:http'
import { test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import type { Credential } from '#trust/access/caller.ts'
import { newKeyText, newKid } from '#trust/access/key.ts'
import { removeHome, startDoor, temporaryHome } from '../support/gatehouse_process.ts'
import { tokenScene, type TokenScene } from '../support/token_scene.ts'

const SAMPLES = 100_000
const WARM = 20_000
const TRIPS = 20_000
/** What the machine did meanwhile is no work of ours. */
const KEPT_SHARE = 0.95

/**
 * Whoever is refused must not learn from the time what was wrong with its key. An observer on the very machine sees each
 * answer through the noise of a round trip; with so many samples of each kind the mean is known to within the standard
 * error, and two kinds can be told apart when their means differ by twice that.
 */
test('refusals take the same time, whatever is wrong: 100,000 samples of each do not tell them apart', async () => {
  const scene = await tokenScene()
  try {
    const means = measure(scene, kindsIn(scene))
    const noise = await tripNoise()
    const error = (noise * Math.SQRT2 * 1_000) / Math.sqrt(SAMPLES)
    const all = Object.values(means)
    const difference = Math.max(...all) - Math.min(...all)
    const said = `${JSON.stringify(means)} ns; a trip varies by ${noise.toFixed(1)} µs, so 2 σ are ${(2 * error).toFixed(0)} ns`
    console.log(said)
    assert.ok(difference < 2 * error, said)
  } finally {
    await scene.close()
  }
})

function kindsIn({ callers, clock }: TokenScene): Readonly<Record<string, Credential>> {
  const make = (more: object = {}) => callers.createKey({ name: 'a', createdBy: 'System::"test"', ...more })
  const ended = make({ notAfter: clock.now() + 1_000 })
  const revoked = make()
  callers.revokeKey(revoked.kid)
  clock.advance(2_000)
  const text = (kid: string): Sealed => new Sealed(newKeyText({ environment: 'live', kid }))
  const bearer = (token: Sealed): Credential => ({ kind: 'bearer', token })
  return {
    missing: { kind: 'none' },
    unknown: bearer(text(newKid())),
    wrong: bearer(text(make().kid)),
    expired: bearer(ended.key),
    revoked: bearer(revoked.key),
  }
}

/** Mean nanoseconds of each kind, each taken in turn and never always after the same one. */
function measure(
  { authenticator }: TokenScene,
  kinds: Readonly<Record<string, Credential>>,
): Readonly<Record<string, number>> {
  const names = Object.keys(kinds)
  const times = names.map(() => new Float64Array(SAMPLES))
  for (let at = -WARM; at < SAMPLES; at++)
    for (let turn = 0; turn < names.length; turn++) {
      const which = (Math.abs(at) + turn) % names.length
      const credential = kinds[names[which] ?? '']
      if (credential === undefined) throw new Error('there is no such kind')
      const elapsed = refusalTime(() => authenticator.authenticate(credential, '127.0.0.1'))
      const kept = times[which]
      if (at >= 0 && kept !== undefined) kept[at] = elapsed
    }
  return Object.fromEntries(names.map((name, which) => [name, Math.round(trimmed(times[which] ?? []).mean)]))
}

function refusalTime(work: () => unknown): number {
  const before = process.hrtime.bigint()
  try {
    work()
  } catch {
    return Number(process.hrtime.bigint() - before)
  }
  throw new Error('it was not refused')
}

/** Microseconds by which round trips to a real door vary, on one connection that is kept. */
async function tripNoise(): Promise<number> {
  const home = await temporaryHome()
  const door = await startDoor(home)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const times: number[] = []
    for (let at = 0; at < TRIPS; at++) {
      const before = process.hrtime.bigint()
      await trip(`${door.door}/healthz`, agent)
      times.push(Number(process.hrtime.bigint() - before) / 1_000)
    }
    return trimmed(times).deviation
  } finally {
    agent.destroy()
    await door.stop()
    await removeHome(home)
  }
}

async function trip(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().on('end', () => resolve())).on('error', reject)
  })
}

function trimmed(values: ArrayLike<number>): { readonly mean: number; readonly deviation: number } {
  const sorted = Float64Array.from(values).sort()
  const kept = sorted.subarray(0, Math.floor(sorted.length * KEPT_SHARE))
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / kept.length
  return { mean, deviation: Math.sqrt(variance) }
}
