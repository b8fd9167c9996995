import { Socket } from 'node:net'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { BYTES } from '#base/limits.ts'
import { linkLimits } from '#faces/workers/fleet_worker.ts'
import { Link } from '#faces/workers/link.ts'
import type { WorkerAnswers, WriterAnswers } from '#faces/workers/messages.ts'
import { openWorker, type OpenWorker } from './main_worker_door.ts'

/** The most that the configuration takes as limits.body_bytes. */
const MOST_BODY_BYTES = 256 * BYTES.mib
const [TO_WRITER, FROM_WRITER] = [3, 4]
/** sysexits.h: EX_SOFTWARE. */
const BROKEN = 70

let opening: Promise<OpenWorker> | undefined
let hasDrained = false

async function opened(): Promise<OpenWorker> {
  if (opening === undefined) throw new TypeError('the first question is what to serve')
  return await opening
}

const link = new Link<WriterAnswers, WorkerAnswers>({
  input: new Socket({ fd: FROM_WRITER }),
  output: new Socket({ fd: TO_WRITER }),
  // Without the writer nothing is served: there is no ledger, and nobody says who was disabled.
  onEnd: () => process.exit(hasDrained ? 0 : BROKEN),
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

// A terminal and most supervisors tell all processes of a group: the writer is told too, and lets this one drain.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
