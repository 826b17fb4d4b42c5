import { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkConfig, configDigest, settledConfig } from './index.js'

const manifest = RuleManifest.parse({
  name: 'test',
  version: '1',
  abi: 'gatehouse.rule/1',
  sha256: '0'.repeat(64),
  config: { rows: { pattern: '[0-9]{1,4}', default: '500' }, table: {} },
})

const told = (config: Readonly<Record<string, string>>) =>
  checkConfig(manifest, config).map(({ path, message }) => `${path} ${message}`)

test('asks for what has no default, and refuses what it does not know', () => {
  assert.equal(told({ table: 'a' }), [])
  assert.equal(told({}), ['table must be given: the rule has no default for it'])
  assert.equal(told({ table: 'a', constructor: 'x' }), ['constructor is no key of this rule; its keys: rows, table'])
  assert.match(
    told(JSON.parse('{"table":"a","__proto__":"x"}') as Record<string, string>).join(),
    /^__proto__ is no key/,
  )
})

test('holds values to their pattern as a whole, to their length and to whole characters', () => {
  assert.equal(told({ table: 'a', rows: '12345' }), ['rows must match [0-9]{1,4}'])
  assert.match(told({ table: 'é'.repeat(4_097) }).join(), /more than 8192 bytes/)
  assert.match(told({ table: '\ud800' }).join(), /half of a character/)
  assert.match(told({ table: 7 } as unknown as Record<string, string>).join(), /must be a text/)
})

test('fills in defaults, in an object that inherits nothing and stays as it is', () => {
  const config = settledConfig(manifest, { table: 'a' })
  assert.is(Object.getPrototypeOf(config), null)
  assert.ok(Object.isFrozen(config))
  assert.equal({ ...config }, { rows: '500', table: 'a' })
})

test('digests the canonical JSON, whatever the order of keys', () => {
  assert.is(configDigest({ b: '1', a: 'é"' }), configDigest({ a: 'é"', b: '1' }))
  assert.is(configDigest({}), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  assert.is.not(configDigest({ a: '1' }), configDigest({ a: '2' }))
})

test.run()
