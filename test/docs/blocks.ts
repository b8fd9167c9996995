/**
 * How command blocks of README.md and docs/ are written, so that each of them runs:
 *
 * - A block fenced as `sh` is run by bash in the folder of the project, with the home of a running door. The blocks of
 *   one file run in order, on one door and one home of their own.
 * - `127.0.0.1:4400`, `:4401` and `:4402` become the addresses of that door.
 * - `$KEY` is a key limited to `echo`; `$ID` is the entry id of the last answer that was shown with its headers;
 *   `$KID` is the id of the last key that was listed or made.
 * - `sh exit=77` says that the last command ends so; otherwise every block ends with 0.
 * - `sh ci` is run by `.ci/run` and not here, because it would run this test again or not end.
 * - `sh door` stops the door before it runs, and starts it again afterwards.
 * - `sh up` is a first start, on a home of its own, stopped once it has said all.
 * - A block fenced as `text` right after it is what it prints on both streams, `…` standing for anything within a
 *   line, or for any lines when alone on one.
 * - A block fenced as `yaml` is a whole gatehouse.yaml, and one fenced as `cedar` a whole policy file: both are checked.
 */
export interface Block {
  readonly file: string
  readonly line: number
  readonly language: string
  /** What follows the language, as in `exit=77`. */
  readonly marks: readonly string[]
  readonly text: string
  /** The `text` block that follows, if one does. */
  readonly output: string | undefined
}

const FENCE = /^```(\w*) ?([^\n]*)\n([\s\S]*?)^```$/gm

/** The fenced blocks of a Markdown file in order. */
export function findBlocks(file: string, markdown: string): readonly Block[] {
  const found = [...markdown.matchAll(FENCE)]
  return found.map((match, place) => {
    const [whole, language = '', marks = '', text = ''] = match
    const next = found[place + 1]
    const between = next === undefined ? 'x' : markdown.slice(match.index + whole.length, next.index)
    const isOutput = language === 'sh' && next?.[1] === 'text' && between.trim() === ''
    return {
      file,
      line: markdown.slice(0, match.index).split('\n').length,
      language,
      marks: marks.split(' ').filter((mark) => mark !== ''),
      text,
      output: isOutput ? next[3] : undefined,
    }
  })
}

/** The exit status that a block says, 0 when it says none. */
export function statusOf(block: Block): number {
  const said = block.marks.find((mark) => mark.startsWith('exit='))
  return said === undefined ? 0 : Number(said.slice('exit='.length))
}
