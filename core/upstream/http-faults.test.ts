import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import type { ErrorCode } from '../errors.js'
import { DEFAULT_LIMITS } from '../domain/nouns.js'
import {
  answerJson,
  failure,
  makeRequest,
  makeTarget,
  makeUpstreams,
  modernFake,
  sendEvent,
  startStream,
} from './testing.js'
import type { Seen } from './testing.js'

const GOOD = { resultType: 'complete', content: [] }
const text = (body: string, type = 'application/json', status = 200) => {
  return ({ res }: Seen) => void res.writeHead(status, { 'content-type': type }).end(body)
}
const rpc = (message: (id: unknown) => unknown) => {
  return (seen: Seen) => text(JSON.stringify(message(seen.body['id'])))(seen)
}
const stream = (write: (seen: Seen) => void) => (seen: Seen) => {
  startStream(seen)
  write(seen)
}

/** Each way in which a server may misbehave, and what is said of it. */
const MISDEEDS: readonly [what: string, handle: (seen: Seen) => void, code: ErrorCode, says: string][] = [
  ['garbage', text('{"jsonrpc": "2.0", secret'), 'GH_UPSTREAM_PROTOCOL', 'an answer that is not JSON'],
  ['nothing', text(''), 'GH_UPSTREAM_PROTOCOL', 'HTTP 200 without a JSON-RPC answer'],
  [
    'a bare "accepted"',
    text('', 'application/json', 202),
    'GH_UPSTREAM_PROTOCOL',
    'HTTP 202 without a JSON-RPC answer',
  ],
  ['HTML', text('<html>secret</html>', 'text/html'), 'GH_UPSTREAM_PROTOCOL', 'text/html instead of JSON'],
  ['another id', rpc(() => ({ jsonrpc: '2.0', id: 999, result: GOOD })), 'GH_UPSTREAM_PROTOCOL', 'not asked'],
  [
    'its id as text',
    rpc((id) => ({ jsonrpc: '2.0', id: String(id), result: GOOD })),
    'GH_UPSTREAM_PROTOCOL',
    'not asked',
  ],
  ['a batch', rpc((id) => [{ jsonrpc: '2.0', id, result: GOOD }]), 'GH_UPSTREAM_PROTOCOL', 'a JSON-RPC batch'],
  [
    'a null result',
    rpc((id) => ({ jsonrpc: '2.0', id, result: null })),
    'GH_UPSTREAM_PROTOCOL',
    'a result that is no object',
  ],
  [
    'result and error',
    rpc((id) => ({ jsonrpc: '2.0', id, result: GOOD, error: { code: 1, message: 'x' } })),
    'GH_UPSTREAM_PROTOCOL',
    'both a result and an error',
  ],
  ['neither of them', rpc((id) => ({ jsonrpc: '2.0', id })), 'GH_UPSTREAM_PROTOCOL', 'neither a result nor an error'],
  [
    'a malformed error',
    rpc((id) => ({ jsonrpc: '2.0', id, error: 'x' })),
    'GH_UPSTREAM_PROTOCOL',
    'a malformed JSON-RPC error',
  ],
  [
    'an error whose code is no whole number',
    rpc((id) => ({ jsonrpc: '2.0', id, error: { code: 1.5, message: 'x' } })),
    'GH_UPSTREAM_PROTOCOL',
    'a malformed JSON-RPC error',
  ],
  ['no JSON-RPC', rpc(() => ({ hello: 1 })), 'GH_UPSTREAM_PROTOCOL', 'no JSON-RPC 2.0 message'],
  ['a request as answer', rpc((id) => ({ jsonrpc: '2.0', id, method: 'ping' })), 'GH_UPSTREAM_PROTOCOL', 'no answer'],
  [
    'a redirect',
    ({ res }) => void res.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    'GH_UPSTREAM_PROTOCOL',
    'a redirect',
  ],
  ['401', text('', 'text/plain', 401), 'GH_UPSTREAM_AUTH', 'refused the credential (HTTP 401)'],
  ['403', text('', 'text/plain', 403), 'GH_UPSTREAM_AUTH', 'refused the credential (HTTP 403)'],
  ['502', text('<html>secret', 'text/html', 502), 'GH_UPSTREAM_UNREACHABLE', 'is failing (HTTP 502)'],
  [
    'a closed socket',
    ({ res }) => void res.destroy(),
    'GH_UPSTREAM_UNREACHABLE',
    'closed the connection before it answered',
  ],
  [
    'half a body',
    ({ res }) =>
      void res
        .writeHead(200, { 'content-type': 'application/json', 'content-length': '99' })
        .write('{', () => res.destroy()),
    'GH_UPSTREAM_UNREACHABLE',
    'closed the connection',
  ],
  [
    'half a stream, ended',
    stream(({ res }) => void res.end(': bye\n\n')),
    'GH_UPSTREAM_PROTOCOL',
    'half an event stream',
  ],
  [
    'half a stream, cut',
    stream(({ res }) => void res.write(': bye\n\n', () => res.destroy())),
    'GH_UPSTREAM_UNREACHABLE',
    'closed the connection',
  ],
  ['garbage in a stream', stream(({ res }) => void res.write('data: {nope\n\n')), 'GH_UPSTREAM_PROTOCOL', 'not JSON'],
  [
    'another id in a stream',
    stream((seen) => sendEvent(seen, { id: 999, result: GOOD })),
    'GH_UPSTREAM_PROTOCOL',
    'not asked',
  ],
  ['a batch in a stream', stream(({ res }) => void res.write('data: []\n\n')), 'GH_UPSTREAM_PROTOCOL', 'batch'],
  [
    'a request in a modern stream',
    stream((seen) => sendEvent(seen, { id: 1, method: 'roots/list' })),
    'GH_UPSTREAM_PROTOCOL',
    'does not know',
  ],
  ['silence', () => {}, 'GH_UPSTREAM_TIMEOUT', 'did not answer within 0.2 s'],
  [
    'a stream of comments',
    stream(({ res }) => {
      const t = setInterval(() => res.write(':\n\n'), 20)
      res.on('close', () => clearInterval(t))
    }),
    'GH_UPSTREAM_TIMEOUT',
    'did not answer within 0.2 s',
  ],
]

for (const [what, handle, code, says] of MISDEEDS) {
  test(`a server that answers with ${what} gives ${code}, and the next call is well`, async () => {
    let bad = true
    const fake = await modernFake((seen) => (bad ? handle(seen) : answerJson(seen, { result: GOOD })))
    const upstreams = makeUpstreams({ timing: { reprobe: 60_000 } })
    const target = makeTarget({ url: fake.url })
    await upstreams.info(target, Date.now() + 5_000)
    const error = await failure(upstreams.request(target, makeRequest({ deadline: Date.now() + 200 })))
    assert.is(error.code, code)
    assert.ok(error.message.startsWith('Server "crm" ') && error.message.includes(says), error.message)
    assert.not.match(`${error.message} ${error.detail}`, 'secret')
    assert.is(fake.seen.filter(({ body }) => body['method'] === 'tools/call').length, 1, 'never sent twice')
    bad = false
    assert.equal((await upstreams.request(target, makeRequest())).result, GOOD)
    await upstreams.stop()
    await fake.stop()
  })
}

test('429 tells when to come back, in seconds or by date', async () => {
  const soon = new Date(Date.now() + 90_000).toUTCString()
  for (const [value, least, most] of [
    ['7', 7_000, 7_000],
    [soon, 80_000, 91_000],
  ] as const) {
    const fake = await modernFake(({ res }) => res.writeHead(429, { 'retry-after': value }).end())
    const upstreams = makeUpstreams()
    const error = await failure(upstreams.request(makeTarget({ url: fake.url }), makeRequest()))
    assert.is(error.code, 'GH_UPSTREAM_RATE_LIMITED')
    const after = Number(error.data?.['retryAfterMs'])
    assert.ok(after >= least && after <= most, String(after))
    await upstreams.stop()
    await fake.stop()
  }
})

test('a body of 100 MB is not read to its end, whether its size is told or not', async () => {
  for (const told of [true, false]) {
    let written = 0
    let cut = () => {}
    const isCut = new Promise<void>((resolve) => (cut = resolve))
    const fake = await modernFake(({ res }) => {
      const size = 100 * 1024 * 1024
      res.writeHead(200, { 'content-type': 'application/json', ...(told ? { 'content-length': String(size) } : {}) })
      const chunk = Buffer.alloc(1024 * 1024, 120)
      res.on('close', cut)
      const write = (): void => {
        if (written >= size || res.destroyed) return
        written += chunk.length
        if (res.write(chunk)) setImmediate(write)
        else res.once('drain', write)
      }
      write()
    })
    const upstreams = makeUpstreams()
    const error = await failure(upstreams.request(makeTarget({ url: fake.url }), makeRequest()))
    assert.is(error.code, 'GH_UPSTREAM_TOO_LARGE')
    await isCut
    assert.ok(written < 60 * 1024 * 1024, `${written} bytes were written`)
    await upstreams.stop()
    await fake.stop()
  }
})

test('an event over its limit ends the stream, and many small ones do not', async () => {
  const limits = () => ({ ...DEFAULT_LIMITS, upstreamEvent: 1_000, upstreamBody: 2_000 })
  let size = 5_000
  const fake = await modernFake((seen) => {
    startStream(seen)
    for (let n = 0; n < 10; n++) sendEvent(seen, { method: 'notifications/message', params: { data: 'x'.repeat(500) } })
    sendEvent(seen, { id: seen.body['id'], result: { ...GOOD, text: 'x'.repeat(size) } })
    seen.res.end()
  })
  const upstreams = makeUpstreams({ limits })
  const target = makeTarget({ url: fake.url })
  assert.is((await failure(upstreams.request(target, makeRequest()))).code, 'GH_UPSTREAM_TOO_LARGE')
  size = 100
  assert.is((await upstreams.request(target, makeRequest())).httpStatus, 200)
  await upstreams.stop()
  await fake.stop()
})

test('a stream that goes on after the answer is cut, and the answer stands', async () => {
  let cut = () => {}
  const isCut = new Promise<void>((resolve) => (cut = resolve))
  const fake = await modernFake((seen) => {
    startStream(seen)
    sendEvent(seen, { id: seen.body['id'], result: GOOD })
    const timer = setInterval(() => seen.res.write(`data: ${'x'.repeat(9_000)}\n\n`), 5)
    seen.res.on('close', () => (clearInterval(timer), cut()))
  })
  const upstreams = makeUpstreams()
  assert.equal((await upstreams.request(makeTarget({ url: fake.url }), makeRequest())).result, GOOD)
  await isCut
  await upstreams.stop()
  await fake.stop()
})

test('nobody listening, or an unknown name, is unreachable and harmless to repeat', async () => {
  const fake = await modernFake(() => {})
  await fake.stop()
  const upstreams = makeUpstreams()
  for (const url of [fake.url, 'http://no-such-host.invalid/mcp']) {
    const target = makeTarget({ url, id: url })
    const error = await failure(upstreams.request(target, makeRequest()))
    assert.is(error.code, 'GH_UPSTREAM_UNREACHABLE')
    assert.match(error.message, /^Server "crm" cannot be reached \(E[A-Z_]+\)$/)
    assert.equal(error.data, { server: 'crm', retryable: true })
    assert.is(upstreams.state(target.server.id).up, false)
    assert.is(upstreams.state(target.server.id).reason, error.message)
  }
  await upstreams.stop()
})

test('what the egress guard refuses is said as it says it', async () => {
  const refusal = new GatehouseError('GH_EGRESS_REFUSED', { message: '10.0.0.1 is not public' })
  const upstreams = makeUpstreams({
    egress: {
      pool: () => {
        throw refusal
      },
    },
  })
  const error = await failure(upstreams.request(makeTarget({ url: 'http://10.0.0.1/mcp' }), makeRequest()))
  assert.is(error.code, 'GH_UPSTREAM_UNREACHABLE')
  assert.match(error.message, '10.0.0.1 is not public')
  assert.is(error.cause, refusal)
  await upstreams.stop()
})

test('a port that speaks no HTTP breaks the protocol', async () => {
  const server = createServer((socket) => void socket.on('data', () => socket.end('SSH-2.0-hello\r\n')))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const upstreams = makeUpstreams()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const error = await failure(upstreams.request(makeTarget({ url, protocol: 'legacy' }), makeRequest()))
  assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
  assert.match(error.message, 'its answer is not HTTP')
  await upstreams.stop()
  await new Promise((resolve) => server.close(resolve))
})

test('after a 401 the secrets are opened again; only a new credential is tried, once', async () => {
  const fake = await modernFake((seen) => {
    if (seen.headers['x-key'] === 'new') answerJson(seen, { result: GOOD })
    else seen.res.writeHead(401, { 'www-authenticate': 'Bearer scope="a"' }).end()
  })
  const upstreams = makeUpstreams()
  let key = 'old'
  let opened = 0
  const secrets = async () => (opened++, { headers: { 'X-Key': key }, env: {} })
  const target = { ...makeTarget({ url: fake.url }), secrets }
  const error = await failure(upstreams.request(target, makeRequest()))
  assert.is(error.code, 'GH_UPSTREAM_AUTH')
  assert.is(error.detail, 'Bearer scope="a"')
  assert.is(opened, 2)
  assert.is(fake.seen.length, 2)
  key = 'new'
  assert.equal((await upstreams.request(target, makeRequest())).result, GOOD)
  assert.is(opened, 3)
  await upstreams.request(target, makeRequest())
  assert.is(opened, 3)
  await upstreams.stop()
  await fake.stop()
})

test('a call that is refused does not mark the server as down; a lost connection does', async () => {
  let lost = false
  const fake = await modernFake((seen) => void (lost ? seen.res.destroy() : text('', 'text/plain', 401)(seen)))
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  await failure(upstreams.request(target, makeRequest()))
  assert.is(upstreams.state(target.server.id).up, true)
  lost = true
  await failure(upstreams.request(target, makeRequest()))
  assert.is(upstreams.state(target.server.id).up, false)
  await upstreams.stop()
  await fake.stop()
})

test.run()
