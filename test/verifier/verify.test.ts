import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { toBase64, utf8 } from '#base/bytes.ts'
import { newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import {
  openCheckpoint,
  peekCheckpoint,
  printHead,
  signCheckpoint,
  type Head,
} from '#trust/ledger/checkpoint.ts'
import { verifyDisclosure } from '#trust/ledger/commitment.ts'
import { ed25519Cosigner, mlDsa44Cosigner } from '#trust/ledger/cosignature.ts'
import { leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { noteSigner, parseVerifierKey, printVerifierKey, type NoteSigner } from '#trust/ledger/note.ts'
import { parseLeaf } from '#trust/ledger/leaf.ts'
import { verifyInclusion } from '#trust/ledger/proof.ts'
import { parseReceipts } from '#trust/ledger/receipt.ts'
import { ReceiptMaker } from '#trust/ledger/receipt_maker.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { TiledLog } from '#trust/ledger/tiled_log.ts'
import { writeStandardTree } from '../support/exported_log.ts'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
  readAll,
} from '../support/ledger_fixture.ts'
import { VERIFIER, verifier, type Found } from '../support/verifier.ts'

const ENTRIES = 20
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-verifier-'))
after(() => fs.rmSync(folder, { recursive: true, force: true }))

const text = { receipt: '', old: '', new: '', proof: '' }
const key = { log: '', mlDsa: '', witness: '', otherWitness: '', mlDsaWitness: '', stranger: '' }
const signers: NoteSigner[] = []
let head: Head

before(async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  for (let at = 0; at < ENTRIES; at += 2) {
    const first = intent(at)
    await ledger.append(first)
    await ledger.append(outcome(first, at))
    if (at === 8) text.old = await ledger.checkpoint()
  }
  text.new = await ledger.checkpoint()
  const log = await newestFolder(files)
  const entries = await readAll(files, { sidecarKey: KEYS.sidecarKey, from: 4, to: 6 })
  text.receipt =
    (await new ReceiptMaker(files, new TiledLogs(files, LEDGER)).receiptsOf(entries, () => true)) ?? ''
  const proof = await new TiledLog(files, log).consistencyProof(10, ENTRIES)
  text.proof = proof.map((hash) => `${toBase64(hash)}\n`).join('')
  await writeStandardTree(files, log, place('log'))
  head = peekCheckpoint(text.new) ?? assert.fail()
  signers.push(
    noteSigner(log.origin, KEYS.signingPem),
    mlDsa44Cosigner(log.origin, KEYS.mlDsaPem),
    ed25519Cosigner('one.example/w', newEd25519Pem()),
    ed25519Cosigner('two.example/w', newEd25519Pem()),
    mlDsa44Cosigner('one.example/w', newMlDsa44Pem()),
    noteSigner(log.origin, newEd25519Pem()),
  )
  const names = ['log', 'mlDsa', 'witness', 'otherWitness', 'mlDsaWitness', 'stranger'] as const
  for (const [at, name] of names.entries()) key[name] = printVerifierKey(signers[at] ?? assert.fail())
})

function place(name: string): string {
  return path.join(folder, name)
}

function write(name: string, content: string | Uint8Array): string {
  fs.mkdirSync(path.dirname(place(name)), { recursive: true })
  fs.writeFileSync(place(name), content)
  return place(name)
}

function run(words: readonly string[], trust = ['--key', key.log, '--witness', 'none']): Found {
  return verifier.run([...words, ...trust])
}

function wrongOf({ checks }: Found): string[] {
  return checks.filter(({ verdict }) => verdict === 'wrong').map(({ what }) => what)
}

test('receipts of a request hold: what is disclosed is said', () => {
  const found = run(['receipt', write('good', text.receipt)])
  assert.deepEqual([found.exit, found.result], [0, 'all holds'])
  const said = found.checks.map(({ what }) => what).join('\n')
  assert.match(said, /entry 4: intent \w{16}, discloses \{"address":"10\.0\.4\.4","content":"[0-9a-f]{64}"\}/)
  assert.match(said, /entry 5: outcome/)
  assert.match(said, /no witness/)
})

const HARMS: readonly (readonly [why: string, harm: (receipt: string) => string, what: RegExp])[] = [
  ['the entry', (all) => all.replace('"kid":"kid4', '"kid":"kid5'), /not the one that was signed/],
  ['its index', (all) => all.replace('index 4', 'index 5'), /not the one that was signed/],
  ['an index outside', (all) => all.replace('index 4', 'index 20'), /index or the length/],
  [
    'a hash of the proof',
    (all) => all.replace(/\n(\S{44})\n/, `\n${'A'.repeat(43)}=\n`),
    /not the one that was signed/,
  ],
  ['a hash that is missing', (all) => all.replace(/\n(\S{44})\n/, '\n'), /index or the length/],
  ['a hash that is one too many', (all) => all.replace(/\n(\S{44})\n/, '\n$1\n$1\n'), /index or the length/],
  ['the size', (all) => all.replace('\n20\n', '\n21\n'), /signature of .* is wrong/],
  ['the signature', (all) => all.replace(/(\u2014 \S+ .{20})./u, '$1+'), /signature of .* is wrong|not it/],
  [
    'no signature of the log',
    (all) => all.replaceAll(/\u2014 \S+ .*\n/gu, `\u2014 x ${toBase64(Buffer.alloc(68))}\n`),
    /no Ed25519 signature/,
  ],
  [
    'a disclosed value',
    (all) => all.replace('"value":"10.0.4.4"', '"value":"10.0.4.5"'),
    /disclosed as "address"/,
  ],
  ['a disclosed name', (all) => all.replace('open {"address"', 'open {"asked"'), /disclosed as "asked"/],
  ['a short salt', (all) => all.replace(/"salt":"[\w-]{43}"/, '"salt":"AAAA"'), /disclosed as "address"/],
  [
    'a salt that is read as another text too',
    (all) => all.replace(/"salt":"([\w-]{43})"/, '"salt":"!$1="'),
    /disclosed as "address"/,
  ],
  ['a salt in a list', (all) => all.replace(/"salt":("[\w-]{43}")/, '"salt":[$1]'), /disclosed as "address"/],
  [
    'a salt that no text can be made of',
    (all) => all.replace(/"salt":"[\w-]{43}"/, '"salt":{"toString":1,"valueOf":1}'),
    /disclosed as "address"/,
  ],
  [
    'words beside a disclosed value that nothing commits to',
    (all) => all.replace('{"salt"', '{"approved":true,"salt"'),
    /disclosed as "address"/,
  ],
  [
    'something disclosed that is nothing',
    (all) => all.replace(/open .*/, 'open {"address":null}'),
    /disclosed as "address"/,
  ],
  [
    'a value that is disclosed twice',
    (all) => all.replace('open {', 'open {"address":{"salt":"","value":""},'),
    /not canonical/,
  ],
  ['an entry that is not canonical', (all) => all.replace('entry {', 'entry { '), /not canonical/],
  ['an entry that is no object', (all) => all.replace(/entry .*/, 'entry [1]'), /not canonical/],
  ['an entry that is no JSON', (all) => all.replace(/entry .*/, 'entry {'), /JSON/],
  [
    'an entry that nests without end',
    (all) => all.replace(/entry .*/, `entry ${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
    /./,
  ],
  ['an entry of another version', (all) => all.replace('"v":1}', '"v":2}'), /not an entry/],
  ['an entry of an unknown kind', (all) => all.replace('"kind":"intent"', '"kind":"intend"'), /not an entry/],
  ['an entry with an id of another form', (all) => all.replace(/"id":"\w/, '"id":"-'), /not an entry/],
  [
    'commitments of another form',
    (all) => all.replace(/"commit":\{.*?\}/, '"commit":{"address":1}'),
    /not an entry/,
  ],
  ['an unknown field', (all) => all.replace('"v":1}', '"v":1,"vow":1}'), /not an entry: "vow"/],
  [
    'an unknown field that ends as a known one begins',
    (all) => all.replace('"v":1}', '"v":1,"x\\"after\\":":1}'),
    /not an entry: "x/,
  ],
  [
    'a field of another type',
    (all) => all.replace(/"policies":\[.*?\]/, '"policies":1'),
    /not an entry: "pol/,
  ],
  ['a missing field', (all) => all.replace(/"id":"\w+",/, ''), /not an entry: "id"/],
  [
    'a pseudonym of another form',
    (all) => all.replace(/"caller":"../, '"caller":"'),
    /not an entry: "caller"/,
  ],
  ['no commitments', (all) => all.replace(/"commit":\{.*?\}/, '"commit":null'), /not an entry/],
  ['another first line', (all) => all.replace('receipt v1', 'receipt v2'), /not a receipt/],
  ['something before it', (all) => `x\n${all}`, /not a receipt/],
  ['nothing', () => '', /not a receipt/],
  ['another proof', (all) => all.replace('tlog-proof@v1', 'tlog-proof@v2'), /not a receipt/],
  [
    'a control character in the checkpoint',
    (all) => all.replace(/\n20\n/, '\n20\n\u0007\n'),
    /not a signed note/,
  ],
  ['an empty extension line', (all) => all.replace(/\n\n\u2014/u, '\n\n\n\u2014'), /not a checkpoint/],
  ['a signature line of another form', (all) => all.replace('\u2014 ', '- '), /not a signature/],
]
for (const [at, [why, harm, what]] of HARMS.entries())
  test(`a receipt does not hold: ${why}`, () => {
    const changed = harm(text.receipt)
    assert.notEqual(changed, text.receipt)
    const found = run(['receipt', write(`harm${at}`, changed)])
    assert.equal(found.exit, 1)
    assert.match(wrongOf(found).join('\n'), what)
  })

test('keys are never taken from what is verified', () => {
  const file = write('good', text.receipt)
  const other = key.stranger
  assert.match(
    wrongOf(run(['receipt', file], ['--key', other, '--witness', 'none']))[0] ?? '',
    /no Ed25519 signature/,
  )
  const foreign = printVerifierKey(noteSigner('other.example/log', KEYS.signingPem))
  assert.match(
    wrongOf(run(['receipt', file], ['--key', foreign, '--witness', 'none']))[0] ?? '',
    /no --key was given/,
  )
})

test('of several keys of one kind one must have signed, and of several kinds one of each', async () => {
  const write2 = async (name: string, by: readonly number[]): Promise<string> => {
    const note = await signCheckpoint(
      head,
      by.map((at) => signers[at] ?? assert.fail()),
      1_000,
    )
    return write(name, text.receipt.replaceAll(text.new, note))
  }
  const only = await write2('only-ed25519', [0])
  const both = ['--key', key.log, '--key', key.mlDsa, '--witness', 'none']
  assert.equal(run(['receipt', only], ['--key', key.stranger, '--key', key.log, '--witness', 'none']).exit, 0)
  assert.match(wrongOf(run(['receipt', only], both))[0] ?? '', /no ML-DSA-44 signature/)
  assert.equal(run(['receipt', await write2('with-both', [0, 1])], both).exit, 0)
})

test('witnesses are counted by their names: against the quorum', async () => {
  const note = async (by: readonly number[]): Promise<string> =>
    await signCheckpoint(
      head,
      by.map((at) => signers[at] ?? assert.fail()),
      1_700_000_000_000,
    )
  const [one, two, mlDsa] = [key.witness, key.otherWitness, key.mlDsaWitness]
  const rows: readonly (readonly [
    by: number[],
    witnesses: string[],
    quorum: string | undefined,
    exit: number,
  ])[] = [
    [[0, 2], [one], undefined, 0],
    [[0, 2], [one, two], '1', 0],
    [[0, 2], [one, two], undefined, 1],
    [[0, 2, 3], [one, two], '2', 0],
    [[0], [one], undefined, 1],
    // Two keys of one witness are one witness.
    [[0, 2, 4], [one, mlDsa], undefined, 0],
    [[0, 2, 4], [one, mlDsa, two], '2', 1],
    [[0, 4], [one, mlDsa], undefined, 0],
    // Lines of others do not count, and do no harm.
    [[0, 3], [one], undefined, 1],
    [[0, 2, 3], [one], undefined, 0],
  ]
  for (const [at, [by, witnesses, quorum, exit]] of rows.entries()) {
    const file = write(`quorum${at}`, text.receipt.replaceAll(text.new, await note(by)))
    const trust = ['--key', key.log, ...witnesses.flatMap((each) => ['--witness', each])]
    const found = run(['receipt', file], quorum === undefined ? trust : [...trust, '--quorum', quorum])
    assert.equal(found.exit, exit, `row ${at}: ${JSON.stringify(found.checks)}`)
  }
})

test('a key is one whatever it is called: a witness with two names, and the log under another one', () => {
  const pem = newEd25519Pem()
  const [one, two, log] = [
    ed25519Cosigner('one.example/w', pem),
    ed25519Cosigner('two.example/w', pem),
    ed25519Cosigner('three.example/w', KEYS.signingPem),
  ].map(printVerifierKey)
  const words = (...witnesses: readonly (string | undefined)[]): readonly string[] =>
    witnesses.flatMap((each) => ['--witness', each ?? assert.fail()])
  const run2 = (...witnesses: readonly (string | undefined)[]): Found =>
    run(['receipt', write('good', text.receipt)], ['--key', key.log, ...words(...witnesses)])
  assert.throws(() => run2(one, two), /a key with two names is one key/)
  assert.throws(() => run2(log), /a key with two names is one key/)
  // One that is given twice is one that is given once.
  assert.equal(run2(one, one).exit, 1)
})

test('a wrong signature of a known witness spoils all: whatever the quorum is', async () => {
  const [log = assert.fail(), , one = assert.fail(), two = assert.fail()] = signers
  const good = await signCheckpoint(head, [log, one, two], 1_000)
  const other = await signCheckpoint({ ...head, size: 19 }, [two], 1_000)
  const line = (note: string): string => /\u2014 two\.example.*\n/u.exec(note)?.[0] ?? assert.fail()
  const file = write('spoiled', text.receipt.replaceAll(text.new, good.replace(line(good), line(other))))
  const trust = ['--key', key.log, '--witness', key.witness, '--witness', key.otherWitness, '--quorum', '1']
  assert.match(wrongOf(run(['receipt', file], trust))[0] ?? '', /two\.example\/w is wrong/)
})

const PACKS: readonly (readonly [why: string, files: () => readonly string[], exit: number])[] = [
  ['both receipts of one file', () => [text.receipt], 0],
  ['each in a file of its own', () => text.receipt.split(/(?=gatehouse receipt v1\n)/), 0],
  ['one of them twice', () => [text.receipt, text.receipt], 1],
  ['none at all', () => [], 1],
]
for (const [at, [why, files, exit]] of PACKS.entries())
  test(`a pack has each entry once, under one checkpoint: ${why}`, () => {
    fs.mkdirSync(place(`pack${at}`))
    for (const [number, each] of files().entries()) write(`pack${at}/${number}`, each)
    assert.equal(run(['pack', place(`pack${at}`)]).exit, exit)
  })

test('a pack under two checkpoints is none, where each receipt alone holds', async () => {
  const again = await signCheckpoint(head, [signers[0] ?? assert.fail()], 1_000)
  const [first = '', second = ''] = text.receipt.split(/(?=gatehouse receipt v1\n)/)
  const file = write('two-checkpoints', first + second.replace(text.new, again))
  assert.equal(run(['receipt', file]).exit, 0)
  assert.match(wrongOf(run(['pack', file]))[0] ?? '', /one checkpoint/)
})

test('receipts that contradict each other do not hold: the log has signed two trees of one size, or two entries in one place', async () => {
  const signer = signers[0] ?? assert.fail()
  const receiptOf = async (size: number, what: string): Promise<string> => {
    const leaf = utf8(`{"at":1,"id":"${'A'.repeat(16)}","kind":"note","v":1,"what":"${what}"}`)
    const hashes = [leafHash(leaf), ...Array.from({ length: size - 1 }, () => leafHash(utf8('x')))]
    const note = await signCheckpoint({ origin: head.origin, size, root: rootOf(hashes) }, [signer], 1_000)
    const rest = hashes.slice(1).map((hash) => `${toBase64(hash)}\n`)
    const proof = `c2sp.org/tlog-proof@v1\nindex 0\n${rest.join('')}\n${note}`
    return `gatehouse receipt v1\nentry ${Buffer.from(leaf).toString()}\n${proof}`
  }
  const [one, other, larger] = [
    await receiptOf(1, 'one'),
    await receiptOf(1, 'other'),
    await receiptOf(2, 'other'),
  ]
  for (const each of [one, other, larger, one + one, other + larger])
    assert.equal(run(['receipt', write('alone', each)]).exit, 0)
  const told = (...texts: readonly string[]): string =>
    wrongOf(run(['receipt', ...texts.map((each, at) => write(`contradiction${at}`, each))])).join('\n')
  assert.match(told(one, other), /^entry 0: forked: another receipt has another [^ ]+ 1 entries$/)
  assert.match(told(one, larger), /^entry 0: forked: another receipt has another [^ ]+ entry 0$/)
})

test('a folder without any receipt is a finding: nothing in it was looked at', () => {
  fs.mkdirSync(place('without'), { recursive: true })
  const good = write('good', text.receipt)
  for (const words of [
    ['receipt', good, place('without')],
    ['pack', good, place('without')],
    ['log', place('log'), '--receipts', place('without')],
  ])
    assert.match(wrongOf(run(words)).join('\n'), /a folder is empty/)
})

test('a log is known elsewhere as far as somebody kept a checkpoint: receipts may come from the log itself', () => {
  const [good, old] = [write('good', text.receipt), write('old', text.old)]
  const said = (...words: readonly string[]): string | undefined => run(words).checks.at(-1)?.what
  assert.match(said('log', place('log'), '--receipts', good) ?? '', /, 0 known elsewhere$/)
  assert.match(said('log', place('log'), '--receipts', good, '--against', old) ?? '', /, 10 known elsewhere$/)
  assert.match(said('consistency', old, place('log')) ?? '', /, 10 known elsewhere$/)
})

test('consistency holds: by a proof, and by the hash tiles of a log', () => {
  const [old, now, proof] = [write('old', text.old), write('new', text.new), write('proof', text.proof)]
  assert.equal(run(['consistency', old, now, proof]).exit, 0)
  assert.equal(run(['consistency', old, place('log')]).exit, 0)
  fs.cpSync(place('log'), place('hashes'), { recursive: true })
  fs.rmSync(place('hashes/tile/entries'), { recursive: true })
  assert.equal(run(['consistency', old, place('hashes')]).exit, 0)
  assert.equal(run(['log', place('hashes')]).exit, 1)
})

test('every log begins with the empty one: with no proof', async () => {
  const empty = { origin: head.origin, size: 0, root: rootOf([]) }
  const sign = async (each: Head): Promise<string> =>
    await signCheckpoint(each, [signers[0] ?? assert.fail()], 1_000)
  const [first, other] = [
    write('empty', await sign(empty)),
    write('other', await sign({ ...empty, root: head.root })),
  ]
  const [now, none] = [write('new', text.new), write('none', '')]
  assert.equal(run(['consistency', first, now, none]).exit, 0)
  assert.equal(run(['consistency', first, place('log')]).exit, 0)
  assert.equal(run(['consistency', other, now, none]).exit, 1)
  assert.equal(run(['consistency', first, now, write('proof', text.proof)]).exit, 1)
  assert.equal(run(['consistency', other, place('log')]).exit, 1)
})

test('consistency does not hold: rolled back, forked, another proof', async () => {
  const [old, now, proof] = [write('old', text.old), write('new', text.new), write('proof', text.proof)]
  const forkHead = {
    origin: head.origin,
    size: 10,
    root: rootOf(['a', 'b'].map((each) => leafHash(utf8(each)))),
  }
  const fork = write('fork', await signCheckpoint(forkHead, [signers[0] ?? assert.fail()], 1_000))
  const short = write('short', text.proof.split('\n').slice(1).join('\n'))
  const rows: readonly (readonly [words: string[], what: RegExp])[] = [
    [[now, old, proof], /rolled back/],
    [[fork, now, proof], /forked/],
    [[fork, place('log')], /forked: entries 0 to 9/],
    [[old, now, short], /wrong length/],
    [[old, now, write('no-hash', 'x\n')], /not it/],
    [[old, now, write('more', `${text.proof}x`)], /not it/],
  ]
  for (const [words, what] of rows) assert.match(wrongOf(run(['consistency', ...words])).join('\n'), what)
  assert.match(wrongOf(run(['log', place('log'), '--against', fork])).join('\n'), /forked/)
})

test('a log is compared with receipts of it: their entries, and their checkpoints', () => {
  const good = write('good', text.receipt)
  assert.equal(run(['log', place('log'), '--receipts', good]).exit, 0)
  fs.cpSync(place('log'), place('changed'), { recursive: true })
  const bundle = place(`changed/tile/entries/000.p/${ENTRIES}`)
  fs.writeFileSync(
    bundle,
    Buffer.from(fs.readFileSync(bundle).toString('latin1').replace('kid4', 'kid5'), 'latin1'),
  )
  const wrong = wrongOf(run(['log', place('changed'), '--receipts', good]))
  assert.ok(
    wrong.some((what) => what === 'entry 4: not the entry of its receipt'),
    wrong.join('\n'),
  )
})

test('a log with an entry that is none does not hold, although its tree does', async () => {
  const leaves = [utf8('{"v":1}'), utf8('x')]
  const hashes = leaves.map(leafHash)
  const note = await signCheckpoint(
    { origin: head.origin, size: 2, root: rootOf(hashes) },
    [signers[0] ?? assert.fail()],
    1_000,
  )
  write('strange/checkpoint', note)
  write('strange/tile/0/000.p/2', Buffer.concat(hashes))
  write(
    'strange/tile/entries/000.p/2',
    Buffer.concat(leaves.flatMap((leaf) => [Buffer.from([0, leaf.length]), leaf])),
  )
  assert.match(
    wrongOf(run(['log', place('strange')])).join('\n'),
    /entry 0: not an entry: "kind".*\nentry 1: .*JSON/,
  )
  assert.match(wrongOf(run(['log', place('strange')])).join('\n'), /entry 0/)
})

test('nothing is read without a bound, and nothing but plain files', () => {
  const big = write('big', '')
  fs.truncateSync(big, 64 * 1024 * 1024 + 1)
  assert.match(wrongOf(run(['receipt', big]))[0] ?? '', /over 67108864 bytes/)
  assert.match(wrongOf(run(['log', write('not-a-folder', '')]))[0] ?? '', /no plain file/)
  fs.cpSync(place('log'), place('bigtile'), { recursive: true })
  fs.truncateSync(place(`bigtile/tile/0/000.p/${ENTRIES}`), 8_193)
  assert.match(wrongOf(run(['log', place('bigtile')]))[0] ?? '', /over 8192 bytes/)
})

test('what the system does not let be read is a finding: the rest is looked at', () => {
  write('loop/good', text.receipt)
  fs.symlinkSync('bad', place('loop/bad'))
  const found = run(['receipt', place('loop')])
  assert.equal(found.exit, 1)
  assert.match(wrongOf(found).join('\n'), /^[^\n]*loop\/bad: ELOOP[^\n]*$/)
  assert.equal(found.checks.at(-1)?.verdict, 'ok')
  fs.cpSync(place('log'), place('loop-log'), { recursive: true })
  const tile = place(`loop-log/tile/0/000.p/${ENTRIES}`)
  fs.rmSync(tile)
  fs.symlinkSync(path.basename(tile), tile)
  assert.match(wrongOf(run(['log', place('loop-log')])).join('\n'), /ELOOP/)
})

const MISUSES: readonly (readonly [why: string, words: () => readonly string[]])[] = [
  ['nothing is said', () => []],
  ['another command', () => ['verify', 'x', '--key', key.log, '--witness', 'none']],
  ['a name of all objects', () => ['constructor', 'x', '--key', key.log, '--witness', 'none']],
  ['no key', () => ['receipt', place('good'), '--witness', 'none']],
  ['no witness, and it is not said that there is none', () => ['receipt', place('good'), '--key', key.log]],
  ['a file that is not there', () => ['receipt', place('absent'), '--key', key.log, '--witness', 'none']],
  ['no file', () => ['receipt', '--key', key.log, '--witness', 'none']],
  ['two logs', () => ['log', place('log'), place('log'), '--key', key.log, '--witness', 'none']],
  ['one checkpoint alone', () => ['consistency', place('good'), '--key', key.log, '--witness', 'none']],
  [
    'an option that is not there',
    () => ['receipt', place('good'), '--key', key.log, '--witness', 'none', '--all'],
  ],
  ['a key of another form', () => ['receipt', place('good'), '--key', 'x', '--witness', 'none']],
  [
    'a key with the id of another',
    () => [
      'receipt',
      place('good'),
      '--key',
      key.log.replace(/\+\w{8}\+/, '+00000000+'),
      '--witness',
      'none',
    ],
  ],
  [
    'the key of a witness as that of a log',
    () => ['receipt', place('good'), '--key', key.witness, '--witness', 'none'],
  ],
  [
    'the key of a log as that of a witness',
    () => ['receipt', place('good'), '--key', key.log, '--witness', key.log],
  ],
  [
    'the second key of a log as that of a witness',
    () => ['receipt', place('good'), '--key', key.log, '--witness', key.mlDsa],
  ],
  [
    'a quorum of none',
    () => ['receipt', place('good'), '--key', key.log, '--witness', key.witness, '--quorum', '0'],
  ],
  [
    'a quorum of more than there are',
    () => ['receipt', place('good'), '--key', key.log, '--witness', key.witness, '--quorum', '2'],
  ],
  ...(['receipt', 'pack', 'consistency'] as const).flatMap((command) =>
    (['against', 'receipts'] as const).map(
      (option) =>
        [
          `${command} --${option}, which would not be looked at`,
          () => {
            const [old, good] = [write('old', text.old), write('good', text.receipt)]
            const places = command === 'consistency' ? [old, place('log')] : [good]
            return [command, ...places, `--${option}`, old, '--key', key.log, '--witness', 'none']
          },
        ] as const,
    ),
  ),
  ['a key of a log with a name that ML-DSA-44 cannot sign', () => longNamed('key')],
  ['a key of a witness with a name that ML-DSA-44 cannot sign', () => longNamed('witness')],
  [
    'a quorum that is no number',
    () => ['receipt', place('good'), '--key', key.log, '--witness', key.witness, '--quorum', 'x'],
  ],
]
function longNamed(use: 'key' | 'witness'): readonly string[] {
  const named = (length: number): readonly string[] => {
    const [one, two] = [noteSigner, ed25519Cosigner].map((by) => by('n'.repeat(length), newEd25519Pem()))
    const more = printVerifierKey((use === 'key' ? one : two) ?? assert.fail())
    return ['receipt', place('good'), '--key', key.log, '--witness', key.witness, `--${use}`, more]
  }
  verifier.run(named(255))
  return named(256)
}

for (const [why, words] of MISUSES)
  test(`wrong use is told from a finding: ${why}`, () => {
    write('good', text.receipt)
    assert.throws(() => verifier.run(words()))
  })

test('parseLeaf takes what Gatehouse writes, and refuses text that is not UTF-8', () => {
  const [, leaf = ''] = /^entry (.*)$/m.exec(text.receipt) ?? []
  assert.ok(verifier.parseLeaf(Buffer.from(leaf)))
  assert.throws(() => verifier.parseLeaf(Buffer.concat([Buffer.from(leaf), Buffer.of(0xff)])))
})

test('a head that is printed is read back', () => {
  const note = `${printHead(head)}\n\u2014 x ${toBase64(Buffer.alloc(68))}\n`
  const read = verifier.parseCheckpoint(note)
  assert.deepEqual(
    [read.origin, read.size, toBase64(read.root)],
    [head.origin, head.size, toBase64(head.root)],
  )
})

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function spawnVerifier(node: string, words: readonly string[], program = VERIFIER): Ended {
  return spawnSync(node, [program, ...words], { encoding: 'utf8' })
}

test('the program ends as it found: for people and for programs', () => {
  const file = write('good', text.receipt)
  const trust = ['--key', key.log, '--witness', 'none']
  const node = process.execPath
  const good = spawnVerifier(node, ['receipt', file, ...trust])
  assert.deepEqual([good.status, good.stdout.split('\n').at(-2)], [0, 'all holds'])
  const json = JSON.parse(spawnVerifier(node, ['receipt', file, ...trust, '--json']).stdout)
  assert.deepEqual([json.exit, json.result, json.checks.at(-1).index], [0, 'all holds', 5])
  const bad = write('bad', text.receipt.replace('kid4', 'kid5'))
  assert.equal(spawnVerifier(node, ['receipt', bad, ...trust]).status, 1)
  assert.equal(spawnVerifier(node, ['receipt', file]).status, 2)
  fs.symlinkSync(VERIFIER, place('linked.mjs'))
  assert.equal(spawnVerifier(node, ['receipt', bad, ...trust], place('linked.mjs')).status, 1)
})

test('the program says how it is called, whatever it is called with', () => {
  for (const words of [[], ['--help'], ['-h'], ['receipt'], ['receipt', place('good'), '--keys', 'x']]) {
    const { status, stderr } = spawnVerifier(process.execPath, words)
    assert.equal(status, 2)
    assert.match(stderr, /verify\.mjs receipt\|pack\|log\|consistency PATH/)
  }
})

test('the program prints nothing that shows a line as another one: bidirectional controls, control characters', () => {
  const name = '\u202e\u2066\u0007\u009b'
  const { stdout } = spawnVerifier(process.execPath, [
    'receipt',
    write(`odd${name}`, 'x'),
    '--key',
    key.log,
    '--witness',
    'none',
  ])
  assert.match(stdout, /odd\\u202e\\u2066\\u0007\\u009b: not a receipt/)
})

test('the program prints nothing that looks like something else: letters of other scripts, or spaces that fill a line', () => {
  // Letters that nobody sees, one that looks like an "a", one that turns digits around, and what wraps as a line of its own.
  const name = `odd\u3164\u2800\u0430\u05d0 1${' '.repeat(80)}ok: entry 7`
  const trust = ['--key', key.log, '--witness', 'none']
  const { stdout } = spawnVerifier(process.execPath, ['receipt', write(name, 'x'), ...trust])
  assert.match(stdout, /^[ -~\n]+$/)
  assert.doesNotMatch(stdout, / {2}/)
  assert.ok(
    stdout.includes(`odd\\u3164\\u2800\\u0430\\u05d0 1${'\\u0020'.repeat(79)} ok: entry 7: not a receipt`),
  )
})

test('the program says what is missing in plain characters: a link that leads nowhere names itself', () => {
  fs.symlinkSync('nowhere', place('\u001b[2Jgone'))
  const trust = ['--key', key.log, '--witness', 'none']
  const { status, stderr } = spawnVerifier(process.execPath, ['receipt', place('\u001b[2Jgone'), ...trust])
  assert.equal(status, 2)
  assert.match(stderr, /^there is no [ -~]*\\u001b\[2Jgone\n/)
})

test('the program runs whatever it is called by: a link that Node does not follow', () => {
  fs.symlinkSync(VERIFIER, place('kept.mjs'))
  const words = ['--preserve-symlinks-main', place('kept.mjs'), 'receipt', write('bad-link', 'x')]
  const { status } = spawnSync(process.execPath, [...words, '--key', key.log, '--witness', 'none'])
  assert.equal(status, 1)
})

test('the program prints JSON in ASCII: a terminal that shows it shows no line as another one', () => {
  // DEL, C1, the bidirectional controls, separators of lines, and a tag, which is two units of UTF-16.
  const name = 'odd\u007f\u009b\u202e\u2066\u2028\u{e0041}'
  const trust = ['--key', key.log, '--witness', 'none', '--json']
  const { stdout } = spawnVerifier(process.execPath, ['receipt', write(name, 'x'), ...trust])
  assert.match(stdout, /^[ -~]+\n$/)
  assert.match(stdout, /odd\\u007f\\u009b\\u202e\\u2066\\u2028\\udb40\\udc41: not a receipt/)
  assert.equal(JSON.parse(stdout).checks.at(-1).what, `${place(name)}: not a receipt`)
})

test('a tree is compared with many checkpoints at the price of one for each size: whoever sends them', async () => {
  const checkpoint = verifier.parseCheckpoint(text.new)
  // Each tells when it is asked for its size: once to be put in order, and not again for every entry.
  let asked = 0
  const points = Array.from({ length: 50 }, () => ({
    ...checkpoint,
    get size() {
      asked += 1
      return checkpoint.size
    },
  }))
  const report = new verifier.Report()
  verifier.checkTree(place('log'), checkpoint, { report, points })
  assert.deepEqual(
    report.checks.map(({ verdict }) => verdict),
    ['ok'],
  )
  assert.ok(asked < points.length * ENTRIES, `asked ${asked} times`)
})

const OLD_NODE = ['node', '/usr/bin/node', '/usr/local/bin/node'].find((node) => {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && /^v2[0-3]\./.test(stdout)
})
test(
  'what the runtime cannot check is not checked, and never ok',
  { skip: OLD_NODE === undefined && 'there is no Node 20 to 23 on this machine' },
  async () => {
    const note = await signCheckpoint(
      head,
      [signers[0], signers[1], signers[2], signers[4]].map((each) => each ?? assert.fail()),
      1_000,
    )
    const file = write('both', text.receipt.replaceAll(text.new, note))
    const rows: readonly (readonly [trust: string[], exit: number])[] = [
      [['--key', key.log, '--witness', 'none'], 0],
      [['--key', key.log, '--key', key.mlDsa, '--witness', 'none'], 3],
      [['--key', key.mlDsa, '--witness', 'none'], 3],
      [['--key', key.log, '--witness', key.mlDsaWitness], 3],
      [['--key', key.log, '--witness', key.witness, '--witness', key.mlDsaWitness], 3],
      [['--key', key.log, '--witness', key.mlDsaWitness, '--witness', key.otherWitness], 1],
    ]
    for (const [at, [trust, exit]] of rows.entries())
      assert.equal(spawnVerifier(OLD_NODE ?? '', ['receipt', file, ...trust]).status, exit, `row ${at}`)
  },
)

test('the example of docs/reference/receipts.md holds: in both programs', () => {
  const page = fs.readFileSync(path.resolve(import.meta.dirname, '../../docs/reference/receipts.md'), 'utf8')
  const [, receipt = ''] = /^```text\n(gatehouse receipt v1\n[^`]*)```$/m.exec(page) ?? []
  const [, noted = ''] = /^Its key is `([^`]+)`/m.exec(page) ?? []
  const found = run(['receipt', write('example', receipt)], ['--key', noted, '--witness', 'none'])
  assert.deepEqual([found.exit, wrongOf(found)], [0, []])
  const [read = assert.fail()] = parseReceipts(receipt) ?? []
  const { index, hashes, checkpoint } = read.proof
  const stated = openCheckpoint(checkpoint, parseVerifierKey(noted) ?? assert.fail()) ?? assert.fail()
  const claim = { index, size: stated.size, leafHash: leafHash(read.leaf), root: stated.root, proof: hashes }
  assert.ok(verifyInclusion(claim))
  for (const [name, { value, salt }] of Object.entries(read.disclosed))
    assert.ok(verifyDisclosure(parseLeaf(read.leaf), name, value, salt))
})

test('verify.mjs reads no file without a size: a link in what was sent could lead to one that has no end', (t) => {
  const endless = '/proc/self/pagemap'
  if (!fs.existsSync(endless)) return t.skip('this system has no such file')
  const sent = path.join(folder, 'endless')
  fs.mkdirSync(sent)
  fs.symlinkSync(endless, path.join(sent, 'a.receipt'))
  // Without the bound it would take memory until there is none.
  const words = [VERIFIER, 'receipt', sent, '--key', key.log, '--witness', 'none']
  const program = ['-c', 'ulimit -t 10; exec "$@"', 'sh', process.execPath, ...words]
  const { status, stdout } = spawnSync('sh', program, { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stdout, /wrong: .*a\.receipt: not a receipt/)
  return undefined
})
