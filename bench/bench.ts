import { parseArgs } from 'node:util'
import { benchAttacks, drawAttacks } from './attacks.ts'
import { benchCallers, drawCallers } from './callers.ts'
import { benchCedar, drawCedar } from './cedar.ts'
import { benchStart, drawStart } from './cold_start.ts'
import { benchDoor, drawDoor } from './door.ts'
import { benchGuarantees, drawGuarantees } from './guarantees_report.ts'
import { benchLedger, FULL_SIZE, QUICK_SIZES, SIZES } from './ledger.ts'
import { drawLedger } from './ledger_report.ts'
import { benchLimits, drawLimits } from './limits.ts'
import { stopWithThisProcess } from './processes.ts'
import { drawProfile, profileDoor } from './profile.ts'
import { drawSoak, soakDoor } from './soak.ts'
import { benchStreams } from './streams.ts'
import { drawStreams } from './streams_report.ts'
import { benchTokens, drawTokens } from './tokens.ts'
import { benchTelemetry, drawTelemetry } from './telemetry.ts'
import { benchWorkers, drawWorkers } from './workers.ts'

const HELP = `gatehouse bench [WHAT] [flags]

  door     our door beside a bare proxy, one with our promises, nginx and the peer gateway, in interleaved rounds
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
           --profile [--concurrency N]: where the time goes instead
           --soak MINUTES [--concurrency N]: the memory of our door alone, every 10 s under load, and its slope
  guarantees  what our promises need, step by step and under load, without the pipeline around them
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  ledger   durable appends beside the disk alone, time until provable, and start, proofs and verification of long logs
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1, and 20,000 entries instead of 100,000 and 1,000,000
           --full: 10,000,000 entries too, which takes half an hour and 8 GB of the temporary folder   --json
  cedar    decisions of our engine and of cedar-wasm, with 10 to 10,000 policies
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  limits   reserving and settling of one request in 1, 5 and 20 accounts, and a refusal
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  streams  500 paced streams through our door and past it; then 1,000 silent ones and 100 readers that do not read
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1, and 10 s instead of 60 for the rest
           --streams N (500)   --json
  telemetry  what metrics, traces and their export cost one request
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  tokens   proving callers by token and by key, beside jose
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  workers  requests per second of one process, and of two workers with one ledger writer, what each costs, and what bounds it
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  attacks  the known defects of other gateways, as requests to our door and to the peer gateway
           --quick: without the slow ones   --json
  callers  start, memory and proofs by key, on a home with 100,000 keys and 10,000 users
           --rounds N (5)   --seconds N (3)   --quick: 2 and 1   --json
  start    cold start to ready, on a home with 1,000 keys and 100 policies
           --rounds N: number of starts (5)   --json

Example: npm run bench -- door --rounds 7 --seconds 5`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      soak: { type: 'string' },
      concurrency: { type: 'string', default: '16' },
      streams: { type: 'string', default: '500' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [what = 'door', ...more] = positionals
  if (values.help) return (console.log(HELP), 0)
  if (more.length > 0) return (console.error(HELP), 64)
  const say = (line: string): void => console.error(line)
  const [rounds, seconds] = [
    Number(values.rounds ?? (values.quick ? 2 : 5)),
    Number(values.seconds ?? (values.quick ? 1 : 3)),
  ]
  if (!(rounds >= 1 && Number.isInteger(rounds) && seconds > 0)) return (console.error(HELP), 64)
  const show = <T>(report: T, draw: (report: T) => string): number => {
    console.log(values.json ? JSON.stringify(report) : draw(report))
    return 0
  }
  const concurrency = Number(values.concurrency)
  if (what === 'door' && values.soak !== undefined) {
    const minutes = Number(values.soak)
    if (!(minutes > 0 && concurrency >= 1)) return (console.error(HELP), 64)
    return show(await soakDoor({ minutes, concurrency, say }), drawSoak)
  }
  if (what === 'door' && values.profile) {
    return show(await profileDoor({ seconds: Math.max(seconds, 5), concurrency, say }), drawProfile)
  }
  if (what === 'door') {
    const report = await benchDoor({ rounds, seconds, say })
    show(report, drawDoor)
    return report.absent.governed === undefined ? 0 : 1
  }
  if (what === 'cedar') return show(await benchCedar({ rounds, seconds, say }), drawCedar)
  if (what === 'callers') {
    const report = await benchCallers({ rounds, seconds, say })
    show(report, drawCallers)
    return report.within_bars ? 0 : 1
  }
  if (what === 'tokens') {
    const report = await benchTokens({ rounds, seconds, say })
    show(report, drawTokens)
    return report.within_bars ? 0 : 1
  }
  if (what === 'limits') return show(benchLimits({ rounds, seconds, say }), drawLimits)
  if (what === 'streams') {
    const streams = Number(values.streams)
    if (!(streams >= 1 && Number.isInteger(streams))) return (console.error(HELP), 64)
    const shape = { streams, idle: 1_000, slow: 100, holdSeconds: values.quick ? 10 : 60 }
    return show(await benchStreams({ rounds, seconds, ...shape, say }), drawStreams)
  }
  if (what === 'attacks') {
    const report = await benchAttacks({ isQuick: values.quick, say })
    show(report, drawAttacks)
    return report.harmed.ours === 0 ? 0 : 1
  }
  if (what === 'guarantees') return show(await benchGuarantees({ rounds, seconds, say }), drawGuarantees)
  if (what === 'telemetry') return show(await benchTelemetry({ rounds, seconds, say }), drawTelemetry)
  if (what === 'workers') return show(await benchWorkers({ rounds, seconds, say }), drawWorkers)
  if (what === 'ledger') {
    const sizes = values.quick ? QUICK_SIZES : SIZES
    const wanted = values.full ? [...sizes, FULL_SIZE] : sizes
    const report = await benchLedger({ rounds, seconds, sizes: wanted, say })
    show(report, drawLedger)
    return report.within_bars ? 0 : 1
  }
  if (what === 'start') return show(await benchStart({ starts: rounds, say }), drawStart)
  console.error(HELP)
  return 64
}

if (import.meta.main) {
  stopWithThisProcess()
  process.exitCode = await main()
}
