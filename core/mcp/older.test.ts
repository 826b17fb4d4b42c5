import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { forOlder } from './older.js'

const link = { type: 'resource_link', uri: 'file:///a', name: 'a', title: 'The A', description: 'first' }
const audio = { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }
const text = { type: 'text', text: 'x', odd: 1 }
const result = () => ({ content: [text, link, audio], messages: [{ role: 'user', content: link }], other: { link } })

test('a revision that knows all content gets the very object', () => {
  for (const version of ['2025-06-18', '2025-11-25']) {
    const given = result()
    assert.is(forOlder(given, version), given)
  }
})

test('what holds nothing new is passed on as the very object to the oldest revision', () => {
  for (const given of [
    { content: [text] },
    { messages: [{ role: 'user', content: text }] },
    { content: 'odd', messages: 7 },
  ])
    assert.is(forOlder(given, '2024-11-05'), given)
})

test('links become texts before 2025-06-18, audio becomes a resource before 2025-03-26', () => {
  const asText = { type: 'text', text: 'The A: file:///a\nfirst' }
  const messages = [{ role: 'user', content: asText }]
  assert.equal(forOlder(result(), '2025-03-26'), { ...result(), content: [text, asText, audio], messages })
  const asResource = { type: 'resource', resource: { uri: 'audio:embedded', blob: 'AAAA', mimeType: 'audio/wav' } }
  assert.equal(forOlder(result(), '2024-11-05'), { ...result(), content: [text, asText, asResource], messages })
})

test.run()
