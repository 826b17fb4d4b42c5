import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { createSessionStreams, type SessionStreams } from './session-streams.js'

interface Context {
  streams: SessionStreams
  server: Server
  url: string
}
const test = suite<Context>('session streams')
test.before.each(async (context) => {
  context.streams = createSessionStreams()
  context.server = createServer((req, res) => {
    const [, session = '', gateway = ''] = (req.url ?? '').split('/')
    context.streams.open(session, gateway, res)
  })
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve))
  context.url = `http://127.0.0.1:${(context.server.address() as AddressInfo).port}`
})
test.after.each(async ({ server, streams }) => {
  streams.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function listen({ url }: Context, session: string, gateway: string) {
  const abort = new AbortController()
  const response = await fetch(`${url}/${session}/${gateway}`, { signal: abort.signal })
  const heard = { text: '', ended: false, headers: response.headers, leave: () => abort.abort() }
  const read = async () => {
    for await (const chunk of response.body ?? []) heard.text += Buffer.from(chunk as Uint8Array).toString('utf8')
  }
  void read()
    .catch(() => undefined)
    .then(() => (heard.ended = true))
  await until('it is open', () => (heard.text.includes(': open') ? true : undefined))
  return heard
}
const ended = (heard: { ended: boolean }) => until('it has ended', () => (heard.ended ? true : undefined))
const NOTE = 'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}\n\n'

test('a stream is never buffered or kept on its way', async (context) => {
  const { headers } = await listen(context, 's', 'g')
  assert.match(headers.get('cache-control') ?? '', /no-cache, no-transform/)
  assert.is(headers.get('x-accel-buffering'), 'no')
})

test('a changed list is told to the sessions of its gateways alone', async (context) => {
  const [mine, theirs] = [await listen(context, 'a', 'g'), await listen(context, 'b', 'h')]
  context.streams.listChanged(new Set(['g']), 'prompts')
  await until('it is told', () => (mine.text.includes(NOTE) ? true : undefined))
  context.streams.listChanged(new Set(['h']), 'tools')
  await until('it is told', () => (theirs.text.includes('tools/list_changed') ? true : undefined))
  assert.not.match(theirs.text, /prompts/)
  assert.not.match(mine.text, /tools/)
})

test('a newer stream takes the place of the older, whose end does not end it', async (context) => {
  const older = await listen(context, 's', 'g')
  const newer = await listen(context, 's', 'g')
  await ended(older)
  context.streams.listChanged(new Set(['g']), 'prompts')
  await until('it is told', () => (newer.text.includes(NOTE) ? true : undefined))
})

test('a stream ends with its session, and all end at the end', async (context) => {
  const [one, other] = [await listen(context, 'a', 'g'), await listen(context, 'b', 'g')]
  context.streams.close('a')
  await ended(one)
  assert.not(other.ended)
  context.streams.close('unknown')
  context.streams.stop()
  await ended(other)
})

test('whoever has left is told nothing, and breaks nothing', async (context) => {
  const [gone, here] = [await listen(context, 'a', 'g'), await listen(context, 'b', 'g')]
  gone.leave()
  await ended(gone)
  context.streams.listChanged(new Set(['g']), 'prompts')
  await until('it is told', () => (here.text.includes(NOTE) ? true : undefined))
})

test.run()
