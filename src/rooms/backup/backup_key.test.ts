import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newBackupKey, openBackupKey, type BackupSecret } from './backup_key.ts'

const CHEAP = { log2: 10, blocks: 8, lanes: 1 }
const PASSPHRASE: BackupSecret = { kind: 'passphrase', bytes: Buffer.from('correct horse battery') }
const KEY: BackupSecret = { kind: 'key', bytes: Buffer.alloc(32, 5) }

for (const secret of [PASSPHRASE, KEY])
  test(`openBackupKey gives the key that newBackupKey made: ${secret.kind}`, async () => {
    const { head, key } = await newBackupKey(secret, CHEAP)
    assert.deepEqual(await openBackupKey(head, secret), key)
    const again = await newBackupKey(secret, CHEAP)
    assert.notDeepEqual(again.key.dataKey, key.dataKey)
    assert.notEqual(again.key.id, key.id)
  })

test('newBackupKey spends 128 MiB on a passphrase when nobody says otherwise', async () => {
  const { head } = await newBackupKey(PASSPHRASE)
  assert.match(head, /^key scrypt 17 8 1 /m)
})

const SHORT: readonly (readonly [why: string, secret: BackupSecret])[] = [
  ['a passphrase of 11 bytes', { kind: 'passphrase', bytes: Buffer.alloc(11, 97) }],
  ['a key of 31 bytes', { kind: 'key', bytes: Buffer.alloc(31, 97) }],
]
for (const [why, secret] of SHORT)
  test(`newBackupKey refuses what can be guessed: ${why}`, async () => {
    await assert.rejects(newBackupKey(secret, CHEAP), { code: 'usage.wrong' })
  })

const OTHERS: readonly (readonly [why: string, secret: BackupSecret])[] = [
  ['another passphrase', { kind: 'passphrase', bytes: Buffer.from('correct horse batterz') }],
  ['a key file for a passphrase', { kind: 'key', bytes: PASSPHRASE.bytes }],
]
for (const [why, secret] of OTHERS)
  test(`openBackupKey refuses another secret: ${why}`, async () => {
    const { head } = await newBackupKey(PASSPHRASE, CHEAP)
    await assert.rejects(openBackupKey(head, secret), { code: 'backup.key' })
  })

test('openBackupKey refuses a passphrase for a key file, and another key', async () => {
  const { head } = await newBackupKey(KEY)
  for (const secret of [
    { ...KEY, kind: 'passphrase' as const },
    { ...KEY, bytes: Buffer.alloc(32, 6) },
  ])
    await assert.rejects(openBackupKey(head, secret), { code: 'backup.key' })
})

const CHANGED: readonly (readonly [why: string, change: (head: string) => string, code: string])[] = [
  ['nothing in it', () => '', 'backup.damaged'],
  ['another version', (head) => head.replace(' v1', ' v2'), 'backup.damaged'],
  ['its end is missing', (head) => head.slice(0, -1), 'backup.damaged'],
  [
    'another id: what stands before the key is bound to it',
    (head) => head.replace(/^id ..../m, 'id 0000'),
    'backup.key',
  ],
  ['less work', (head) => head.replace('scrypt 10 8', 'scrypt 10 4'), 'backup.key'],
  ['no work', (head) => head.replace('scrypt 10', 'scrypt 1'), 'backup.damaged'],
  [
    'more work than anybody has time for',
    (head) => head.replace('scrypt 10 8', 'scrypt 30 8'),
    'backup.damaged',
  ],
  ['work that scrypt has not', (head) => head.replace('scrypt 10 8', 'scrypt 16 1'), 'backup.damaged'],
  ['work that is no number', (head) => head.replace('scrypt 10', 'scrypt x'), 'backup.damaged'],
  ['salt that is no base64', (head) => head.replace(/^(key .*) \S+$/m, '$1 !'), 'backup.damaged'],
]
for (const [why, change, code] of CHANGED)
  test(`openBackupKey refuses a head that was changed: ${why}`, async () => {
    const { head } = await newBackupKey(PASSPHRASE, CHEAP)
    const changed = change(head)
    assert.notEqual(changed, head)
    await assert.rejects(openBackupKey(changed, PASSPHRASE), { code })
  })
