import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signBody, verifySignature } from './signature.js'

const secret = 'a secret of some length'
const body = '{"a":"€"}'
const now = 1_767_225_600_000
const header = signBody(secret, body, now)

test('the signature is HMAC-SHA256 over the time and the body', () => {
  // As `printf '1767225600.{"a":"€"}' | openssl dgst -sha256 -hmac 'a secret of some length'` gives it.
  assert.is(header, 't=1767225600,v1=809fc8a1bfae23b15315507c615de0b0a902cd9603c3f90bd9f79f1686c89ce9')
  assert.is(signBody(secret, Buffer.from(body), now), header)
})

test('a signed body is known again, as text and as bytes', () => {
  assert.ok(verifySignature({ header, body, secret, now }))
  assert.ok(verifySignature({ header, body: Buffer.from(body), secret, now }))
})

test('another body, secret or time is not', () => {
  assert.not.ok(verifySignature({ header, body: `${body} `, secret, now }))
  assert.not.ok(verifySignature({ header, body, secret: 'another', now }))
  assert.not.ok(verifySignature({ header: header.replace('t=1767225600', 't=1767225601'), body, secret, now }))
})

test('a signature holds for five minutes in both directions, or as long as it is told', () => {
  assert.ok(verifySignature({ header, body, secret, now: now + 300_000 }))
  assert.not.ok(verifySignature({ header, body, secret, now: now + 301_000 }))
  assert.not.ok(verifySignature({ header, body, secret, now: now - 301_000 }))
  assert.not.ok(verifySignature({ header, body, secret, now: now + 11_000, toleranceSeconds: 10 }))
  assert.not.ok(verifySignature({ header, body, secret }))
})

test('while a secret is exchanged both are good', () => {
  assert.ok(verifySignature({ header, body, secret: ['the new one', secret], now }))
  const both = `${signBody('the new one', body, now)},${header.split(',')[1]}`
  assert.ok(verifySignature({ header: both, body, secret, now }))
})

test('what is no signature is none, and an empty secret is no secret', () => {
  const forged = signBody('', body, now)
  assert.not.ok(verifySignature({ header: forged, body, secret: '', now }))
  assert.not.ok(verifySignature({ header: forged, body, secret: [], now }))
  for (const odd of [
    undefined,
    '',
    't=1',
    header.replace('v1', 'v0'),
    header.slice(0, -1),
    `v1=${header.slice(-64)}`,
    't=x,v1=y',
  ])
    assert.not.ok(verifySignature({ header: odd, body, secret, now }), odd)
})

test.run()
