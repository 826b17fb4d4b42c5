import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { failure } from '../upstream/testing.js'
import { readBody } from './body.js'

function request(length?: number): PassThrough & { complete: boolean } {
  const stream = new PassThrough() as unknown as PassThrough & { complete: boolean; headers: object }
  stream.complete = false
  stream.headers = length === undefined ? {} : { 'content-length': String(length) }
  return stream
}
const read = (req: PassThrough, limit: number) => readBody(req as unknown as IncomingMessage, limit)

test('a body comes back as it was sent, in however many pieces', async () => {
  const req = request()
  const body = read(req, 100)
  for (const piece of ['{"ä', '":', '1}']) req.write(piece)
  req.end()
  assert.is((await body).toString('utf8'), '{"ä":1}')
})

test('a body at the limit is taken, one byte more is not', async () => {
  for (const [size, limit] of [
    [10, 10],
    [0, 10],
  ] as const) {
    const req = request(size)
    const body = read(req, limit)
    req.end(Buffer.alloc(size))
    assert.is((await body).length, size)
  }
  const req = request()
  const body = failure(read(req, 10))
  req.write(Buffer.alloc(11))
  assert.is((await body).code, 'GH_DOOR_TOO_LARGE')
})

test('a length that is told is refused before a byte is read', async () => {
  const req = request(11)
  assert.is((await failure(read(req, 10))).code, 'GH_DOOR_TOO_LARGE')
  assert.is(req.listenerCount('data'), 0)
})

test('the rest of a body that is too large is not read', async () => {
  const req = request()
  const body = failure(read(req, 10))
  req.write(Buffer.alloc(20))
  await body
  assert.ok(req.isPaused())
  req.destroy()
})

test('a client that goes away in the middle is told so, if anyone still listens', async () => {
  for (const end of [undefined, new Error('aborted')]) {
    const req = request()
    const body = failure(read(req, 100))
    req.write('{"half":')
    req.destroy(end)
    assert.is((await body).code, 'GH_DOOR_NOT_JSON')
  }
})

test.run()
