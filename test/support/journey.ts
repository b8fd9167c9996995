import assert from 'node:assert/strict'
import OpenAI from 'openai'
import {
  gatehouse,
  startDoor,
  temporaryHome,
  removeHome,
  type CliResult,
  type DoorProcess,
} from './gatehouse_process.ts'

/** One story on a home of its own: a running door, its command line and real clients. */
export interface Journey {
  readonly home: string
  /** The door that runs now; `restart` replaces it. */
  door(): DoorProcess
  cli(...args: readonly string[]): Promise<CliResult>
  /** Runs a command that must succeed and gives what it printed with `--json`. */
  json(...args: readonly string[]): Promise<Record<string, unknown>>
  /** Makes a key through the command line and gives it. */
  key(name: string, ...args: readonly string[]): Promise<MadeKey>
  client(key: string): OpenAI
  restart(args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<void>
}

export interface MadeKey {
  readonly key: string
  readonly kid: string
}

/** Runs a story against a real process and cleans up after it, whatever happens. */
export async function journey(
  tell: (journey: Journey) => Promise<void>,
  options: {
    readonly home?: string
    readonly args?: readonly string[]
    readonly env?: NodeJS.ProcessEnv
  } = {},
): Promise<void> {
  const home = options.home ?? (await temporaryHome())
  let door = await startDoor(home, options.args, options.env)
  const cli = async (...args: readonly string[]) => gatehouse([...args, '--home', home])
  const json = async (...args: readonly string[]) => {
    const result = await cli(...args, '--json')
    assert.equal(result.status, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`)
    return JSON.parse(result.stdout) as Record<string, unknown>
  }
  try {
    await tell({
      home,
      door: () => door,
      cli,
      json,
      key: async (name, ...args) => {
        const made = await json('key', 'create', '--name', name, ...args)
        return { key: String(made['key']), kid: String(made['kid']) }
      },
      client: (key) => new OpenAI({ apiKey: key, baseURL: `${door.door}/v1`, maxRetries: 0 }),
      restart: async (args = options.args ?? [], env = options.env ?? {}) => {
        await door.stop()
        door = await startDoor(home, args, env)
      },
    })
  } finally {
    await door.stop()
    await removeHome(home)
  }
}

/** A chat completion of one user message. */
export async function say(client: OpenAI, content: string, model = 'echo'): Promise<OpenAI.ChatCompletion> {
  return client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
}

/** The refusal that a client got; fails when it got an answer. */
export async function refusal(answer: Promise<unknown>): Promise<Refusal> {
  try {
    await answer
  } catch (thrown) {
    if (thrown instanceof OpenAI.APIError) {
      const body = thrown.error as { code?: string; gatehouse?: Record<string, unknown> } | undefined
      const entry = thrown.headers?.get('x-request-id') ?? ''
      return {
        status: Number(thrown.status),
        code: String(body?.code),
        entry,
        problem: body?.gatehouse ?? {},
      }
    }
    throw thrown
  }
  throw new Error('the request was answered, not refused')
}

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly entry: string
  readonly problem: Record<string, unknown>
}
