import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { deriveKey, masterKey, parseMasterKeys } from './keys.js'
import { createVault } from './vault.js'
import { GatehouseError } from '../errors.js'

const PLAIN = 'hunter2-the-secret'
const CONTEXT = { table: 'servers', id: '42', field: 'clientSecret' }

function thrownBy(work: () => unknown): GatehouseError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof GatehouseError, String(error))
    return error
  }
  return assert.unreachable('it did not throw') as never
}

const newKey = () => masterKey(randomBytes(32))

test('what is sealed opens again, text and bytes, the empty one too', () => {
  const vault = createVault([newKey()])
  for (const plain of ['', PLAIN, 'ünïcødé 🔑', 'x'.repeat(100_000)])
    assert.is(vault.openText(vault.seal(plain, CONTEXT), CONTEXT), plain)
  const bytes = randomBytes(64)
  assert.ok(vault.open(vault.seal(bytes, CONTEXT), CONTEXT).equals(bytes))
})

test('the form is v1, the key id, base64url, and never the same twice', () => {
  const vault = createVault([newKey()])
  const sealed = vault.seal(PLAIN, CONTEXT)
  assert.match(sealed, /^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/)
  assert.is(vault.keyId(sealed), vault.currentKeyId)
  assert.is.not(sealed, vault.seal(PLAIN, CONTEXT))
  assert.not.match(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1'), PLAIN)
})

test('no byte of the box may differ', () => {
  const vault = createVault([newKey()])
  const [version, id, text = ''] = vault.seal(PLAIN, CONTEXT).split('.')
  const box = Buffer.from(text, 'base64url')
  for (let at = 0; at < box.length; at++) {
    const changed = Buffer.from(box)
    changed[at] = (changed[at] ?? 0) ^ 1
    const error = thrownBy(() => vault.open(`${version}.${id}.${changed.toString('base64url')}`, CONTEXT))
    assert.is(error.code, 'GH_VAULT_OPEN')
  }
})

test('no sign of the text may differ', () => {
  const vault = createVault([newKey()])
  for (const plain of ['a', 'ab', 'abc']) {
    const sealed = vault.seal(plain, CONTEXT)
    for (let at = 0; at < sealed.length; at++) {
      for (const sign of ['A', 'B', '0', '.', '=', ' '].filter((one) => one !== sealed[at]))
        thrownBy(() => vault.open(sealed.slice(0, at) + sign + sealed.slice(at + 1), CONTEXT))
    }
    for (let length = 0; length < sealed.length; length++) thrownBy(() => vault.open(sealed.slice(0, length), CONTEXT))
    for (const tail of ['=', 'A', '\n', '.']) thrownBy(() => vault.open(sealed + tail, CONTEXT))
  }
})

test('it opens in its own table, record and field only', () => {
  const vault = createVault([newKey()])
  const sealed = vault.seal(PLAIN, CONTEXT)
  for (const other of [{ table: 'engines' }, { id: '43' }, { field: 'token' }, { table: 'servers42', id: '' }])
    assert.is(thrownBy(() => vault.open(sealed, { ...CONTEXT, ...other })).code, 'GH_VAULT_OPEN')
})

test('no split of the same letters over table, record and field opens it', () => {
  const vault = createVault([newKey()])
  const sealed = vault.seal(PLAIN, { table: 'a', id: 'b","c', field: 'd' })
  thrownBy(() => vault.open(sealed, { table: 'a', id: 'b', field: 'c","d' }))
  thrownBy(() => vault.open(sealed, { table: 'a","b', id: 'c', field: 'd' }))
})

test('the data key of one record cannot be put into another', () => {
  const vault = createVault([newKey()])
  const parts = (id: string) => Buffer.from(vault.seal(PLAIN, { ...CONTEXT, id }).split('.')[2] ?? '', 'base64url')
  const mixed = Buffer.concat([parts('43').subarray(0, 60), parts('42').subarray(60)])
  thrownBy(() => vault.open(`v1.${vault.currentKeyId}.${mixed.toString('base64url')}`, CONTEXT))
})

test('an older key opens, and what it sealed asks for rotation', () => {
  const [older, newer] = [newKey(), newKey()]
  const sealed = createVault([older]).seal(PLAIN, CONTEXT)
  const vault = createVault([newer, older])
  assert.is(vault.openText(sealed, CONTEXT), PLAIN)
  assert.is(vault.needsRotation(sealed), true)
  assert.is(vault.currentKeyId, newer.id)
  assert.is(vault.needsRotation(vault.seal(PLAIN, CONTEXT)), false)
})

test('a key that is not here is named by its id', () => {
  const lost = newKey()
  const sealed = createVault([lost]).seal(PLAIN, CONTEXT)
  const error = thrownBy(() => createVault([newKey()]).open(sealed, CONTEXT))
  assert.is(error.code, 'GH_VAULT_UNKNOWN_KEY')
  assert.match(error.message, lost.id)
})

test('a box under the id of another key does not open', () => {
  const [a, b] = [newKey(), newKey()]
  const vault = createVault([a, b])
  const sealed = vault.seal(PLAIN, CONTEXT)
  assert.is(thrownBy(() => vault.open(sealed.replace(a.id, b.id), CONTEXT)).code, 'GH_VAULT_OPEN')
})

test('neither secret nor key stands in an error or in what is printed', () => {
  const bytes = Buffer.from('this-is-a-master-key-of-32-bytes')
  const vault = createVault([masterKey(bytes)])
  const sealed = vault.seal(PLAIN, CONTEXT)
  const errors = [
    thrownBy(() => vault.open(sealed, { ...CONTEXT, id: '43' })),
    thrownBy(() => vault.open(PLAIN, CONTEXT)),
    thrownBy(() => createVault([newKey()]).open(sealed, CONTEXT)),
    thrownBy(() => parseMasterKeys(PLAIN, 'GATEHOUSE_MASTER_KEY')),
  ]
  const printed = inspect([...errors, masterKey(bytes), vault], { depth: 10, showHidden: true })
  for (const secret of [PLAIN, bytes.toString(), bytes.toString('base64'), bytes.toString('hex')])
    assert.not.match(printed, secret)
})

test('a vault without a key is refused', () => {
  assert.is(thrownBy(() => createVault([])).code, 'GH_VAULT_KEY')
})

test('keys derived for two purposes or from two master keys differ, and stay the same', () => {
  const key = newKey()
  const derived = deriveKey(key, 'one')
  assert.is(derived.length, 32)
  assert.ok(derived.equals(deriveKey(key, 'one')))
  assert.not.ok(derived.equals(deriveKey(key, 'two')))
  assert.not.ok(derived.equals(deriveKey(newKey(), 'one')))
})

test.run()
