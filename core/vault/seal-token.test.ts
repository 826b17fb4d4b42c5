import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { masterKey } from './keys.js'
import { createTokenSealer } from './seal-token.js'

const DAY = 86_400_000
const newest = masterKey(Buffer.alloc(32, 1))
const former = masterKey(Buffer.alloc(32, 2))

function sealerAt(day: number, keys = [newest], purpose = 'test 1') {
  return createTokenSealer(keys, purpose, () => day * DAY + 5)
}

test('what was sealed opens beside the same parts, at every replica with the master key', () => {
  for (const plain of ['', '{"t":"p"}', 'ü'.repeat(5_000), '\0']) {
    const token = sealerAt(20_000).seal(plain, ['a', 'b'])
    assert.match(token, /^gh1\.[\w-]{4}\.[\w-]+$/)
    assert.is(sealerAt(20_000).open(token, ['a', 'b']), plain)
  }
})

test('another part, another order and parts that run together open nothing', () => {
  const sealer = sealerAt(20_000)
  const token = sealer.seal('x', ['a', 'b'])
  for (const bound of [['a', 'c'], ['b', 'a'], ['ab'], ['a'], ['a', 'b', ''], []])
    assert.is(sealer.open(token, bound), null)
})

test('any sign that is changed, added or dropped opens nothing', () => {
  const sealer = sealerAt(20_000)
  const token = sealer.seal('{"round":1}', ['a'])
  for (let at = 0; at < token.length; at += 1) {
    const other = token[at] === 'A' ? 'B' : 'A'
    assert.is(sealer.open(token.slice(0, at) + other + token.slice(at + 1), ['a']), null, `at ${at}`)
    assert.is(sealer.open(token.slice(0, at) + token.slice(at + 1), ['a']), null, `without ${at}`)
  }
  for (const text of ['', 'gh1', 'gh1..', `${token}A`, `${token}-TAMPERED`, 'gh2' + token.slice(3)])
    assert.is(sealer.open(text, ['a']), null)
})

test('two seals of one text differ', () => {
  const sealer = sealerAt(20_000)
  assert.is.not(sealer.seal('x', []), sealer.seal('x', []))
})

test('the key of a day opens for two more days and no longer', () => {
  const token = sealerAt(20_000).seal('x', [])
  assert.is(sealerAt(20_002).open(token, []), 'x')
  assert.is(sealerAt(20_003).open(token, []), null)
})

test('a sealer that lives on takes a new key each day', () => {
  let day = 20_000
  const sealer = createTokenSealer([newest], 'test 1', () => day * DAY)
  const first = sealer.seal('x', [])
  day += 1
  const second = sealer.seal('x', [])
  assert.is.not(first.slice(0, 8), second.slice(0, 8))
  assert.is(sealer.open(first, []), 'x')
})

test('a master key that was rotated still opens, one that is gone does not, and no purpose opens another', () => {
  const token = sealerAt(20_000, [former]).seal('x', [])
  assert.is(sealerAt(20_000, [newest, former]).open(token, []), 'x')
  assert.is(sealerAt(20_000, [newest]).open(token, []), null)
  assert.is(sealerAt(20_000, [former], 'test 2').open(token, []), null)
})

test.run()
