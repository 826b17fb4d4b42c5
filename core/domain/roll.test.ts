import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Roll } from './roll.js'

const named = (name: string) => ({ name, place: -1 })
const namesIn = (roll: Roll<ReturnType<typeof named>>) =>
  roll
    .all()
    .map(({ name }) => name)
    .toSorted()

test('holds whoever came and has not left, whatever the order', () => {
  const roll = new Roll<ReturnType<typeof named>>()
  const items = Array.from({ length: 40 }, (_, n) => named(String(n)))
  const here = new Set<string>()
  for (let step = 0; step < 2_000; step += 1) {
    const item = items[(step * step * 7 + step) % items.length]!
    if (here.delete(item.name)) roll.delete(item)
    else {
      roll.add(item)
      here.add(item.name)
    }
    assert.is(roll.size, here.size)
    assert.is(roll.has(item), here.has(item.name))
  }
  assert.equal(namesIn(roll), [...here].toSorted())
})

test('who leaves twice, or never came, takes nobody along', () => {
  const roll = new Roll<ReturnType<typeof named>>()
  const [one, two, stranger] = [named('one'), named('two'), named('stranger')] as const
  roll.add(one)
  roll.add(two)
  roll.delete(one)
  roll.delete(one)
  roll.delete(stranger)
  assert.equal(namesIn(roll), ['two'])
})

test('an item of another roll is a stranger', () => {
  const [ours, theirs] = [new Roll<ReturnType<typeof named>>(), new Roll<ReturnType<typeof named>>()]
  const [one, other] = [named('one'), named('other')]
  ours.add(one)
  theirs.add(other)
  ours.delete(other)
  assert.equal(namesIn(ours), ['one'])
  assert.not.ok(ours.has(other))
})

test('a walk through all is not disturbed by who leaves meanwhile', () => {
  const roll = new Roll<ReturnType<typeof named>>()
  for (const name of ['a', 'b', 'c']) roll.add(named(name))
  const seen = roll.all().map((item) => (roll.delete(item), item.name))
  assert.equal(seen, ['a', 'b', 'c'])
  assert.is(roll.size, 0)
})

test.run()
