import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { outsideFilesOf, type OutsideFiles } from '#base/outside_files.ts'
import { emptyDisk, HandClock, intent, openOn } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import type { Ledger } from './ledger.ts'

const [SLOW, GOOD] = ['/anchor/slow', '/anchor/good']
const PLACES = '/home/anchors/files'

/** A disk on which a call to one path waits until the test lets it go, or fails it. */
class SlowFiles implements OutsideFiles {
  readonly #files: OutsideFiles
  /** Folders that are on another disk than the rest. */
  readonly devices = new Map<string, string>()
  readonly replaced: string[] = []
  readonly waiting: PromiseWithResolvers<void>[] = []
  isSlow = true
  isClosed = false

  constructor(files: SimulatedFiles) {
    this.#files = outsideFilesOf(files)
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    if (path === SLOW && this.isSlow) {
      const gate = Promise.withResolvers<void>()
      this.waiting.push(gate)
      await gate.promise
    }
    return await this.#files.read(path, maxBytes)
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    this.replaced.push(path)
    await this.#files.replace(path, bytes)
  }

  deviceOf(folder: string): Promise<string | undefined> {
    return Promise.resolve(this.devices.get(folder) ?? this.devices.get('/'))
  }

  close(): void {
    this.isClosed = true
    for (const gate of this.waiting) gate.reject(Object.assign(new Error('closed'), { code: 'ECANCELED' }))
  }

  timeOut(): void {
    const gates = this.waiting.splice(0)
    for (const gate of gates) gate.reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }))
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

async function grow(ledger: Ledger, number: number): Promise<string> {
  await ledger.append(intent(number))
  return await ledger.checkpoint()
}

function textOf(files: SimulatedFiles, path: string): string {
  return Buffer.from(files.all().get(path) ?? []).toString('utf8')
}

test('an anchor that hangs holds up no entry and no checkpoint, and then gets the newest one only', async () => {
  const files = await emptyDisk()
  const outside = new SlowFiles(files)
  outside.isSlow = false
  const ledger = await openOn(files, { anchors: [SLOW], outside })
  outside.isSlow = true
  for (let number = 0; number < 5; number++) await grow(ledger, number)
  await turns()
  assert.equal(outside.waiting.length, 1, 'one call is under way at a time')
  assert.deepEqual([ledger.state().unsigned, ledger.state().anchors[0]?.size], [0, undefined])
  outside.isSlow = false
  outside.waiting[0]?.resolve()
  await ledger.settled()
  assert.deepEqual([outside.replaced, ledger.state().anchors[0]?.size], [[SLOW], 5])
  await ledger.close()
})

test('an anchor that does not answer is told, left alone for a while, and holds up the others no more', async () => {
  const files = await emptyDisk()
  const clock = new HandClock()
  const outside = new SlowFiles(files)
  outside.isSlow = false
  const ledger = await openOn(files, { anchors: [SLOW, GOOD], outside, clock })
  outside.isSlow = true
  let restMs: number = LIMITS.anchorCallMs
  for (let tries = 0; tries < 9; tries++) {
    await grow(ledger, tries)
    await turns()
    assert.equal(outside.waiting.length, 1, `try ${tries}`)
    outside.timeOut()
    await ledger.settled()
    const newest = await grow(ledger, tries)
    await ledger.settled()
    assert.ok(textOf(files, GOOD) === newest)
    assert.match(ledger.state().problems.join(), /^\/anchor\/slow does not answer in 5000 ms$/)
    clock.time += restMs - 1
    await grow(ledger, tries)
    await ledger.settled()
    clock.time += 1
    restMs = Math.min(2 * restMs, LIMITS.anchorRestMs)
  }
  assert.equal(restMs, LIMITS.anchorRestMs)
  outside.isSlow = false
  const newest = await grow(ledger, 99)
  await ledger.settled()
  assert.ok(textOf(files, SLOW) === newest)
  assert.deepEqual(ledger.state().problems, [])
  // It answered: the next time it does not, it begins anew.
  outside.isSlow = true
  await grow(ledger, 100)
  await turns()
  outside.timeOut()
  await ledger.settled()
  clock.time += LIMITS.anchorCallMs
  await grow(ledger, 101)
  await turns()
  assert.equal(outside.waiting.length, 1)
  outside.timeOut()
  await ledger.close()
})

test('close gives the last checkpoint its time to get to the anchors, and waits no longer', async () => {
  const files = await emptyDisk()
  const outside = new SlowFiles(files)
  outside.isSlow = false
  const ledger = await openOn(files, { anchors: [GOOD, SLOW], outside })
  outside.isSlow = true
  await ledger.append(intent(1))
  const before = performance.now()
  await ledger.close()
  const passed = performance.now() - before
  assert.ok(passed >= LIMITS.anchorCloseMs - 50 && passed < LIMITS.anchorCloseMs + 5_000, `${passed} ms`)
  assert.ok(outside.isClosed)
  assert.deepEqual(outside.replaced, [GOOD])
  await turns()
  assert.equal(files.all().has(SLOW), false, 'nothing is written any more')
})

test('nothing is copied once the home is no longer ours', async () => {
  const files = await emptyDisk()
  const outside = new SlowFiles(files)
  outside.isSlow = false
  const home = { isHeld: true }
  const ledger = await openOn(files, { anchors: [SLOW], outside, isOurs: () => home.isHeld })
  outside.isSlow = true
  await grow(ledger, 1)
  await turns()
  home.isHeld = false
  outside.isSlow = false
  outside.waiting[0]?.resolve()
  await ledger.settled()
  assert.deepEqual([outside.replaced, ledger.state().anchors[0]?.size], [[], undefined])
  await ledger.close()
})

/** A ledger with an anchor on a share, as the next start finds it. */
async function remembered(
  device: string,
  here = 'disk',
): Promise<{ files: SimulatedFiles; outside: SlowFiles }> {
  const files = await emptyDisk()
  const outside = sharedFiles(files, device, here)
  const ledger = await openOn(files, { anchors: [GOOD], outside, anchorPlaces: PLACES })
  await grow(ledger, 1)
  await ledger.close()
  return { files, outside }
}

function sharedFiles(files: SimulatedFiles, device: string, here = 'disk'): SlowFiles {
  const outside = new SlowFiles(files)
  outside.devices.set('/', here).set('/anchor', device)
  return outside
}

const MOVES: readonly [
  why: string,
  was: string,
  is: string,
  isGone: boolean,
  isWritten: boolean,
  isNear: boolean,
][] = [
  ['a share that was mounted anew', 'share', 'share again', false, true, false],
  ['a file that somebody has deleted', 'share', 'share', true, true, false],
  ['the disk of the home', 'disk', 'disk', true, true, true],
  ['a share where the disk of the home was', 'disk', 'share', true, true, false],
  ['no mount: the disk of the home, which has an old copy', 'share', 'disk', false, false, true],
  ['no mount: the disk of the home', 'share', 'disk', true, false, true],
  ['no mount: a third disk', 'share', 'third', true, false, false],
]

for (const [why, was, is, isGone, isWritten, isNear] of MOVES)
  test(`an anchor is ${isWritten ? 'written' : 'not written'} where the next start finds ${why}`, async () => {
    const { files } = await remembered(was)
    if (isGone) files.tamper(GOOD, undefined)
    const before = textOf(files, GOOD)
    const outside = sharedFiles(files, is)
    const ledger = await openOn(files, { anchors: [GOOD], outside, anchorPlaces: PLACES })
    const newest = await grow(ledger, 2)
    await ledger.settled()
    const { anchors, problems } = ledger.state()
    assert.ok(textOf(files, GOOD) === (isWritten ? newest : before))
    assert.deepEqual([anchors[0]?.size !== undefined, anchors[0]?.isNear], [isWritten, isNear])
    assert.equal(
      problems.some((each) => each.includes('is not where it was')),
      !isWritten,
    )
    // Mounted again.
    outside.devices.set('/anchor', 'share')
    const last = await grow(ledger, 3)
    await ledger.settled()
    assert.ok(textOf(files, GOOD) === last)
    assert.deepEqual(ledger.state().problems, [])
    await ledger.close()
  })

test('an anchor is written anew wherever it is, once the home has forgotten where it was', async () => {
  const { files } = await remembered('share')
  assert.equal(textOf(files, PLACES), `share ${GOOD}\n`)
  for (const remains of [undefined, Buffer.from('damage\n\nshare relative\n')]) {
    files.tamper(PLACES, remains)
    const outside = sharedFiles(files, 'disk')
    const ledger = await openOn(files, { anchors: [GOOD], outside, anchorPlaces: PLACES })
    const newest = await grow(ledger, 2)
    await ledger.close()
    assert.ok(textOf(files, GOOD) === newest)
  }
})

test('an anchor whose disk nobody can tell is written, and nothing is remembered', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { anchors: [GOOD], anchorPlaces: PLACES })
  const newest = await grow(ledger, 1)
  await ledger.settled()
  assert.ok(textOf(files, GOOD) === newest)
  assert.equal(ledger.state().anchors[0]?.isNear, undefined)
  assert.equal(files.all().has(PLACES), false)
  await ledger.close()
})
