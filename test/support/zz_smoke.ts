import * as fs from 'node:fs'
import { NODE_FILES } from '#base/files.ts'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { newEd25519Pem, randomBytes, sha256Hex } from '#base/crypto.ts'
import { newEntryId, randomBase62 } from '#base/ids.ts'
import { openLedger } from '#trust/ledger/ledger.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { findEntries } from '#trust/ledger/read.ts'
const dir = fs.mkdtempSync('/tmp/ledger-')
const keys = { signingPem: newEd25519Pem(), pseudonymKey: randomBytes(32), sidecarKey: randomBytes(32) }
const ledger = await openLedger({ files: NODE_FILES, directory: dir + '/ledger', keys, clock: SYSTEM_CLOCK })
const set = sha256Hex('set')
const callers = Array.from({ length: 20 }, (_, i) => [`Service::"svc-${i}"`, randomBase62(8)] as const)
const pick = <T>(l: readonly T[]): T => l[Math.floor(Math.random() * l.length)]!
async function one(): Promise<string> {
  const id = newEntryId(); const [caller, kid] = pick(callers)
  await ledger.append({ kind: 'intent', id, at: Date.now(), reserved: false, fields: { action: 'model:invoke', caller, kid, policies: ['space-default-models'], set, resource: `Model::"${pick(['a', 'house-model', 'echo'])}"`, address: `10.0.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`, content: randomBytes(32).toString('hex') } })
  ledger.appendLater({ kind: 'outcome', id, at: Date.now(), reserved: false, fields: { status: 200, ms: Math.floor(Math.random() * 3000), tokens_in: Math.floor(Math.random() * 2000), tokens_out: Math.floor(Math.random() * 900), content: randomBytes(32).toString('hex'), provider: 'openai', region: 'eu' } })
  return id
}
for (const c of [1, 16, 64]) {
  const n = c === 1 ? 2000 : 20000; let left = n; const t = performance.now(); const u = process.cpuUsage(); let lastId = ''
  await Promise.all(Array.from({ length: c }, async () => { while (left-- > 0) lastId = await one() }))
  const ms = performance.now() - t; const cpu = process.cpuUsage(u)
  console.log(c, 'producers', Math.round(n / ms * 1000), 'requests/s', Math.round(2 * n / ms * 1000), 'entries/s', 'cpu us/request', ((cpu.user + cpu.system) / n).toFixed(1))
}
await ledger.checkpoint(); await ledger.settled()
console.log(ledger.state())
const id = await one(); await ledger.checkpoint()
let t = performance.now(); console.log((await findEntries(NODE_FILES, dir + '/ledger', id, { sidecarKey: keys.sidecarKey })).map((e) => [e.index, e.leaf, e.opened]), performance.now() - t)
t = performance.now(); console.log((await findEntries(NODE_FILES, dir + '/ledger', newEntryId())).length, performance.now() - t)
await ledger.close()
for (const f of fs.readdirSync(dir + '/ledger')) if (f !== 'reserve') for (const g of fs.readdirSync(dir + '/ledger/' + f)) console.log(g, fs.statSync(dir + '/ledger/' + f + '/' + g).size)
t = performance.now(); console.log(await verifyLedger({ files: NODE_FILES, directory: dir + '/ledger', keys: { sidecarKey: keys.sidecarKey } }), performance.now() - t)
t = performance.now(); const again = await openLedger({ files: NODE_FILES, directory: dir + '/ledger', keys, clock: SYSTEM_CLOCK }); console.log('reopen ms', performance.now() - t); await again.close()
fs.rmSync(dir, { recursive: true })
