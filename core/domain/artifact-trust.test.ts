import { generateKeyPairSync } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createSigner } from '../test/artifacts/blob-engine.js'
import { readPublicKey, trustOf } from './artifact-trust.js'
import { canonicalJson } from './canonical-json.js'

const signer = createSigner()
const manifest = { name: 'm', sha256: 'a'.repeat(64) }
const text = canonicalJson(manifest)
const sha256 = manifest.sha256
const trusted = { requireSignature: true, trustedKeys: { release: { publicKey: signer.publicKey } }, revoked: [] }
const signature = signer.sign('release', manifest)
const ok = (by: string | null) => ({ ok: true, signedBy: by })

test('a key is 32 bytes in base64, or PEM; a private one and one of another kind are refused', () => {
  assert.ok(readPublicKey(signer.publicKey))
  assert.ok(readPublicKey(signer.pem))
  const { privateKey } = generateKeyPairSync('ed25519')
  const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const others = [
    privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    rsa.export({ format: 'pem', type: 'spki' }).toString(),
    signer.publicKey.slice(4),
    '',
  ]
  for (const other of others) assert.is(readPublicKey(other), null)
})

test('a trusted key vouches for exactly the manifest that it signed', () => {
  assert.equal(trustOf({ sha256, signature }, text, trusted), ok('release'))
  assert.not(trustOf({ sha256, signature }, canonicalJson({ ...manifest, name: 'n' }), trusted).ok)
  const other = { ...trusted, trustedKeys: { release: { publicKey: createSigner().publicKey } } }
  assert.not(trustOf({ sha256, signature }, text, other).ok)
})

test('without a demand for signatures a stranger’s counts for nothing, and stops nothing', () => {
  const lenient = { ...trusted, requireSignature: false }
  assert.equal(trustOf({ sha256, signature: null }, text, lenient), ok(null))
  assert.equal(trustOf({ sha256, signature: { ...signature, keyId: 'stranger' } }, text, lenient), ok(null))
  assert.not(trustOf({ sha256, signature: null }, text, trusted).ok)
})

test('a name that every object has is no key', () => {
  for (const keyId of ['constructor', '__proto__', 'toString'])
    assert.not(trustOf({ sha256, signature: { ...signature, keyId } }, text, trusted).ok)
})

test('what is revoked runs no more, whoever signed it', () => {
  const trust = trustOf({ sha256, signature }, text, { ...trusted, revoked: [sha256] })
  assert.match(trust.ok ? '' : trust.reason, /is revoked/)
})

test.run()
