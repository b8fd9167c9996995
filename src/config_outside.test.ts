import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { ed25519Cosigner, mlDsa44Cosigner } from '#trust/ledger/cosignature.ts'
import { noteSigner, printVerifierKey } from '#trust/ledger/note.ts'
import { loadConfig } from './config.ts'
import { defaultWitnessConfig, loadWitnessConfig } from './config_witness.ts'
import type { Problem } from './config_yaml.ts'

const KEY = printVerifierKey(ed25519Cosigner('witness.test/1', newEd25519Pem()))
const OTHER = printVerifierKey(mlDsa44Cosigner('witness.test/2', newMlDsa44Pem()))
const LOG = printVerifierKey(noteSigner('gatehouse.local/log', newEd25519Pem()))
const LOG_ML_DSA = printVerifierKey(mlDsa44Cosigner('gatehouse.local/log', newMlDsa44Pem()))
const STORAGE =
  'endpoint: "https://s3.test", bucket: locked, access_key_id: { from_env: ID }, secret_access_key: { from_env: KEY }'

function problemsIn(load: () => unknown): readonly string[] {
  try {
    load()
    return []
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, inspect(thrown))
    const problems = thrown.detail['problems'] as unknown as readonly Problem[]
    return problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test('loadConfig takes witnesses and anchors, with defaults for what is not said', () => {
  const { ledger } = loadConfig(
    `ledger:
  witnesses: { list: [{ url: "https://w.test/x", keys: ["${KEY}"] }, { url: "http://127.0.0.1:1", keys: ["${OTHER}"] }] }
  git_anchors: [{ repository: "git@git.test:own/log.git" }]
  object_anchors: [{ ${STORAGE} }]
`,
    'x',
  )
  assert.deepEqual(ledger.witnesses, {
    quorum: 1,
    every_ms: 10_000,
    timeout_ms: 10_000,
    list: [
      { url: 'https://w.test/x', keys: [KEY], network: 'public' },
      { url: 'http://127.0.0.1:1', keys: [OTHER], network: 'public' },
    ],
  })
  const [git] = ledger.git_anchors
  assert.deepEqual([git?.branch, git?.path, git?.every_ms], ['main', 'checkpoint', 3_600_000])
  const [storage] = ledger.object_anchors
  assert.deepEqual(
    [storage?.mode, storage?.retention_days, storage?.region],
    ['compliance', 400, 'us-east-1'],
  )
})

const witness = (more: string): string => `{ witnesses: { list: [{ url: "https://w.test", ${more} }] } }`
const git = (more: string): string => `{ git_anchors: [{ repository: "https://git.test/x.git", ${more} }] }`
const repository = (text: string): string => `{ git_anchors: [{ repository: "${text}" }] }`

const PEM = newEd25519Pem()
/** Each of the longest name that a key has here, so that sixteen are too many. */
const MANY = Array.from({ length: 16 }, (_, at) =>
  [newMlDsa44Pem(), newMlDsa44Pem()].map((pem) =>
    printVerifierKey(mlDsa44Cosigner(`witness.test/${at}`, pem)),
  ),
)

function twice(...list: readonly [url: string, key: string][]): string {
  const rows = list.map(([url, key]) => `{ url: "${url}", keys: ["${key}"] }`)
  return `{ witnesses: { quorum: 2, list: [${rows.join()}] } }`
}

const BAD: readonly (readonly [why: string, ledger: string, problem: RegExp])[] = [
  ['no witness', '{ witnesses: { list: [] } }', /^ledger\.witnesses\.list: must be at least 1/],
  [
    'more wanted than there are',
    `{ witnesses: { quorum: 2, list: [{ url: "https://w.test", keys: ["${KEY}"] }] } }`,
    /^ledger\.witnesses\.quorum: must not be more/,
  ],
  ['a key of a log', witness(`keys: ["${LOG}"]`), /must be a key as "gatehouse witness" prints it/],
  [
    'a key with a slip',
    witness(`keys: ["${KEY.slice(0, -2)}A="]`),
    /must be a key as|looks like a literal secret/,
  ],
  ['no key', witness('keys: []'), /must be at least 1/],
  [
    'a key twice',
    `{ witnesses: { list: [{ url: "https://a.test", keys: ["${KEY}"] }, { url: "https://b.test", keys: ["${KEY}"] }] } }`,
    /must not name a witness twice/,
  ],
  [
    'one key under two names',
    twice(
      ['https://a.test', printVerifierKey(ed25519Cosigner('witness.test/a', PEM))],
      ['https://b.test', printVerifierKey(ed25519Cosigner('witness.test/b', PEM))],
    ),
    /must not name a witness twice/,
  ],
  [
    'two keys of one witness as two',
    twice(
      ['https://a.test', KEY],
      ['https://b.test', printVerifierKey(mlDsa44Cosigner('witness.test/1', newMlDsa44Pem()))],
    ),
    /must not name a witness twice/,
  ],
  [
    'one URL twice, in two ways',
    twice(['https://W.test:443/x/', KEY], ['https://w.test/x', OTHER]),
    /must not name a witness twice/,
  ],
  [
    'more keys than a checkpoint has room for',
    `{ witnesses: { list: [${MANY.map((keys, at) => `{ url: "https://w${at}.test", keys: ["${keys.join('","')}"] }`).join()}] } }`,
    /must not have so many keys/,
  ],
  [
    'a token in place of a user',
    repository('https://ghp_abcdefgh@git.test/x.git'),
    /\.repository: (must be https|looks)/,
  ],
  [
    'a URL with a password',
    `{ witnesses: { list: [{ url: "https://u:p@w.test", keys: ["${KEY}"] }] } }`,
    /\.url: (must be an http|looks like)/,
  ],
  [
    'a URL of another scheme',
    `{ witnesses: { list: [{ url: "file:///x", keys: ["${KEY}"] }] } }`,
    /\.url: must be an http/,
  ],
  ['an option for a repository', repository('--upload-pack=x'), /\.repository: must be https/],
  ['a transport by command', repository('ext::sh -c id'), /\.repository: must be https/],
  ['another transport', repository('fd::3'), /\.repository: must be https/],
  ['a host that is an option', repository('ssh://-oProxyCommand=id/x'), /\.repository: must be https/],
  ['a user that is an option', repository('-x@git.test:y'), /\.repository: must be https/],
  ['plain http', repository('http://git.test/x'), /\.repository: must be https/],
  ['a relative path', repository('../x.git'), /\.repository: must be https/],
  ['a branch that is an option', git('branch: "-x"'), /\.branch: must be the name/],
  ['a branch that is a range', git('branch: "a..b"'), /\.branch: must be the name/],
  ['a path that leaves the repository', git('path: "../x"'), /\.path: must be the path/],
  ['a path into .git', git('path: ".git/hooks/x"'), /\.path: must be the path/],
  ['an absolute path', git('path: "/x"'), /\.path: must be the path/],
  [
    'a bucket with a slash',
    `{ object_anchors: [{ ${STORAGE.replace('locked', 'a/b')} }] }`,
    /\.bucket: must be the name/,
  ],
  [
    'a secret as text',
    `{ object_anchors: [{ ${STORAGE.replace('{ from_env: KEY }', 'abc')} }] }`,
    /must be a reference/,
  ],
]

for (const [why, ledger, problem] of BAD)
  test(`loadConfig refuses a place outside: ${why}`, () => {
    const problems = problemsIn(() => loadConfig(`ledger: ${ledger}\n`, 'x'))
    assert.ok(
      problems.some((each) => problem.test(each)),
      inspect(problems),
    )
  })

for (const text of [
  'ssh://git@git.test:22/own/log.git',
  'git@git.test:~own/log.git',
  '/srv/git/log.git',
  'https://git.test/own/log.git',
])
  test(`loadConfig takes a repository: ${text}`, () => {
    assert.deepEqual(
      problemsIn(() => loadConfig(`ledger: ${repository(text)}\n`, 'x')),
      [],
    )
  })

test('loadWitnessConfig reads what a first start writes', () => {
  const config = loadWitnessConfig(defaultWitnessConfig('witness.local/x'), 'x')
  assert.equal(config.name, 'witness.local/x')
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 4_410 })
  assert.equal(config.logs.size, 0)
})

test('loadWitnessConfig gathers the keys of a log: under the name in them, or the origin that is said', () => {
  const config = loadWitnessConfig(
    `name: w\nlogs:\n  - keys: ["${LOG}"]\n  - keys: ["${LOG_ML_DSA}"]\n  - { origin: go.sum database tree, keys: ["${LOG}"] }\n`,
    'x',
  )
  assert.deepEqual([...config.logs.keys()], ['gatehouse.local/log', 'go.sum database tree'])
  assert.deepEqual(
    config.logs.get('gatehouse.local/log')?.map(({ type }) => type),
    [0x01, 0x06],
  )
})

const BAD_WITNESS: readonly (readonly [why: string, text: string, problem: RegExp])[] = [
  ['no name', 'logs: []\n', /^name: /],
  ['a name with a space', 'name: a b\n', /^name: .*without spaces/],
  ['a name with a plus sign', 'name: a+b\n', /^name: .*without spaces/],
  [
    'a key of a witness',
    `name: w\nlogs: [{ keys: ["${KEY}"] }]\n`,
    /^logs\.0\.keys\.0: .*"gatehouse ledger key"/,
  ],
  ['a key that is none', 'name: w\nlogs: [{ keys: ["x"] }]\n', /^logs\.0\.keys\.0: .*"gatehouse ledger key"/],
  ['a name of more than 255 bytes', `name: ${'ü'.repeat(128)}\n`, /^name: .*255 bytes/],
  [
    'an origin of more than 255 bytes',
    `name: w\nlogs: [{ origin: ${'ü'.repeat(128)}, keys: ["${LOG}"] }]\n`,
    /^logs\.0: .*255 bytes/,
  ],
  ['an unknown member', 'name: w\nquorum: 1\n', /quorum/],
  ['no YAML', 'name: [\n', /./],
]

for (const [why, text, problem] of BAD_WITNESS)
  test(`loadWitnessConfig refuses: ${why}`, () => {
    const problems = problemsIn(() => loadWitnessConfig(text, 'x'))
    assert.ok(
      problems.some((each) => problem.test(each)),
      inspect(problems),
    )
  })
