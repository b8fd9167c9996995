import { parentPort, workerData } from 'node:worker_threads'
import { asFault, type FaultCode, type FaultDetail } from '#base/fault.ts'
import { packSegment, type PackedSegment, type PackTask } from './pack_segment.ts'

/** What comes back from the worker; a fault does not survive the way between threads as an object. */
export type PackAnswer =
  | { readonly kind: 'packed'; readonly packed: PackedSegment }
  | { readonly kind: 'failed'; readonly code: FaultCode; readonly detail: FaultDetail }

export async function answerTask(task: PackTask): Promise<PackAnswer> {
  try {
    return { kind: 'packed', packed: await packSegment(task) }
  } catch (thrown) {
    const { code, detail } = asFault(thrown)
    return { kind: 'failed', code, detail }
  }
}

// A test imports this file outside a worker.
if (parentPort !== null) parentPort.postMessage(await answerTask(workerData), [])
