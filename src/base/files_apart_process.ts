import process from 'node:process'
import type { ApartAnswer } from './files_apart.ts'
import { errorCode, NODE_FILES } from './files.ts'
import { answerOutside, outsideFilesOf, type OutsideCall } from './outside_files.ts'

const FILES = outsideFilesOf(NODE_FILES)

async function answerTo(call: OutsideCall): Promise<ApartAnswer> {
  try {
    return await answerOutside(FILES, call)
  } catch (thrown) {
    return { kind: 'failed', code: errorCode(thrown) ?? 'unknown error' }
  }
}

process.on('message', (call: OutsideCall) => {
  void answerTo(call).then((answer) => process.send?.(answer))
})

// Not `exit`, which waits for the thread that hangs.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
