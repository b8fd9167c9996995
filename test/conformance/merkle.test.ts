import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from '#trust/ledger/proof.ts'
import { fixtureFolder, NO_CORPUS } from '../support/fixtures.ts'

interface ProofCase {
  readonly name: string
  readonly numbers: Readonly<Record<string, number>>
  readonly hashes: Readonly<Record<string, Uint8Array>>
  readonly proof: readonly Uint8Array[]
  readonly mustFail: boolean
}

const VERIFIERS: Readonly<Record<string, (each: ProofCase) => boolean>> = {
  inclusion: ({ numbers, hashes, proof }) =>
    verifyInclusion({
      index: of(numbers, 'leafIdx'),
      size: of(numbers, 'treeSize'),
      leafHash: of(hashes, 'leafHash'),
      root: of(hashes, 'root'),
      proof,
    }),
  consistency: ({ numbers, hashes, proof }) =>
    verifyConsistency({
      first: of(numbers, 'size1'),
      second: of(numbers, 'size2'),
      firstRoot: of(hashes, 'root1'),
      secondRoot: of(hashes, 'root2'),
      proof,
    }),
  subtreeinclusion: ({ numbers, hashes, proof }) =>
    verifySubtreeInclusion({
      start: of(numbers, 'start'),
      end: of(numbers, 'end'),
      index: of(numbers, 'leafIdx'),
      leafHash: of(hashes, 'leafHash'),
      root: of(hashes, 'root'),
      proof,
    }),
  subtreeconsistency: ({ numbers, hashes, proof }) =>
    verifySubtreeConsistency({
      start: of(numbers, 'start'),
      end: of(numbers, 'end'),
      size: of(numbers, 'size'),
      subtreeRoot: of(hashes, 'root1'),
      root: of(hashes, 'root2'),
      proof,
    }),
}

const folder = fixtureFolder('merkle')

test(
  'proofs verify exactly where they should: 518 public vectors, 482 of which must fail',
  { skip: folder === undefined && NO_CORPUS },
  () => {
    const cases = [
      ...readTar(gunzipSync(fs.readFileSync(path.join(folder ?? '', 'merkle-testdata.tar.gz')))),
    ].map(([name, text]) => toCase(name, text))
    const wrong = cases.filter((each) => {
      const verify = VERIFIERS[each.name.split('/')[0] ?? '']
      assert.ok(verify !== undefined, `a verifier for ${each.name}`)
      return verify(each) === each.mustFail
    })
    assert.deepEqual(
      wrong.map((each) => each.name),
      [],
    )
    assert.equal(cases.length, 518)
    assert.equal(cases.filter((each) => each.mustFail).length, 482)
  },
)

function toCase(name: string, text: string): ProofCase {
  // Numbers beyond 2^53 become unsafe numbers here, which the verifiers refuse.
  const parsed: Record<string, unknown> = JSON.parse(text)
  const numbers: Record<string, number> = {}
  const hashes: Record<string, Uint8Array> = {}
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value === 'number') numbers[key] = value
    if (typeof value === 'string') hashes[key] = Buffer.from(value, 'base64')
    // A missing hash is an empty one.
    if (value === null) hashes[key] = new Uint8Array(0)
  }
  const proof = Array.isArray(parsed['proof'])
    ? parsed['proof'].map((each) => Buffer.from(String(each), 'base64'))
    : []
  return { name, numbers, hashes, proof, mustFail: parsed['wantErr'] === true }
}

function of<T>(record: Readonly<Record<string, T>>, name: string): T {
  const value = record[name]
  assert.ok(value !== undefined, `the vector has ${name}`)
  return value
}

/** The regular files of a ustar archive. */
function* readTar(archive: Buffer): Generator<[name: string, text: string]> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    // Names over 100 characters have their first part in a field of its own.
    const name = [textAt(archive, at + 345, 155), textAt(archive, at, 100)]
      .filter((part) => part !== '')
      .join('/')
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8)
    if (archive[at + 156] === 0x30) yield [name, archive.toString('utf8', at + 512, at + 512 + size)]
    at += 512 + Math.ceil(size / 512) * 512
  }
}

function textAt(archive: Buffer, start: number, length: number): string {
  const end = archive.indexOf(0, start)
  return archive.toString('utf8', start, Math.min(end < 0 ? archive.length : end, start + length))
}
