import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { page } from './catalog-pages.js'
import { plan } from './catalog-testing.js'

const [assignment] = plan(['a']).assignments
const items = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    if (assignment === undefined) throw new Error('no assignment')
    const name = `t${index}`
    const feature = { kind: 'tool' as const, name, publicName: name, assignment, definition: null }
    return { entry: { name }, feature, era: null }
  })
const refused = (error: Error) => 'code' in error && error.code === 'GH_DOOR_PARAMS'

test('a list that fits is answered whole, without a cursor', () => {
  assert.equal(page({ items: items(100) }, undefined), { items: items(100), nextCursor: undefined })
  assert.equal(page({ items: [] }, undefined), { items: [], nextCursor: undefined })
})

test('any walk yields each item once, in order', () => {
  for (const [count, size] of [
    [250, 100],
    [101, 100],
    [7, 2],
    [6, 2],
  ] as const) {
    const walked = []
    let cursor: string | undefined
    do {
      const shown = page({ items: items(count) }, cursor, size)
      walked.push(...shown.items)
      cursor = shown.nextCursor
    } while (cursor !== undefined)
    assert.equal(walked, items(count))
  }
})

test('a cursor of another list, or of none, is refused', () => {
  const { nextCursor } = page({ items: items(7) }, undefined, 2)
  assert.throws(() => page({ items: items(8) }, nextCursor, 2), refused)
  assert.throws(() => page({ items: items(2) }, nextCursor, 2), refused)
  for (const bad of [
    '',
    'x',
    7,
    null,
    {},
    -1,
    '!!!!',
    `${nextCursor}A`,
    Buffer.from('2.0000000000000000').toString('base64url'),
  ])
    assert.throws(() => page({ items: items(7) }, bad, 2), refused)
})

test.run()
