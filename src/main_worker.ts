import cluster from 'node:cluster'
import { Socket } from 'node:net'
import { setInterval, setTimeout } from 'node:timers'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { BYTES, LIMITS } from '#base/limits.ts'
import { linkLimits } from '#faces/workers/fleet_worker.ts'
import { Link } from '#faces/workers/link.ts'
import type { WorkerAnswers, WriterAnswers } from '#faces/workers/messages.ts'
import { SILENT_LOOKS, watchSilence } from '#faces/workers/watch_silence.ts'
import { openWorker, type OpenWorker } from './main_worker_door.ts'

/** The most that the configuration takes as limits.body_bytes. */
const MOST_BODY_BYTES = 256 * BYTES.mib
const [TO_WRITER, FROM_WRITER] = [3, 4]
/** sysexits.h: EX_SOFTWARE. */
const BROKEN = 70

const GONE =
  'gatehouse: the channel to the process that writes the ledger has ended; this worker refuses what it holds, and ends.\n'

let opening: Promise<OpenWorker> | undefined
let hasDrained = false

async function opened(): Promise<OpenWorker> {
  if (opening === undefined) throw new TypeError('the first question is what to serve')
  return await opening
}

/**
 * Without the writer, which is gone or says nothing, nothing is served: there is no ledger, and nobody says who was disabled. Whatever asks it is refused from
 * now on, so what is held is refused too; its callers are given the time to hear that.
 */
function end(): void {
  if (hasDrained) process.exit(0)
  process.stderr.write(GONE)
  setTimeout(() => process.exit(BROKEN), LIMITS.workerLastWordsMs)
}

// Else the end of the other channel, which hands connections over, would end this process before anybody is told.
cluster.worker?.once('disconnect', () => {
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
})

const link = new Link<WriterAnswers, WorkerAnswers>({
  input: new Socket({ fd: FROM_WRITER }),
  output: new Socket({ fd: TO_WRITER }),
  onEnd: end,
  limits: linkLimits(MOST_BODY_BYTES),
  answers: {
    serve: async (order) => {
      opening = openWorker(order, {
        link,
        clock: SYSTEM_CLOCK,
        env: process.env,
        residentBytes: () => process.memoryUsage.rss(),
      })
      const { serving } = await opening
      return serving
    },
    change: async (state) => {
      ;(await opened()).change(state)
      return null
    },
    report: async () => (await opened()).report(),
    body: async (asked) => (await opened()).body(asked),
    drain: async () => {
      await (await opened()).drain()
      hasDrained = true
      return null
    },
  },
})

setInterval(watchSilence(link), LIMITS.writerSilentMs / SILENT_LOOKS).unref()

// A terminal and most supervisors tell all processes of a group: the writer is told too, and lets this one drain.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
