import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { Pacer } from './pacer.js'

const told = (kinds: readonly string[], count: number) =>
  until('it is told', () => (kinds.length === count ? true : undefined))

test('the first is told at once, a hundred more once, at the end of the while', async () => {
  const kinds: string[] = []
  const pacer = new Pacer<string>(30, (kind) => kinds.push(kind))
  for (let n = 0; n < 101; n++) pacer.hit('tools')
  assert.equal(kinds, ['tools'])
  await told(kinds, 2)
  pacer.hit('tools')
  assert.equal(kinds, ['tools', 'tools'], 'what was told late begins a while, too')
  await told(kinds, 3)
  pacer.stop()
})

test('kinds do not wait for each other', () => {
  const kinds: string[] = []
  const pacer = new Pacer<string>(60_000, (kind) => kinds.push(kind))
  for (const kind of ['tools', 'prompts', 'tools']) pacer.hit(kind)
  assert.equal(kinds, ['tools', 'prompts'])
  pacer.stop()
})

test('after the end nothing is told', async () => {
  const kinds: string[] = []
  const [stopped, other] = [
    new Pacer<string>(5, (kind) => kinds.push(kind)),
    new Pacer<string>(20, () => kinds.push('o')),
  ]
  for (const pacer of [stopped, stopped, other, other]) pacer.hit('tools')
  stopped.stop()
  await told(kinds, 3)
  assert.equal(kinds, ['tools', 'o', 'o'])
})

test.run()
