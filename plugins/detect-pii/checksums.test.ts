import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { modulo97, passesBase58, passesBech32, passesDea, passesLuhn, passesModulo11 } from './checksums.js'

/** Published examples; each must pass, and fail with any one digit changed. */
test('a card number with one wrong digit is none', () => {
  for (const number of ['4111111111111111', '378282246310005', '6011111111111117', '30569309025904']) {
    assert.ok(passesLuhn(number), number)
    for (const other of changed(number)) assert.not.ok(passesLuhn(other), other)
  }
})

test('an account number with one wrong digit is none', () => {
  const rotated = (iban: string) => iban.slice(4) + iban.slice(0, 4)
  for (const iban of ['GB82WEST12345698765432', 'DE89370400440532013000', 'FR1420041010050500013M02606']) {
    assert.is(modulo97(rotated(iban)), 1, iban)
    for (const other of changed(iban)) assert.is.not(modulo97(rotated(other)), 1, other)
  }
})

test('an NHS number with one wrong digit is none', () => {
  assert.ok(passesModulo11('9434765919'))
  for (const other of changed('9434765919')) assert.not.ok(passesModulo11(other), other)
})

test('a DEA number has the right last digit', () => {
  assert.ok(passesDea('1388568'))
  for (const digit of '012345679') assert.not.ok(passesDea(`138856${digit}`))
})

test('Bitcoin addresses of every kind pass, and fail with a sign changed', () => {
  const old = ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy']
  for (const address of old) {
    assert.ok(passesBase58(address), address)
    assert.not.ok(passesBase58(`${address.slice(0, -1)}${address.endsWith('a') ? 'b' : 'a'}`), address)
  }
  // BIP 173 and BIP 350, their own test vectors.
  const segwit = [
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
    'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
  ]
  for (const address of segwit) assert.ok(passesBech32(address), address)
  assert.not.ok(passesBech32('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5'))
  assert.not.ok(passesBech32('bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'), 'one case only')
  assert.not.ok(passesBech32('bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0'), 'a later version’s sum')
})

function* changed(number: string): Generator<string> {
  for (let at = 0; at < number.length; at += 1) {
    if (!/\d/.test(number[at] as string)) continue
    yield number.slice(0, at) + ((Number(number[at]) + 1) % 10) + number.slice(at + 1)
  }
}

test.run()
