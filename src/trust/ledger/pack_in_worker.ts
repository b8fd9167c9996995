import { Worker } from 'node:worker_threads'
import { Fault } from '#base/fault.ts'
import type { PackedSegment, PackTask } from './pack_segment.ts'
import type { PackAnswer } from './pack_worker.ts'

/**
 * `packSegment` on a thread of its own, one per segment: it computes for some tenths of a second, which would hold up
 * every request. Throws what `packSegment` throws, and `internal.bug` when the thread dies.
 */
export async function packInWorker(task: PackTask): Promise<PackedSegment> {
  const answer = await new Promise<PackAnswer>((resolve, reject) => {
    const worker = new Worker(new URL('./pack_worker.ts', import.meta.url), { workerData: task })
    worker.once('message', resolve)
    worker.once('error', reject)
    // After a message this comes too late to matter.
    worker.once('exit', () => reject(new Fault('internal.bug', { error: 'the packing thread ended early' })))
  })
  if (answer.kind === 'failed') throw new Fault(answer.code, answer.detail)
  return answer.packed
}
