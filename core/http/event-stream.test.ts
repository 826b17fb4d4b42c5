import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { EventRing } from './event-ring.js'
import { EventStream, type StreamOptions } from './event-stream.js'

const errors: unknown[] = []
const responses: ServerResponse[] = []
const server = createServer((_req: IncomingMessage, res) => {
  res.on('error', (error) => errors.push(error))
  responses.push(res)
})
test.before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
test.before.each(() => void (responses.length = 0))
test.after.each(() => assert.equal(errors, []))
test.after(() => {
  server.closeAllConnections()
  server.close()
})
const port = () => (server.address() as AddressInfo).port

/** An answer under way and what its client has read of it. */
async function reader(): Promise<{ res: ServerResponse; read: { text: string; ended: boolean }; socket: Socket }> {
  const read = { text: '', ended: false }
  const before = responses.length
  const socket = connect(port(), '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
  socket.setEncoding('utf8').on('data', (text: string) => (read.text += text))
  socket.on('close', () => (read.ended = true)).on('error', () => undefined)
  const res = await until('it has come', () => responses[before])
  return { res, read, socket }
}
const says = (read: { text: string }, what: string | RegExp) =>
  until(`it says ${what}`, () => (read.text.match(what) === null ? undefined : true))

async function opened(options: StreamOptions = {}) {
  const stream = new EventStream(options)
  const { res, read, socket } = await reader()
  stream.attach(res)
  await says(read, ': open')
  return { stream, res, read, socket }
}
const progress = (n: number, token: unknown = 'a', pad = 0): JsonObject => ({
  method: 'notifications/progress',
  params: { progressToken: token as string, progress: n, message: 'x'.repeat(pad) },
})
const log = (data: string): JsonObject => ({ method: 'notifications/message', params: { data } })

/** Fills what the system buffers and then the stream itself, for a reader that does not read. */
async function stuff(stream: EventStream, socket: Socket): Promise<void> {
  socket.pause()
  // What is full only until the system has taken it is not full.
  let fullFor = 0
  await until('it is full', () => {
    fullFor = stream.full ? fullFor + 1 : 0
    for (let n = 0; n < 100 && !stream.full; n += 1) stream.must(log('x'.repeat(16_384)))
    return fullFor > 4 ? true : undefined
  })
}

test('a note that comes behind the answer is dropped and breaks nothing', async () => {
  const { stream, read, res } = await opened()
  stream.note({ n: 1 })
  stream.end('{"last":true}')
  stream.note({ n: 2 })
  stream.must({ n: 3 })
  stream.end('{"again":true}')
  await says(read, '"last"')
  await until('it has ended', () => (res.writableFinished ? true : undefined))
  assert.not.match(read.text, /"n":2|"n":3|again/)
  assert.not.match(read.text, /^id:/m)
})

test('what a slow reader must know is never lost, of how things stand it gets the newest', async () => {
  let dropped = 0
  const { stream, read, socket } = await opened({ onDropped: (notes) => (dropped = notes) })
  await stuff(stream, socket)
  for (let n = 0; n < 1_000; n += 1) {
    stream.note(progress(n, 'a'))
    stream.note(progress(n, 1))
    stream.note(log(`dropped ${n}`))
    stream.note({ method: 'notifications/tools/list_changed' })
  }
  stream.must({ id: 'question' })
  let isDrained = false
  void stream.drained().then(() => (isDrained = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.not(isDrained)
  socket.resume()
  await until('it is drained', () => (isDrained ? true : undefined))
  stream.note(log('after'))
  stream.end('{"answer":1}')
  await says(read, '{"answer":1}')
  const seen = read.text.match(/"progress":\d+/g) ?? []
  assert.equal(seen, ['"progress":999', '"progress":999'], 'one of each token')
  assert.is(read.text.match(/list_changed/g)?.length, 1)
  assert.match(read.text, /"id":"question"/)
  assert.not.match(read.text, /dropped \d/)
  assert.match(read.text, /"after"/)
  assert.is(dropped, 1_000)
})

test('what was held for a slow reader comes before the answer', async () => {
  const { stream, read, socket } = await opened()
  await stuff(stream, socket)
  stream.note(progress(7))
  stream.end('{"answer":1}')
  socket.resume()
  await says(read, '{"answer":1}')
  assert.ok(read.text.indexOf('"progress":7') < read.text.indexOf('{"answer":1}'))
})

test('a reader that does not read grows no memory, whatever comes', async () => {
  const { stream, res, socket } = await opened()
  await stuff(stream, socket)
  for (let n = 0; n < 2_000; n += 1) {
    stream.note(progress(n, n, 1_000))
    stream.note(log('x'.repeat(1_000)))
    stream.note({ method: 'notifications/other', params: { text: 'x'.repeat(1_000) } })
  }
  assert.ok(res.writableLength < 1.1 * 1024 * 1024, String(res.writableLength))
  socket.destroy()
  await until('it is closed', () => (stream.closed ? true : undefined))
})

test('a reader that takes nothing for too long is cut off, one that reads is not', async () => {
  const timing = { keepAlive: 20, stalled: 1_000 }
  const [slow, good] = [await opened({ timing }), await opened({ timing })]
  await stuff(slow.stream, slow.socket)
  await until('it is cut off', () => (slow.stream.closed ? true : undefined))
  await says(good.read, /keep-alive[^]*keep-alive/)
  assert.not(good.stream.closed)
})

test('a reader that stops before the end is cut off, too', async () => {
  const { stream, res, socket } = await opened({ timing: { keepAlive: 20, stalled: 1_000 } })
  await stuff(stream, socket)
  stream.end('{"answer":1}')
  await until('it is cut off', () => (res.destroyed ? true : undefined))
})

test('whoever fills a stream is let go when its reader leaves', async () => {
  let lost = 0
  const { stream, socket } = await opened({ onLost: () => (lost += 1) })
  await stuff(stream, socket)
  const drained = stream.drained()
  socket.destroy()
  await drained
  await until('it is lost', () => (lost > 0 ? true : undefined))
  assert.equal([stream.closed, stream.full, lost], [true, false, 1])
})

test('a stream for a client that has left already is lost at once', async () => {
  const { res, socket } = await reader()
  socket.destroy()
  await until('it has left', () => (res.destroyed ? true : undefined))
  let lost = 0
  const stream = new EventStream({ onLost: () => (lost += 1) })
  stream.attach(res)
  await until('it is lost', () => (lost === 1 ? true : undefined))
})

test('a stream that is kept begins with an event that only has an id, and numbers what follows', async () => {
  const { stream, read } = await opened({ ring: new EventRing('r.c1') })
  stream.note({ n: 1 })
  stream.end('{"last":true}')
  await says(read, '"last"')
  const [, body = ''] = read.text.split('\r\n\r\n')
  const events = body.replace(/^[0-9a-f]+\r\n|\r\n/gm, '')
  assert.ok(
    events.startsWith(
      ': open\n\nretry: 1000\nid: r.c1.0\ndata: \n\nid: r.c1.1\nevent: message\ndata: {"n":1}\n\nid: r.c1.2\nevent: message\ndata: {"last":true}\n\n',
    ),
    events,
  )
})

test('a stream that is kept outlives its reader, and gives the next one what it has not seen', async () => {
  let lost = 0
  const first = await opened({ ring: new EventRing('r.c1'), onLost: () => (lost += 1) })
  const { stream } = first
  stream.note({ n: 1 })
  await says(first.read, '"n":1')
  first.socket.destroy()
  await until('it has no reader', () => (stream.leftAt === null ? undefined : true))
  stream.note({ n: 2 })
  stream.must({ n: 3 })
  const second = await reader()
  stream.attach(second.res, { after: 1 })
  stream.note({ n: 4 })
  stream.end('{"last":true}')
  await says(second.read, '"last"')
  assert.equal(second.read.text.match(/^id: .*$/gm), ['id: r.c1.2', 'id: r.c1.3', 'id: r.c1.4', 'id: r.c1.5'])
  const third = await reader()
  stream.attach(third.res, { after: 4 })
  await says(third.read, '"last"')
  assert.is(lost, 0)
})

test('a newer reader ends the older', async () => {
  const older = await opened({ ring: new EventRing('r.c1') })
  const newer = await reader()
  older.stream.attach(newer.res, { after: 0 })
  older.stream.must({ n: 1 })
  await says(newer.read, '"n":1')
  await until('the older has ended', () => (older.res.writableFinished ? true : undefined))
  assert.not.match(older.read.text, /"n":1/)
  assert.is(older.stream.leftAt, null)
})

test('a stream that is abandoned ends with its reader, at once when it has none', async () => {
  let lost = 0
  const read = await opened({ ring: new EventRing('r.c1'), onLost: () => (lost += 1) })
  read.stream.abandon()
  assert.is(lost, 0)
  read.stream.must({ n: 1 })
  await says(read.read, '"n":1')
  read.socket.destroy()
  await until('it is lost', () => (lost === 1 ? true : undefined))
  const unread = new EventStream({ ring: new EventRing('r.c2'), onLost: () => (lost += 1) })
  unread.abandon()
  assert.equal([lost, unread.closed, unread.lost], [2, true, true])
})

test.run()
