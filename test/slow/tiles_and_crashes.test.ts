import assert from 'node:assert/strict'
import test from 'node:test'
import { tileFile } from '#trust/ledger/tile_files.ts'
import { intent, openOn, readAll } from '../support/ledger_fixture.ts'
import { SURVIVALS } from '../support/simulated_files.ts'
import { planHome } from '../support/tiled_fixture.ts'

const BUSY = { isBusy: () => true }
const TILE = { level: 1, index: 0 }

test('append keeps every entry: the machine stops at any step of writing a tile', async () => {
  const planned = await planHome([
    { kind: 'raw', count: 65_280 },
    { kind: 'raw', count: 200 },
  ])
  for (let number = 0; ; number++) {
    const files = planned.files.reopen('kept')
    let tileSteps = 0
    files.judge = ({ path }) => (path.includes('/tile') && tileSteps++ === number ? 'crash' : 'go')
    const ledger = await openOn(files, BUSY)
    await Promise.all(Array.from({ length: 100 }, async (_, at) => ledger.append(intent(at))))
    await ledger.checkpoint()
    await ledger.close().catch(() => undefined)
    if (tileSteps <= number) {
      assert.ok(number > 2, `${number} steps`)
      return
    }
    for (const survival of SURVIVALS) {
      const after = files.reopen(survival)
      const again = await openOn(after, BUSY)
      assert.equal(again.size, 65_580, `step ${number}, ${survival}`)
      await again.append(intent(101))
      await again.checkpoint()
      await again.close()
      const tile = await after.facts(tileFile(planned.folder, TILE))
      assert.equal(tile?.bytes, 8_192, `step ${number}, ${survival}`)
      assert.equal((await readAll(after, { from: 65_570 })).length, 11)
    }
  }
})
