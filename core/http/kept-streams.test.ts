import type { ServerResponse } from 'node:http'
import { EventEmitter } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { createKeptStreams, isOfStanding, type KeptLimits, type KeptStreams } from './kept-streams.js'

/** An answer that swallows everything. */
class Sink extends EventEmitter {
  readonly destroyed = false
  readonly writableLength = 0
  text = ''
  writeHead = () => this
  flushHeaders = () => undefined
  write = (text: string) => void (this.text += text)
  end = () => undefined
}
const sink = () => {
  const made = new Sink()
  return { res: made as unknown as ServerResponse, made }
}

let opened: KeptStreams[] = []
function keep(limits: Partial<KeptLimits> = {}): KeptStreams {
  const made = createKeptStreams('r1r1', { unread: 60_000, session: 100_000, total: 300_000, ...limits })
  opened.push(made)
  return made
}
test.after.each(() => {
  for (const one of opened) one.stop()
  opened = []
})

/** A stream that is read, and the id of its first event. */
function openRead(kept: KeptStreams, session: string, onLost: () => void = () => undefined) {
  const { res, made } = sink()
  const stream = kept.open(session, 'call', { onLost })
  stream.attach(res)
  return { stream, made, id: /^id: (.*)$/m.exec(made.text)?.[1] ?? '' }
}

test('a stream is found by its events, within its session alone', () => {
  const kept = keep()
  const { stream, id } = openRead(kept, 's')
  stream.note({ n: 1 })
  assert.match(id, /^r1r1\.c[a-z0-9]+\.0$/)
  assert.is(kept.find('s', id)?.stream, stream)
  assert.is(kept.find('s', id.replace(/0$/, '1'))?.after, 1)
  assert.is(kept.find('t', id), null)
  for (const wrong of [id.replace(/0$/, '2'), `${id}x`, 'x', '', id.replace('r1r1', 'r2r2'), '__proto__'])
    assert.is(kept.find('s', wrong), null, wrong)
})

test('a stream that nobody comes back for is lost after a while, one that is read stays', async () => {
  const kept = keep({ unread: 50 })
  let lost = 0
  const [gone, read] = [openRead(kept, 's', () => (lost += 1)), openRead(kept, 's', () => (lost += 10))]
  gone.made.emit('close')
  assert.ok(kept.find('s', gone.id))
  await until('it is lost', () => (lost === 1 ? true : undefined))
  assert.is(kept.find('s', gone.id), null)
  assert.ok(kept.find('s', read.id))
})

test('an answer is kept for a while after its end', async () => {
  const kept = keep({ unread: 50 })
  const { stream, made, id } = openRead(kept, 's')
  stream.end('{}')
  made.emit('close')
  assert.ok(kept.find('s', id))
  await until('it is forgotten', () => (kept.find('s', id) === null ? true : undefined))
})

test('a stream that was dropped is not found again', () => {
  const kept = keep()
  const { stream, id } = openRead(kept, 's')
  stream.drop()
  assert.is(kept.find('s', id), null)
})

test('a session that keeps too much loses first what nobody has read for the longest', async () => {
  const kept = keep()
  const lost: string[] = []
  const [read, first, second] = ['read', 'first', 'second'].map((name) => openRead(kept, 's', () => lost.push(name)))
  const other = openRead(kept, 't', () => lost.push('other'))
  other.made.emit('close')
  for (const one of [first, second]) {
    one?.stream.must({ text: 'x'.repeat(30_000) })
    one?.made.emit('close')
    const at = Date.now()
    await until('time has passed', () => (Date.now() > at ? true : undefined))
  }
  read?.stream.must({ text: 'x'.repeat(50_000) })
  assert.equal(lost, ['first'])
  assert.is(kept.find('s', first?.id ?? ''), null)
  read?.stream.must({ text: 'x'.repeat(50_000) })
  assert.equal(lost, ['first', 'second'])
  assert.ok(kept.find('s', read?.id ?? ''), 'what is read goes on')
  assert.ok(kept.find('t', other.id), 'what others keep is theirs')
})

test('an answer that is larger than all that may be kept is lost with its stream, and breaks nothing', () => {
  const kept = keep()
  let lost = 0
  const { stream, made, id } = openRead(kept, 's', () => (lost += 1))
  made.emit('close')
  stream.end(`"${'x'.repeat(200_000)}"`)
  assert.is(kept.find('s', id), null)
  assert.is(lost, 1)
})

test('all sessions together keep no more than they may', () => {
  const kept = keep()
  const all = Array.from({ length: 10 }, (_, n) => openRead(kept, `s${n}`))
  for (const one of all) {
    one.stream.must({ text: 'x'.repeat(60_000) })
    one.made.emit('close')
  }
  const left = all.filter(({ id }, n) => kept.find(`s${n}`, id) !== null)
  assert.ok(left.length >= 3 && left.length <= 5, String(left.length))
})

test('a session that ends keeps nothing; who reads then reads to the end', () => {
  const kept = keep()
  const lost: string[] = []
  const [read, unread] = [openRead(kept, 's', () => lost.push('read')), openRead(kept, 's', () => lost.push('unread'))]
  unread.made.emit('close')
  kept.end('s')
  assert.equal(lost, ['unread'])
  for (const { id } of [read, unread]) assert.is(kept.find('s', id), null)
  read.stream.end('{"last":true}')
  assert.match(read.made.text, /"last"/)
})

test('an event tells whether it was one of a standing stream, of whichever replica', () => {
  assert.ok(isOfStanding('abcd.s1x.5'))
  for (const id of ['abcd.c1x.5', 'abcd.s', 's', 'abcd.s1x.x']) assert.not(isOfStanding(id), id)
})

test.run()
