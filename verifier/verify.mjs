// Checks what the ledger of a Gatehouse gives out, with Node 20 or newer and no code of Gatehouse. Nothing that is checked
// is trusted, least of all a key in it: keys come from the command line. What each command proves, and what not: README.md.
import { createHash, verify } from 'node:crypto'
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
export class Wrong extends Error {}
function must(holds, what) {
  if (!holds) throw new Wrong(what)
}
// Nothing is read without a bound, in bytes. A leaf has at most 65,535 (c2sp.org/tlog-tiles, "Log entries").
const MOST = { note: 131_072, tile: 8_192, entries: 256 * 65_537, receipts: 67_108_864, leaf: 65_535 }
/** Beyond 2^53 - 1 numbers are rounded, and two look like one. */
const isCount = (value) => Number.isSafeInteger(value) && value >= 0

// The tree of RFC 9162 section 2.1 over SHA-256.
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
export const leafHash = (leaf) => sha256(Buffer.of(0), leaf)
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right)
/** The largest power of two below a size: where a tree of that size is split. */
const split = (size, power = 1) => (power * 2 < size ? split(size, power * 2) : power)
/** The root to which an inclusion proof leads: the definition of PATH (section 2.1.3.1) read backwards. */
export function inclusionRoot(index, size, hash, proof) {
  const isIn = isCount(index) && isCount(size) && index < size && hash.length === 32
  must(isIn && (size === 1) === (proof.length === 0), 'the index or the length of the proof is wrong')
  if (size === 1) return hash
  const [half, rest, sibling] = [split(size), proof.slice(0, -1), proof.at(-1)]
  if (index < half) return nodeHash(inclusionRoot(index, half, hash, rest), sibling)
  return nodeHash(sibling, inclusionRoot(index - half, size - half, hash, rest))
}
/** The roots of both trees to which a consistency proof leads: SUBPROOF (section 2.1.4.1) read backwards. */
export function consistencyRoots(first, second, firstRoot, proof) {
  must(isCount(first) && isCount(second) && first >= 1 && first <= second, 'the sizes are wrong')
  // The part that is the whole old tree is known by its checkpoint; any other part comes with the proof.
  const walk = (old, size, known, hashes) => {
    const [half, rest, sibling] = [split(size), hashes.slice(0, -1), hashes.at(-1)]
    must(old === size ? hashes.length === (known ? 0 : 1) : hashes.length > 0, 'the proof has a wrong length')
    if (old === size) return [known ?? sibling, known ?? sibling]
    if (old > half) return walk(old - half, size - half, null, rest).map((hash) => nodeHash(sibling, hash))
    const [before, after] = walk(old, half, known, rest)
    return [before, nodeHash(after, sibling)]
  }
  return walk(first, second, firstRoot, proof)
}
class Tree {
  size = 0
  #peaks = []
  /** Appends a leaf, and tells of every hash that a tile has: one is eight levels high (c2sp.org/tlog-tiles, "Merkle Tree"). */
  append(hash, tell) {
    this.size += 1
    for (let height = 0; ; height++) {
      if (height % 8 === 0) tell(height / 8, this.size / 2 ** height - 1, hash)
      if (this.#peaks.at(-1)?.height !== height) return void this.#peaks.push({ height, hash })
      hash = nodeHash(this.#peaks.pop().hash, hash)
    }
  }
  root() {
    const hashes = this.#peaks.map(({ hash }) => hash)
    return hashes.length === 0 ? sha256('') : hashes.reduceRight((right, left) => nodeHash(left, right))
  }
}

// Keys, notes and signatures: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature.
const [LOG, WITNESS, ML_DSA] = [1, 4, 6]
const [ED25519_DER, ML_DSA_DER] = ['302a300506032b6570032100', '30820532300b06096086480165030403110382052100']
// By signature type. Of a signature the first bytes are its time, where a cosigner made it.
const KINDS = {
  [LOG]: { kind: 'Ed25519', uses: ['key'], keyBytes: 32, bytes: 64, der: ED25519_DER },
  [WITNESS]: { kind: 'Ed25519', uses: ['witness'], keyBytes: 32, bytes: 72, der: ED25519_DER },
  [ML_DSA]: { kind: 'ML-DSA-44', uses: ['key', 'witness'], keyBytes: 1_312, bytes: 2_428, der: ML_DSA_DER },
}
/** Reads a verifier key, `name+id+key`, for use as 'key' or 'witness'. ML-DSA has one byte for the length of a name. */
export function parseKey(text, use) {
  const [, name = '', id, encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text) ?? []
  const bytes = fromBase64(encoded)
  const kind = KINDS[bytes[0]]
  const keyId = sha256(`${name}\n`, bytes).subarray(0, 4)
  const isKey = keyId.toString('hex') === id && bytes.length === kind?.keyBytes + 1 && kind.uses.includes(use)
  must(isKey && Buffer.byteLength(name) < 256, `not a verifier key for --${use}: ${shown(text)}`)
  return { name, id: keyId, type: bytes[0], key: bytes.subarray(1), ...kind }
}
/** The bytes of a text that must be base64 in its one canonical form. */
function fromBase64(text, length = 0) {
  const bytes = Buffer.from(text, 'base64')
  must(bytes.toString('base64') === text && (!length || bytes.length === length), `not it: ${shown(text)}`)
  return bytes
}
/** Reads a checkpoint, whoever signed it. */
export function parseCheckpoint(note) {
  const end = note.lastIndexOf('\n\n')
  must(end > 0 && /^[\n -\uffff]{1,99999}\n$/.test(note), 'not a signed note')
  const [origin, size = '', root = '', ...more] = note.slice(0, end).split('\n')
  const signatures = note.slice(end + 2, -1).split('\n')
  must(origin !== '' && !more.includes('') && signatures.length <= 64, 'not a checkpoint')
  const lines = signatures.map((line) => {
    const [, name, encoded = ''] = /^\u2014 ([^+\s]+) (\S+)$/u.exec(line) ?? []
    const bytes = fromBase64(encoded)
    must(bytes.length > 4, `not a signature: ${shown(line)}`)
    return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) }
  })
  return { note, text: note.slice(0, end + 1), origin, size: parseSize(size), root: parseHash(root), lines }
}
/** 'ok', 'wrong', or 'not checked' where this Node does not have the algorithm. */
function judge({ type, name, key, der, bytes }, checkpoint, signature) {
  const time = signature.subarray(0, type === LOG ? 0 : 8)
  // ML-DSA signs no extension lines, which must not look as if it did. No date is beyond the year 9999.
  if (signature.length !== bytes || (type === ML_DSA && checkpoint.text.split('\n').length > 4))
    return 'wrong'
  if (type !== LOG && time.readBigUInt64BE() > 253_402_300_799n) return 'wrong'
  const message = signedMessage(type, name, checkpoint, time)
  try {
    const publicKey = { key: Buffer.concat([Buffer.from(der, 'hex'), key]), format: 'der', type: 'spki' }
    return verify(null, message, publicKey, signature.subarray(time.length)) ? 'ok' : 'wrong'
  } catch {
    return type === ML_DSA ? 'not checked' : 'wrong'
  }
}
function signedMessage(type, name, { text, origin, size, root }, time) {
  if (type === LOG) return Buffer.from(text)
  if (type === WITNESS) return Buffer.from(`cosignature/v1\ntime ${time.readBigUInt64BE()}\n${text}`)
  const sized = (value) => Buffer.concat([Buffer.of(Buffer.byteLength(value)), Buffer.from(value)])
  const range = Buffer.from(size.toString(16).padStart(32, '0'), 'hex')
  return Buffer.concat([Buffer.from('subtree/v1\n\0'), sized(name), time, sized(origin), range, root])
}
/** Checks who signed a checkpoint: the log with each kind of key that is given of it, and `quorum` witnesses; gives it. */
export function checkSignatures(checkpoint, { keys, witnesses, quorum }, report) {
  const { origin, size, lines } = checkpoint
  const look = (key) => {
    const own = lines.filter(({ name, id }) => name === key.name && id.equals(key.id))
    const verdicts = own.map(({ signature }) => judge(key, checkpoint, signature))
    // A known key with a wrong signature spoils a note, whatever else is on it.
    must(!verdicts.includes('wrong'), `the ${key.kind} signature of ${key.name} is wrong`)
    if (own.length > 0) report.add(verdicts[0], `${key.kind} signature of ${key.name} on ${size} entries`)
    return { ...key, verdict: verdicts[0] }
  }
  const ofLog = keys.filter(({ name }) => name === origin).map(look)
  must(ofLog.length > 0, `it is of the log ${shown(origin)}, of which no --key was given`)
  const signed = new Set(ofLog.filter(({ verdict }) => verdict).map(({ kind }) => kind))
  // Of each kind one: who could forge one kind would else leave the others out.
  for (const { kind } of ofLog) must(signed.has(kind), `no ${kind} signature of ${shown(origin)}`)
  const judged = witnesses.map(look).filter(({ verdict }) => verdict)
  const sure = new Set(judged.filter(({ verdict }) => verdict === 'ok').map(({ name }) => name)).size
  const lack = `${sure} witnesses are known to have cosigned, --quorum is ${quorum}`
  must(new Set(judged.map(({ name }) => name)).size >= quorum, lack)
  if (sure < quorum) report.add('not checked', lack)
  return checkpoint
}

/** Canonical JSON (RFC 8785), in which entries are: docs/reference/ledger-format.md. */
function canonical(value, depth = 32) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  must(depth > 0, 'nested too deep')
  const inner = (name) => canonical(value[name], depth - 1)
  if (Array.isArray(value)) return `[${value.map((_, at) => inner(at)).join()}]`
  const member = (name) => `${JSON.stringify(name)}:${inner(name)}`
  return `{${Object.keys(value).sort().map(member).join()}}`
}
/** Reads an object that must be canonical JSON: nothing can stand there twice, or be read in two ways. */
function parseCanonical(bytes) {
  const value = JSON.parse(bytes)
  must(bytes[0] === 0x7b && bytes.equals(Buffer.from(canonical(value))), 'not canonical JSON')
  return value
}
// The members of an entry as texts: canonical JSON, or null for what is in the clear and cut to its beginning and its length.
const open = (names, is) => new RegExp(`^"(${names})":(${is}|null$)`)
const isCut = (value) => Object.keys(Object(value)).join() === 'cut,length' && isCount(value.length)
const memberOf = (name, value) => `${JSON.stringify(name)}:${canonical(isCut(value) ? null : value)}`
const MEMBERS = [
  /^"(v":1|at":\d+|id":"[0-9A-Za-z]{16}"|kind":"(intent|outcome|refusal|digest|change|note)")$/,
  /^"((after|before)":.+|caller":"[\w-]{16}"|commit":\{("([^"\\]|\\[^u]|\\u.{4}){1,64}":"[\w-]{42}[AEIMQUYcgkosw048]"[,}]){1,64})$/s,
  open('action|code|effect|entities|expires|issuer|kid|listener|model|provider|reason|region|resource', '"'),
  open('route|rule|set|settled|stage|status|via|what', '"'),
  open('aal|cost|cost_reserved|count|files|ms|reserved_at|status|tries|window_ms', '[-\\d]'),
  open('tokens_(cached|charged|in|out|reserved|written)', '[-\\d]'),
  open('errors|findings|policies', '\\['),
]
export function parseLeaf(bytes) {
  must(bytes.length <= MOST.leaf, 'longer than an entry can be')
  const leaf = parseCanonical(bytes)
  const isMember = (name) => MEMBERS.some((is) => is.test(memberOf(name, leaf[name])))
  for (const name of Object.keys({ v: 0, kind: 0, id: 0, at: 0, ...leaf }))
    must(isMember(name), `not an entry: ${shown(name)} is missing, unknown or not what it has there`)
  must(isCount(leaf.at), 'not an entry: "at" is beyond what numbers hold')
  const isTwice = (name) => Object.hasOwn(leaf, name) && !/^(v|kind|id|at|commit)$/.test(name) // it could say two things
  must(!Object.keys(leaf.commit ?? {}).some(isTwice), 'not an entry: a field is in the clear and in "commit"')
  return leaf
}
/** Checks that a disclosed value is what its entry commits to under this name; the salt shows it. */
function checkOpened({ commit = {} }, name, { salt, value = null, ...more }) {
  const bytes = Buffer.from(typeof salt === 'string' ? salt : '', 'base64url')
  const isForm = bytes.toString('base64url') === salt && Object.keys(more).length === 0
  const length = Buffer.byteLength(name)
  const label = Buffer.from([length >> 8, length, ...Buffer.from(name)])
  const hash = sha256('gatehouse commitment v1\n', bytes, label, canonical(value)).toString('base64url')
  const isRight = isForm && bytes.length === 32 && Object.hasOwn(commit, name) && commit[name] === hash
  must(isRight, `what is disclosed as ${shown(name)} is not what the entry commits to`)
  return [name, value]
}
const RECEIPT =
  /^entry ([^\n]+)\n(?:open ([^\n]+)\n)?c2sp\.org\/tlog-proof@v1\nindex (\d+)\n((?:\S+\n){0,64})\n([^]+)$/u
/** Reads the receipts that stand one after another in a text: docs/reference/receipts.md. */
export function parseReceipts(text) {
  const [before, ...parts] = text.split(/(?<![^\n])gatehouse receipt v1\n/)
  const matches = parts.map((part) => RECEIPT.exec(part))
  must(before === '' && matches.length > 0 && matches.every(Boolean), 'not a receipt')
  return matches.map(([, entry, opened = '{}', index, proof, note]) => {
    const bytes = Buffer.from(entry)
    const [leaf, values] = [parseLeaf(bytes), parseCanonical(Buffer.from(opened))]
    const hashes = proof.split('\n').slice(0, -1).map(parseHash)
    return { bytes, leaf, opened: values, index: parseSize(index), hashes, checkpoint: parseCheckpoint(note) }
  })
}
/** Checks the receipts in files and folders; gives those that hold. `seen` has the checkpoints that were checked. */
function checkReceipts(places, { trust, report, seen }) {
  const known = {}
  const read = (file) => report.within(file, () => parseReceipts(readText(file, MOST.receipts))) ?? []
  const check = ({ bytes, leaf, opened, index, hashes, checkpoint }) => {
    const { note, origin, size, root } = checkpoint
    if (!seen.has(note)) seen.set(note, checkSignatures(checkpoint, trust, report))
    const isThere = inclusionRoot(index, size, leafHash(bytes), hashes).equals(root)
    must(isThere, 'not the one that was signed, or its proof was changed')
    const facts = { [`${origin} ${size} entries`]: root, [`${origin} entry ${index}`]: leafHash(bytes) }
    for (const [fact, hash] of Object.entries(facts))
      must((known[fact] ??= hash).equals(hash), `forked: another receipt has another ${fact}`)
    const values = Object.entries(opened).map(([name, each]) => checkOpened(leaf, name, Object(each)))
    const more = { origin, index, leaf, disclosed: Object.fromEntries(values) }
    report.add('ok', `entry ${index}: ${leaf.kind} ${leaf.id}, discloses ${canonical(more.disclosed)}`, more)
    return { index, bytes }
  }
  const receipts = places.flatMap(filesIn).flatMap(read)
  must(!places.some((place) => filesIn(place).length === 0), 'a folder is empty')
  return receipts.map((each) => report.within(`entry ${each.index}`, () => check(each))).filter(Boolean)
}
function checkPack(places, job) {
  const receipts = checkReceipts(places, job)
  const different = new Set(receipts.map(({ index }) => index)).size
  must(job.seen.size === 1 && different === receipts.length, 'not each entry once, under one checkpoint')
  job.report.add('ok', `${different} different entries under one checkpoint`)
}
/** Tile `number` of a level (c2sp.org/tlog-tiles), or such a bundle of 'entries', in a log of `size` entries. */
function fileOf(kind, number, size) {
  const width = Math.min(256, Math.floor(size / (kind === 'entries' ? 1 : 256 ** kind)) - number * 256)
  const digits = String(number).padStart(Math.ceil(String(number).length / 3) * 3, '0')
  const name = digits.replace(/\d{3}(?=\d)/g, 'x$&/')
  return { width, name: `tile/${kind}/${name}${width === 256 ? '' : `.p/${width}`}` }
}
/** The parts of a bundle (each behind its length) or of a tile (each 32 bytes long). */
function partsOf(bytes, kind, width) {
  const parts = []
  for (let start = 0, end; start < bytes.length; start = end) {
    if (kind === 'entries') start += 2
    end = start + (kind === 'entries' ? bytes.readUInt16BE(start - 2) : 32)
    must(end <= bytes.length, `damaged or cut behind ${parts.length} of ${width}`)
    parts.push(bytes.subarray(start, end))
  }
  must(parts.length === width, `${parts.length} in it, not ${width}`)
  return parts
}
/** Builds the tree of a log anew, and compares each tile on the way. `points` are checkpoints that were held elsewhere. */
export function checkTree(folder, { origin, size, root }, { report, points, checkEntry }) {
  const files = {}
  // What stands at a place; undefined, and reported once, where its file is damaged.
  const stored = (kind, at, number = Math.floor(at / 256)) => {
    const { width, name } = files[kind]?.number === number ? files[kind] : fileOf(kind, number, size)
    const read = () => partsOf(readFile(`${folder}/${name}`, MOST[kind] ?? MOST.tile), kind, width)
    if (files[kind]?.number !== number)
      files[kind] = { number, width, name, parts: report.within(name, read) }
    return files[kind].parts?.[at % 256]
  }
  const compare = (level, at, hash) => {
    if (stored(level, at)?.equals(hash) !== false) return
    const of = level === 0 ? `entry ${at}` : `entries ${at * 256 ** level} to ${(at + 1) * 256 ** level - 1}`
    report.add('wrong', `${files[level].name}: not the hash of ${of}`)
  }
  const tree = new Tree()
  const roots = new Map(points.map((point) => [point.size, tree.root()]))
  while (tree.size < size) {
    const leaf = checkEntry && stored('entries', tree.size)
    if (leaf) report.within(`entry ${tree.size}`, () => checkEntry(leaf, tree.size))
    const hash = leaf ? leafHash(leaf) : stored(0, tree.size)
    must(hash, `nothing is left of entry ${tree.size}, and those behind it were not looked at`)
    tree.append(hash, compare)
    if (roots.has(tree.size)) roots.set(tree.size, tree.root())
  }
  let [proven, kept] = [0, 0]
  for (const held of points.sort((left, right) => left.size - right.size))
    report.within(`against the checkpoint of ${held.size} entries`, () => {
      must(held.origin === origin, `it is of another log, ${shown(held.origin)}`)
      must(held.size <= size, `rolled back: ${size} are here`)
      must(held.root.equals(roots.get(held.size)), `forked: entries ${proven} to ${held.size - 1} are others`)
      proven = held.size
      if (held.isKept) kept = proven
    })
  must(tree.root().equals(root), `entries ${proven} to ${size - 1} are not those that were signed`)
  report.add('ok', `${size} entries of ${origin} are those that were signed, ${kept} known elsewhere`)
}
function checkLog([folder], { against, receipts, ...job }) {
  const known = new Map(checkReceipts(receipts, job).map(({ index, bytes }) => [index, bytes]))
  const points = [...job.seen.values(), ...against.map((file) => readCheckpoint(file, job, 0))]
  const checkEntry = (bytes, index) =>
    must(parseLeaf(bytes) && known.get(index)?.equals(bytes) !== false, 'not the entry of its receipt')
  checkTree(folder, readCheckpoint(`${folder}/checkpoint`, job), { ...job, points, checkEntry })
}
function checkConsistency([oldFile, place, proofFile], job) {
  const before = readCheckpoint(oldFile, job, 0)
  const after = readCheckpoint(proofFile ? place : `${place}/checkpoint`, job)
  if (!proofFile) return checkTree(place, after, { ...job, points: [before] })
  must(before.origin === after.origin && before.size <= after.size, 'of another log, or rolled back')
  const hashes = (readText(proofFile, MOST.note).match(/[^\n]+/g) ?? []).map(parseHash)
  const prove = () => consistencyRoots(before.size, after.size, before.root, hashes)
  const roots = before.size + hashes.length === 0 ? [sha256(''), after.root] : prove()
  must(roots[0].equals(before.root) && roots[1].equals(after.root), 'forked, or the proof was changed')
  job.report.add('ok', `the log of ${after.size} entries goes on from that of ${before.size}`)
}
function readFile(file, most) {
  const facts = fs.statSync(file, { throwIfNoEntry: false })
  must(facts?.isFile() && facts.size <= most, `missing, no plain file, or over ${most} bytes`)
  return facts.size > 0 ? fs.readFileSync(file) : Buffer.of() // a file without a size, as in /proc, may have no end
}
/** A checkpoint whose signatures hold. Of one that was held elsewhere no witness is asked: whoever held it is one. */
function readCheckpoint(file, { trust, report }, quorum = trust.quorum) {
  const read = () => parseCheckpoint(readText(file, MOST.note))
  const checkpoint = report.within(file, () => checkSignatures(read(), { ...trust, quorum }, report))
  must(checkpoint, 'without that checkpoint nothing more can be said')
  return { ...checkpoint, isKept: true } // as those in receipts need not be
}
const readText = (file, most) => readFile(file, most).toString('utf8')
const parseHash = (text) => fromBase64(text, 32)
function parseSize(text) {
  must(/^(0|[1-9]\d*)$/.test(text) && isCount(Number(text)), `not a number of entries: ${shown(text)}`)
  return Number(text)
}
const filesIn = (at) =>
  fs.statSync(at).isDirectory() ? fs.readdirSync(at).map((name) => `${at}/${name}`) : at
const shown = (text) => JSON.stringify(text.slice(0, 200))
export class Report {
  checks = []
  #wrong = 0
  add(verdict, what, more = {}) {
    if (verdict !== 'wrong' || this.#wrong++ < 100) this.checks.push({ verdict, what, ...more })
  }
  /** What `check` gives; undefined, and reported, where something is wrong, or cannot be read (then there is a `syscall`). */
  within(place, check) {
    try {
      return check()
    } catch (thrown) {
      const isKnown = [Wrong, SyntaxError, RangeError].some((kind) => thrown instanceof kind)
      if (!isKnown && !thrown.syscall) throw thrown
      this.add('wrong', `${place}: ${thrown.message}`)
    }
  }
}

const COMMANDS = { receipt: checkReceipts, pack: checkPack, log: checkLog, consistency: checkConsistency }
const COUNTS = { receipt: [1, 1_000], pack: [1, 1_000], log: [1, 1], consistency: [2, 3] }
const [text, texts, flag] = [{ type: 'string' }, { type: 'string', multiple: true }, { type: 'boolean' }]
const OPTIONS = { key: texts, witness: texts, quorum: text, against: texts, receipts: texts, json: flag }
const RESULTS = ['all holds', 'something does not hold', 'wrong use', 'not everything could be checked']
const USAGE = 'verify.mjs receipt|pack|log|consistency PATH... --key KEY --witness KEY|none: README.md'
/** Does what the words say. Throws for wrong use. */
export function run(args) {
  const { values: options, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
  const { key = [], witness = [], against = [], receipts = [] } = options
  const [command = '', ...places] = positionals
  const [least, most] = Object.hasOwn(COUNTS, command) ? COUNTS[command] : [1, 0]
  const isCalled = places.length >= least && places.length <= most && key.length > 0 && witness.length > 0
  must(isCalled, 'a command, its paths, --key and --witness are needed')
  must(command === 'log' || !(options.against || options.receipts), `"${command}" has no such option`)
  for (const place of [...places, ...against, ...receipts]) must(fs.existsSync(place), `there is no ${place}`)
  const keys = key.map((text) => parseKey(text, 'key'))
  const witnesses = witness.join() === 'none' ? [] : witness.map((text) => parseKey(text, 'witness'))
  must(!witnesses.some(({ name }) => keys.some((log) => log.name === name)), 'a log is no witness of itself')
  const isSame = (one, other) => one.name !== other.name && one.key.equals(other.key)
  const isNamedTwice = (one) => [...keys, ...witnesses].some((other) => isSame(one, other))
  must(!witnesses.some(isNamedTwice), 'a key with two names is one key all the same')
  const names = new Set(witnesses.map(({ name }) => name)).size
  const quorum = Number(options.quorum ?? names)
  must(quorum <= names && quorum >= Math.min(1, names), `--quorum is from 1 to ${names}`)
  const report = new Report()
  const job = { report, trust: { keys, witnesses, quorum }, against, receipts, seen: new Map() }
  if (names === 0) report.add('warning', 'no witness: whether others were shown the same log is not known')
  report.within(command, () => COMMANDS[command](places, job))
  const has = (verdict) => report.checks.some((check) => check.verdict === verdict)
  const exit = has('wrong') || !has('ok') ? 1 : has('not checked') ? 3 : 0
  return { exit, result: RESULTS[exit], checks: report.checks, isJson: options.json === true }
}
const escaped = (unit) => `\\u${unit.charCodeAt().toString(16).padStart(4, '0')}` // RFC 8259 section 7
/** Nothing looks like something else, and no spaces fill a line so that what follows looks like one of its own. */
const plain = (line) => line.replace(/[^ -~]| (?= )/g, escaped)
if (process.argv[1] && fs.realpathSync(process.argv[1]) === fs.realpathSync(fileURLToPath(import.meta.url)))
  try {
    const { isJson, ...found } = run(process.argv.slice(2))
    const lines = [...found.checks.map(({ verdict, what }) => `${verdict}: ${what}`), found.result]
    console.log((isJson ? [JSON.stringify(found)] : lines).map(plain).join('\n'))
    process.exitCode = found.exit
  } catch (thrown) {
    if (!(thrown instanceof Wrong || thrown instanceof TypeError)) throw thrown
    console.error(`${plain(thrown.message)}\n${USAGE}`)
    process.exitCode = 2
  }
