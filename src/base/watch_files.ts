import { watch } from 'node:fs'
import path from 'node:path'

/**
 * Calls back once files have changed and then been left alone for `quietMs`. Folders are watched, not files: a file is
 * usually replaced by renaming another over it, and a mounted secret by exchanging a link beside it.
 *
 * A folder that cannot be watched is passed to `onError`; the others are watched still.
 */
export function watchFiles(
  files: readonly string[],
  quietMs: number,
  onChange: () => void,
  onError: (error: unknown) => void,
): { close(): void } {
  let timer: NodeJS.Timeout | undefined
  const changed = (): void => {
    clearTimeout(timer)
    timer = setTimeout(onChange, quietMs)
    timer.unref()
  }
  const folders = new Set(files.map((file) => path.dirname(path.resolve(file))))
  const watchers = [...folders].flatMap((folder) => {
    try {
      return [watch(folder, { persistent: false }, changed).on('error', onError)]
    } catch (error) {
      onError(error)
      return []
    }
  })
  return {
    close: () => {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
