import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { readBody } from './body.js'
import { createHops, HOP_HEADER } from './hop.js'
import { createToOwner, type ToOwner } from './to-owner.js'

const keys = [randomBytes(32)]
type Serve = (req: IncomingMessage, res: ServerResponse, body: string) => void

/** A replica that passes on what names an owner in `x-owner`, and serves the rest. */
async function replica(id: string, urls: Map<string, string | null>, serve: Serve, options = {}) {
  const hops = createHops({ self: id, keys })
  const toOwner: ToOwner = createToOwner({
    replicas: { id, urlOf: (wanted) => (urls.has(wanted) ? (urls.get(wanted) ?? null) : 'dead') },
    hops,
    ...options,
  })
  const refused: unknown[] = []
  const listener = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const hop = toOwner.arrived(req)
      const body = await readBody(req, 100_000)
      hop?.fits(body)
      const owner = req.headers['x-owner']
      const address = hop?.address ?? '192.0.2.7'
      if (owner !== undefined && (await toOwner.pass(String(owner), { req, res, hop, address }, { body }))) return
      res.setHeader('x-served-by', `${id} for ${address}`)
      serve(req, res, body.toString())
    } catch (thrown) {
      refused.push(thrown)
      res.writeHead((thrown as { entry?: { http: number } }).entry?.http ?? 500).end()
    }
  }
  const server = createServer((req, res) => void listener(req, res))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  urls.set(id, url)
  const stop = async () => {
    const stopped = toOwner.stop()
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
    await stopped
  }
  return { url, toOwner, refused, stop }
}

/** Two replicas that serve alike. */
async function two(serve: Serve, options = {}) {
  const urls = new Map<string, string | null>()
  const [here, there] = [await replica('aaaa', urls, serve, options), await replica('bbbb', urls, serve)]
  return { urls, here, there, stop: () => Promise.all([here.stop(), there.stop()]) }
}
const echo: Serve = (req, res, body) => {
  const { authorization, origin, 'x-many': many } = req.headers
  res.writeHead(207, { 'x-own': 'yes', 'content-type': 'text/plain' })
  res.end(JSON.stringify({ method: req.method, url: req.url, body, authorization, origin, many }))
}

test('a request that names an owner is served by it: path, headers, body and the client’s address', async () => {
  const { here, stop } = await two(echo)
  const response = await fetch(`${here.url}/mcp/house?x=1`, {
    method: 'POST',
    headers: { 'x-owner': 'bbbb', authorization: 'Bearer t', origin: 'https://o.example', 'x-many': 'a, b' },
    body: '{"a":"ä"}',
  })
  assert.is(response.status, 207)
  assert.is(response.headers.get('x-served-by'), 'bbbb for 192.0.2.7')
  assert.is(response.headers.get('x-own'), 'yes')
  assert.equal(await response.json(), {
    ...{ method: 'POST', url: '/mcp/house?x=1', body: '{"a":"ä"}' },
    ...{ authorization: 'Bearer t', origin: 'https://o.example', many: 'a, b' },
  })
  await stop()
})

test('what is ours, dead, without an address or unreachable is served here', async () => {
  const { urls, here, stop } = await two(echo, { connectMs: 500 })
  urls.set('cccc', null).set('dddd', 'http://127.0.0.1:1')
  for (const owner of ['aaaa', 'cccc', 'dddd', 'eeee']) {
    const { headers } = await fetch(here.url, { headers: { 'x-owner': owner } })
    assert.is(headers.get('x-served-by'), 'aaaa for 192.0.2.7', owner)
  }
  await stop()
})

test('an owner that does not answer in time is served for here', async () => {
  const { here, stop } = await two((req, res) => req.headers[HOP_HEADER] === undefined && res.end(), {
    patienceMs: 100,
  })
  const { headers } = await fetch(here.url, { headers: { 'x-owner': 'bbbb' } })
  assert.is(headers.get('x-served-by'), 'aaaa for 192.0.2.7')
  await stop()
})

test('a request is passed on once: who gets it serves it, whomever it names', async () => {
  const { urls, here, there, stop } = await two(echo)
  // Each takes the other for a third one.
  urls.set('cccc', there.url)
  const misdirected = await fetch(here.url, { headers: { 'x-owner': 'cccc' } })
  assert.is(misdirected.headers.get('x-served-by'), 'aaaa for 192.0.2.7', 'another replica has that address now')
  assert.is(there.refused.length, 1)
  const hops = createHops({ self: 'aaaa', keys })
  const header = hops.vouch({ to: 'bbbb', method: 'GET', path: '/', body: Buffer.alloc(0), address: '192.0.2.9' })
  const passed = await fetch(there.url, { headers: { 'x-owner': 'aaaa', [HOP_HEADER]: header } })
  assert.is(passed.headers.get('x-served-by'), 'bbbb for 192.0.2.9')
  const other = { method: 'POST', body: 'x', headers: { [HOP_HEADER]: header } }
  assert.is((await fetch(there.url, other)).status, 421, 'nor for another request')
  await stop()
})

test('an event stream comes through as it is made, and a client that leaves is told to the owner', async () => {
  let left = false
  let served: ServerResponse | undefined
  const { here, stop } = await two((_, res) => {
    served = res.once('close', () => (left = true))
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  const leaving = new AbortController()
  const response = await fetch(here.url, { headers: { 'x-owner': 'bbbb' }, signal: leaving.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  assert.is((await reader.read()).value, 'data: 1\n\n')
  served?.write('data: 2\n\n')
  assert.is((await reader.read()).value, 'data: 2\n\n')
  assert.not.ok(left)
  leaving.abort()
  await until('the owner is told', () => left || undefined)
  await stop()
})

test('a stream whose owner dies is cut, and a replica that stops ends those that run through it', async () => {
  let served: ServerResponse | undefined
  const { here, stop } = await two((_, res) => {
    served = res
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  for (const end of [() => served?.destroy(), () => void here.toOwner.stop()]) {
    const response = await fetch(here.url, { headers: { 'x-owner': 'bbbb' } })
    const reader = response.body!.getReader()
    await reader.read()
    end()
    assert.is(await reader.read().catch(() => 'cut'), 'cut')
  }
  await stop()
})

test('one message of several is delivered, and its answer’s status is told', async () => {
  const { urls, here, there, stop } = await two(echo)
  const said: (number | null)[] = []
  const server = createServer(async (req, res) => {
    const visit = { req, res, hop: null, address: '192.0.2.7' }
    for (const owner of ['aaaa', 'bbbb', 'eeee'])
      said.push(await here.toOwner.deliver(owner, visit, { body: Buffer.from('[]') }))
    res.end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method: 'POST' })).text()
  assert.equal(said, [null, 207, null])
  assert.equal([urls.size, there.refused], [2, []])
  server.closeAllConnections()
  server.close()
  await stop()
})

test.run()
