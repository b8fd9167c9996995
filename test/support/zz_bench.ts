import * as fs from 'node:fs'
import { NODE_FILES } from '#base/files.ts'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { newEd25519Pem, randomBytes, sha256Hex } from '#base/crypto.ts'
import { newEntryId, randomBase62 } from '#base/ids.ts'
import { openLedger } from '#trust/ledger/ledger.ts'
const dir = fs.mkdtempSync('/tmp/ledger-')
const keys = { signingPem: newEd25519Pem(), pseudonymKey: randomBytes(32), sidecarKey: randomBytes(32) }
const ledger = await openLedger({ files: NODE_FILES, directory: dir + '/ledger', keys, clock: SYSTEM_CLOCK, reserveBytes: 4096, segmentBytes: Number(process.argv[2] ?? 8e6) })
const set = sha256Hex('set')
const callers = Array.from({ length: 20 }, (_, i) => [`Service::"svc-${i}"`, randomBase62(8)] as const)
const hashes = Array.from({ length: 1000 }, () => randomBytes(32).toString('hex'))
let k = 0
const drafts = () => { const [caller, kid] = callers[k++ % 20]!; return { kind: 'intent', id: newEntryId(), at: Date.now(), reserved: false, fields: { action: 'model:invoke', caller, kid, policies: ['space-default-models'], set, resource: 'Model::"house-model"', address: `10.0.1.${k % 256}`, content: hashes[k % 1000]! } } as const }
for (const c of [16, 64, 64]) {
  const n = 40000; let left = n; const t = performance.now(); const u = process.cpuUsage()
  await Promise.all(Array.from({ length: c }, async () => { while (left-- > 0) await ledger.append(drafts()) }))
  const ms = performance.now() - t; const cpu = process.cpuUsage(u)
  console.log(c, 'producers', Math.round(n / ms * 1000), 'appends/s', 'cpu us/append', ((cpu.user + cpu.system) / n).toFixed(1))
}
await ledger.close()
fs.rmSync(dir, { recursive: true })
