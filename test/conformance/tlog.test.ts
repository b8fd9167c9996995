import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { openCheckpoint, parseHead, signCheckpoint } from '#trust/ledger/checkpoint.ts'
import { CompactRange, leafHash, nodeHash } from '#trust/ledger/merkle.ts'
import { openNote, parseNote, parseVerifierKey, printVerifierKey } from '#trust/ledger/note.ts'
import {
  consistencyRanges,
  inclusionRanges,
  rangeRoot,
  verifyConsistency,
  verifyInclusion,
} from '#trust/ledger/proof.ts'
import { noteSigner } from '#trust/ledger/note.ts'
import { fromBase64 } from '#base/bytes.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { fixtureFolder, NO_CORPUS } from '../support/fixtures.ts'

const TESSERA_KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'

const tessera = fixtureFolder('tlog/tessera-log')
const examples = fixtureFolder('tlog/c2sp-examples')

test(
  'the tree of a foreign log comes out the same: tiles, roots, checkpoints and proofs of 15 entries',
  { skip: tessera === undefined && NO_CORPUS },
  () => {
    const verifier = parseVerifierKey(TESSERA_KEY)
    assert.ok(verifier !== undefined)
    assert.equal(printVerifierKey(verifier), TESSERA_KEY)
    const hashes = entriesOf(read(tessera, 'tile/entries/000.p/15')).map(leafHash)
    assert.equal(hashes.length, 15)
    const range = new CompactRange()
    const roots: Uint8Array[] = []
    for (let size = 0; size <= hashes.length; size++) {
      const head = openCheckpoint(read(tessera, `checkpoint.${size}`).toString('utf8'), verifier)
      assert.equal(head?.size, size)
      assert.deepEqual(Buffer.from(range.root()), Buffer.from(head.root), `root at ${size}`)
      roots.push(head.root)
      const tile = size === 0 ? Buffer.alloc(0) : read(tessera, `tile/0/000.p/${size}`)
      assert.deepEqual(Buffer.concat(hashes.slice(0, size)), tile, `tile at ${size}`)
      const next = hashes[size]
      if (next !== undefined) range.append(next)
    }
    for (let second = 1; second <= hashes.length; second++) {
      const secondRoot = roots[second] ?? assert.fail()
      for (let first = 1; first <= second; first++) {
        const proof = consistencyRanges(first, second).map((each) => rangeRoot(hashes, each))
        const firstRoot = roots[first] ?? assert.fail()
        assert.ok(verifyConsistency({ first, second, firstRoot, secondRoot, proof }), `${first} to ${second}`)
      }
      for (let index = 0; index < second; index++) {
        const proof = inclusionRanges(index, second).map((each) => rangeRoot(hashes, each))
        const leaf = hashes[index] ?? assert.fail()
        assert.ok(
          verifyInclusion({ index, size: second, leafHash: leaf, root: secondRoot, proof }),
          `${index} in ${second}`,
        )
      }
    }
    assert.notDeepEqual(nodeHash(hashes[0] ?? assert.fail(), hashes[1] ?? assert.fail()), roots[1])
  },
)

test(
  'notes and checkpoints of the C2SP texts read as they say: and are written back byte for byte',
  { skip: examples === undefined && NO_CORPUS },
  async () => {
    const list: unknown = JSON.parse(read(examples, 'examples.json').toString('utf8'))
    assert.ok(Array.isArray(list))
    const notes = list.filter((each) => 'note' in each)
    assert.equal(notes.length, 3)
    for (const each of notes) {
      const note = parseNote(each.note)
      assert.ok(note !== undefined, each.name)
      const lines = note.signatures.map(
        (line) => `— ${line.name} ${Buffer.concat([line.keyId, line.signature]).toString('base64')}\n`,
      )
      assert.equal(`${note.text}\n${lines.join('')}`, each.note)
      if (each.expect === 'verifies') {
        const verifier = parseVerifierKey(each.vkey)
        assert.ok(verifier !== undefined)
        assert.equal(openNote(each.note, verifier), note.text)
      }
      if (each.origin !== undefined) {
        const head = parseHead(note.text)
        assert.equal(head?.origin, each.origin)
        assert.equal(String(head?.size), each.size)
        assert.ok(fromBase64(Buffer.from(head?.root ?? []).toString('base64')) !== undefined)
        const signer = noteSigner(each.origin, newEd25519Pem())
        const signed = await signCheckpoint(head ?? assert.fail(), [signer], 0)
        assert.ok(signed.startsWith(`${note.text}\n— ${each.origin} `))
      }
      if (each.signatureLines !== undefined) assert.equal(note.signatures.length, each.signatureLines)
    }
  },
)

/** The entries of a bundle: each a 16-bit length and its bytes (c2sp.org/tlog-tiles). */
function entriesOf(bundle: Buffer): Uint8Array[] {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bundle.length;) {
    const end = at + 2 + bundle.readUInt16BE(at)
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  return entries
}

function read(folder: string | undefined, name: string): Buffer {
  return fs.readFileSync(path.join(folder ?? '', name))
}
