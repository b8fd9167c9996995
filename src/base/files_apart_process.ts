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

let underWay = 0

process.on('message', (call: OutsideCall) => {
  underWay += 1
  void answerTo(call).then((answer) => {
    underWay -= 1
    process.send?.(answer)
  })
})

process.on('disconnect', () => {
  // Nothing is left to do, and the process ends; but not while a thread hangs, for which `exit` waits too.
  if (underWay > 0) process.kill(process.pid, 'SIGKILL')
})
