import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '@gatehouse/sdk'
import { until } from '../test/until.js'
import { legacyFake, makeRequest, makeTarget, makeUpstreams, modernFake, sendEvent, startStream } from './testing.js'
import type { Seen } from './testing.js'

/** A reader that is full when a test says so. */
function flow() {
  let wake: () => void = () => undefined
  const made = {
    full: false,
    waits: 0,
    drained: () => ((made.waits += 1), new Promise<void>((resolve) => (wake = resolve))),
    drain: () => ((made.full = false), wake()),
  }
  return made
}

/** Notes as fast as they are taken, until `stop`; then the answer. */
function pour(seen: Seen) {
  const poured = { notes: 0, stopped: false }
  startStream(seen)
  const note = { method: 'notifications/message', params: { data: 'x'.repeat(8_192) } }
  const next = () => {
    while (!poured.stopped && !seen.res.destroyed) {
      poured.notes += 1
      if (!seen.res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...note })}\n\n`))
        return seen.res.once('drain', next)
    }
    sendEvent(seen, { id: seen.body['id'], result: { content: [] } })
    return seen.res.end()
  }
  next()
  return poured
}

for (const era of ['legacy', 'modern'] as const)
  test(`a server of the ${era} era is not read while its client does not read, and goes on when it does`, async () => {
    let poured: ReturnType<typeof pour> | undefined
    const handle = (seen: Seen) => {
      if (seen.body['method'] === 'tools/call') poured = pour(seen)
      else if (seen.verb === 'POST') seen.res.writeHead(202).end()
    }
    const server = await (era === 'legacy' ? legacyFake(handle) : modernFake(handle))
    const upstreams = makeUpstreams()
    const reader = flow()
    const notes: JsonObject[] = []
    const reply = upstreams.request(
      makeTarget({ url: server.url }),
      makeRequest({ flow: reader, deadline: Date.now() + 60_000, onNotification: (note) => void notes.push(note) }),
    )
    await until('notes come', () => (notes.length > 10 ? true : undefined))
    reader.full = true
    let before = -1
    let still = 0
    await until('the server is held up', () => {
      still = poured?.notes === before ? still + 1 : 0
      before = poured?.notes ?? 0
      return still > 8 ? true : undefined
    })
    assert.is(reader.waits, 1)
    const heard = notes.length
    reader.drain()
    await until('notes come again', () => (notes.length > heard + 500 ? true : undefined))
    if (poured !== undefined) poured.stopped = true
    assert.equal((await reply).result?.['content'], [])
    await upstreams.stop()
    await server.stop()
  })

test('a call whose client has gone while its server was held up ends', async () => {
  const server = await modernFake((seen) => void pour(seen))
  const upstreams = makeUpstreams()
  const reader = { ...flow(), full: true }
  const abort = new AbortController()
  let notes = 0
  const reply = upstreams.request(
    makeTarget({ url: server.url }),
    makeRequest({ flow: reader, signal: abort.signal, onNotification: () => void (notes += 1) }),
  )
  await until('notes come', () => (notes > 0 ? true : undefined))
  abort.abort()
  assert.is(await reply.catch((error: { code: string }) => error.code), 'GH_UPSTREAM_CANCELLED')
  await upstreams.stop()
  await server.stop()
})

test.run()
