import type { Paint } from './style.ts'
import type { ServingDoor } from './world.ts'

const KEY_IN_SHELL = '$GATEHOUSE_KEY'
/** The first key is limited to echo, so this is denied with and without such a model. */
const DENIED_MODEL = 'house-model'

/** What `up` says when the door is open: what was made, where it listens, and what to try. */
export function drawBanner(door: ServingDoor, paint: Paint, isDefaultHome: boolean): string {
  const { facts } = door
  return [
    ...firstLines(door, paint),
    paint('bold', 'The door is open.'),
    ...addressLine('door', facts.door),
    ...addressLine('admin', facts.admin),
    ...addressLine('metrics', facts.metrics === null ? null : `${facts.metrics}/metrics`),
    `  home     ${facts.home}`,
    '',
    ...tryLines(door, paint, isDefaultHome ? '' : ` --home ${facts.home}`),
    ...providerLines(door),
    'Stop with Ctrl-C.',
  ].join('\n')
}

function firstLines({ first, facts }: ServingDoor, paint: Paint): readonly string[] {
  if (first === undefined) return []
  const made = [
    paint('bold', `First start: made ${facts.home} with`),
    ...first.made.map((text) => `  ${text}`),
    '',
    drawLogKeys(first.logKeys),
    '',
  ]
  if (first.key !== undefined) {
    return [
      ...made,
      'Your first key, shown this once (loopback only, model echo only, 24 hours):',
      '',
      first.key,
      '',
    ]
  }
  return first.keyPath === undefined
    ? made
    : [...made, `Your first key is in ${first.keyPath} (loopback only, echo only, 24 hours).`, '']
}

/** The verification keys of a ledger when they are new: what was not noted then proves less later. */
export function drawLogKeys(keys: readonly string[]): string {
  const note =
    'The ledger is checked with these keys. Note them where this machine cannot change them ("gatehouse ledger key" prints them in full):'
  return [note, '', ...keys].join('\n')
}

function tryLines({ facts, first }: ServingDoor, paint: Paint, where: string): readonly string[] {
  if (facts.door === null) return []
  const key = first?.key ?? KEY_IN_SHELL
  return [
    paint('bold', 'Try, in another terminal:'),
    '',
    chatLine(facts.door, key, 'echo'),
    chatLine(facts.door, key, DENIED_MODEL),
    `./gatehouse why ID${where}`,
    '',
    'The first is answered, the second denied; the third explains: put the x-request-id of the answer for ID.',
    ...(first?.key === undefined
      ? [`Set ${KEY_IN_SHELL} first: ./gatehouse key create --name you --models echo${where}`]
      : []),
    '',
  ]
}

function chatLine(door: string, key: string, model: string): string {
  const body = `{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}`
  return `curl -i ${door}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '${body}'`
}

function providerLines({ facts }: ServingDoor): readonly string[] {
  return [
    `A real provider: set OPENAI_API_KEY and start again, or put your own in place of the models in ${facts.home}/gatehouse.yaml:`,
    '',
    'models:',
    '  house-model: { provider: openai, base_url: "http://127.0.0.1:8000/v1",',
    '                 model: llama-3, key: { from_env: UPSTREAM_KEY }, region: eu }',
    '  echo: { provider: echo }',
    '',
  ]
}

function addressLine(label: string, address: string | null): readonly string[] {
  return address === null ? [] : [`  ${label.padEnd(8)} ${address}`]
}
