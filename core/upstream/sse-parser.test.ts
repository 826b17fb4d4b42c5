import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createSseParser } from './sse-parser.js'
import type { SseEvent } from './sse-parser.js'

function parse(chunks: readonly Buffer[], limit = 1_000) {
  const events: SseEvent[] = []
  let overflows = 0
  const parser = createSseParser({ limit, onEvent: (event) => events.push(event), onOverflow: () => overflows++ })
  for (const chunk of chunks) parser.push(chunk)
  return { events, parser, overflows }
}

test('a stream cut at every byte gives the same events, whatever ends its lines', () => {
  const stream =
    ': hello\n\nevent: note\nid: 7\nretry: 250\ndata: größe ✓ 💶\ndata: two\n\ndata:x\n\nid\ndata\n\nevent: lost\n\n'
  for (const end of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(`\ufeff${stream.replaceAll('\n', end)}`)
    for (let cut = 1; cut < bytes.length; cut++) {
      const { events, parser } = parse([bytes.subarray(0, cut), bytes.subarray(cut)])
      assert.equal(events, [
        { type: 'note', data: 'größe ✓ 💶\ntwo' },
        { type: 'message', data: 'x' },
        { type: 'message', data: '' },
      ])
      assert.is(parser.lastEventId, '')
      assert.is(parser.retry, 250)
    }
  }
})

test('one byte at a time is enough', () => {
  const bytes = [...Buffer.from('data: {"a":"ü"}\r\n\r\n')].map((byte) => Buffer.from([byte]))
  assert.equal(parse(bytes).events, [{ type: 'message', data: '{"a":"ü"}' }])
})

test('an unfinished event at the end is not told', () => {
  assert.equal(parse([Buffer.from('data: half\n')]).events, [])
})

test('an id with a null character and a retry that is no number are ignored', () => {
  const { parser } = parse([Buffer.from('id: a\nid: b\0c\nretry: soon\n\n')])
  assert.is(parser.lastEventId, 'a')
  assert.is(parser.retry, null)
})

test('an event over the limit overflows once, in one line or in many, and ends the parsing', () => {
  const long = Buffer.from('x'.repeat(60))
  for (const chunks of [
    [Buffer.from('data: '), long, long],
    [Buffer.from('data: '), long, Buffer.from('\ndata: '), long, Buffer.from('\n\n')],
  ]) {
    const { events, overflows } = parse([...chunks, Buffer.from('\n\ndata: y\n\n')], 100)
    assert.is(overflows, 1)
    assert.equal(events, [])
  }
})

test('many events under the limit never overflow', () => {
  const { events, overflows } = parse(
    Array.from({ length: 50 }, () => Buffer.from(`data: ${'x'.repeat(80)}\n\n`)),
    100,
  )
  assert.is(overflows, 0)
  assert.is(events.length, 50)
})

test.run()
