import { utf8 } from './bytes.ts'
import { Fault } from './fault.ts'
import { errorCode, writeAtomic, type Files } from './files.ts'
import { isJsonObject } from './json.ts'
import { NOT_PLAIN } from './plain_file.ts'
import { readTextIfThere } from './read_text.ts'

/** The form of the homes that this program writes. What changes at each is in docs/reference/home.md. */
export const HOME_FORMAT = 2
/** Homes from before there was a file that says it. */
export const FIRST_FORMAT = 1

/** What `HOME/version` says. Every form of the file has `format`, so that older programs can tell that they are older. */
export interface HomeVersion {
  readonly format: number
  /** Up to this format the ledger says how the home came there. */
  readonly recorded: number
  /** The program that brought it to this format. */
  readonly program: string
}

const FILE = 'version'

/** Undefined where there is no such file. Throws `home.damaged`, and `home.newer` for a format that is not known here. */
export async function readHomeVersion(files: Files, home: string): Promise<HomeVersion | undefined> {
  const text = await readTextIfThere(files, `${home}/${FILE}`).catch((thrown: unknown) => {
    throw NOT_PLAIN.has(errorCode(thrown) ?? '') ? damaged(thrown) : thrown
  })
  if (text === undefined) return undefined
  const { format, recorded, program } = parse(text)
  if (!isFormat(format)) throw damaged()
  const by = typeof program === 'string' && PROGRAM.test(program) ? program : undefined
  if (format > HOME_FORMAT) throw newer(format, by)
  // Each step from there on becomes an entry: from a number of anybody's choice a start would not come to its end.
  if (!isFormat(recorded) || recorded > format) throw damaged()
  return { format, recorded, program: by ?? '' }
}

function isFormat(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= FIRST_FORMAT
}

export async function writeHomeVersion(files: Files, home: string, version: HomeVersion): Promise<void> {
  const { format, recorded, program } = version
  await writeAtomic(files, `${home}/${FILE}`, utf8(`${JSON.stringify({ format, recorded, program })}\n`))
}

/** As it is printed: nothing else of the file comes into a message. */
const PROGRAM = /^[0-9A-Za-z.+-]{1,32}$/

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : {}
  } catch {
    throw damaged()
  }
}

function newer(format: number, program: string | undefined): Fault {
  const by = program === undefined ? 'a newer Gatehouse' : `Gatehouse ${program}`
  return new Fault(
    'home.newer',
    { format, known: HOME_FORMAT },
    {
      say: `The home has format ${format}, written by ${by}; this program knows formats up to ${HOME_FORMAT}.`,
    },
  )
}

function damaged(cause?: unknown): Fault {
  return new Fault(
    'home.damaged',
    { place: FILE },
    { say: 'HOME/version does not say which form the home has. Put it back from a copy.', cause },
  )
}
