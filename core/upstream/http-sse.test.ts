import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '@gatehouse/sdk'
import { DEFAULT_LIMITS } from '../domain/nouns.js'
import { sseFake, startSdkSseServer } from '../test/sse-servers.js'
import type { SseFake } from '../test/sse-servers.js'
import { until } from '../test/until.js'
import { failure, fakeServer, makeRequest, makeTarget, makeUpstreams, sendEvent } from './testing.js'
import type { Seen } from './testing.js'

const RESULT = { content: [{ type: 'text', text: 'hi' }], unknown: { kept: true } }
const isCall = ({ body }: Seen) => body['method'] === 'tools/call'
const isStream = ({ verb }: Seen) => verb === 'GET'
const paramsOf = ({ body }: Seen) => (body['params'] ?? {}) as JsonObject
const answering = (seen: Seen, stream: Seen) => {
  if (isCall(seen)) sendEvent(stream, { id: seen.body['id'], result: RESULT })
}
const sse = (fake: { url: string }, more: object = {}) => makeTarget({ url: fake.url, protocol: 'sse', ...more })
const wayOf = (fake: SseFake) =>
  fake.seen.map(({ verb, path, body }) => `${verb} ${path} ${String(body['method'] ?? '')}`.trim())

test('a server that is named so is dialled straight, and its credential goes with the GET and with each POST', async () => {
  const fake = await sseFake(answering)
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url, protocol: 'sse' }, { headers: { Authorization: 'Bearer t' } })
  const reply = await upstreams.request(target, makeRequest())
  assert.equal(reply.result, RESULT)
  assert.is(reply.era, 'legacy')
  assert.ok(reply.bytesSent > 50 && reply.bytesReceived > 50)
  await upstreams.request(target, makeRequest())
  assert.is((await upstreams.info(target, Date.now() + 1_000)).version, '2024-11-05')
  assert.equal(wayOf(fake), [
    'GET /mcp',
    'POST /messages?session=1 initialize',
    'POST /messages?session=1 notifications/initialized',
    'POST /messages?session=1 tools/call',
    'POST /messages?session=1 tools/call',
  ])
  assert.is(paramsOf(fake.seen[1]!)['protocolVersion'], '2025-11-25')
  assert.is(fake.seen[0]!.headers['accept'], 'text/event-stream')
  assert.ok(fake.seen.every(({ headers }) => headers['authorization'] === 'Bearer t'))
  assert.ok(fake.seen.slice(2).every(({ headers }) => headers['mcp-protocol-version'] === '2024-11-05'))
  const closed = new Promise((resolve) => fake.streams[0]!.res.on('close', resolve))
  await upstreams.stop()
  await closed
  await fake.stop()
})

test('no call overtakes the word that we are initialized', async () => {
  let isTaken = false
  const fake = await sseFake(
    (seen, stream) => {
      assert.ok(isTaken)
      answering(seen, stream)
    },
    {
      before({ body, res }) {
        if (body['method'] !== 'notifications/initialized') return false
        setTimeout(() => {
          isTaken = true
          res.writeHead(200).end()
        }, 50)
        return true
      },
    },
  )
  const upstreams = makeUpstreams()
  assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
  await upstreams.stop()
  await fake.stop()
})

test('the endpoint may be named relative, absolute on the same origin, or late', async () => {
  const named: ((n: number, origin: string) => string)[] = [
    (n) => `messages?session=${n}`,
    (n) => `?session=${n}`,
    (n, origin) => `${origin}/messages?session=${n}`,
  ]
  for (const endpoint of named) {
    const fake = await sseFake(answering, {
      endpoint,
      before: (seen) => {
        if (!seen.path.startsWith('/mcp?session')) return false
        Object.assign(seen, { path: seen.path.replace('/mcp', '/messages') })
        return false
      },
    })
    const upstreams = makeUpstreams()
    assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
    await upstreams.stop()
    await fake.stop()
  }
  const late = await sseFake(answering, { endpoint: () => null })
  const upstreams = makeUpstreams()
  const asked = upstreams.request(sse(late), makeRequest())
  const stream = await late.waitFor(isStream)
  stream.res.write(': patience\n\n')
  assert.is(late.seen.length, 1, 'nothing is POSTed before the endpoint is known')
  stream.res.write('event: endpoint\ndata: /messages?session=1\n\n')
  assert.equal((await asked).result, RESULT)
  await upstreams.stop()
  await late.stop()
})

test('an endpoint of another origin is refused, and nothing is POSTed anywhere', async () => {
  const elsewhere = await fakeServer(({ res }) => void res.writeHead(202).end())
  const { host, origin, port } = new URL(elsewhere.url)
  for (const endpoint of [
    `${origin}/messages?key=secret`,
    `//${host}/messages?key=secret`,
    `https://127.0.0.1:${port}/messages`,
    'ftp://127.0.0.1/messages',
    'http://[broken/',
    'data:text/plain,secret',
  ]) {
    const fake = await sseFake(answering, { endpoint: () => endpoint })
    const upstreams = makeUpstreams()
    const error = await failure(upstreams.request(sse(fake), makeRequest()))
    assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
    assert.match(error.message, 'an endpoint that is not of its own origin')
    assert.not.match(`${error.message} ${error.detail}`, 'secret')
    assert.is(fake.seen.length, 1)
    await upstreams.stop()
    await fake.stop()
  }
  assert.equal(elsewhere.seen, [])
  await elsewhere.stop()
})

test('a stream that never names an endpoint is given up and closed, and so is one that never begins', async () => {
  const nameless = await sseFake(answering, { endpoint: () => null })
  const silent = await fakeServer(() => {})
  const upstreams = makeUpstreams({ timing: { dial: 60 } })
  const error = await failure(upstreams.request(sse(nameless), makeRequest()))
  assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
  assert.match(error.message, 'an event stream that named no endpoint within 0.1 s')
  assert.equal(error.data, { server: 'crm', retryable: true })
  assert.is((await failure(upstreams.request(sse(silent, { id: 'b' }), makeRequest()))).code, 'GH_UPSTREAM_TIMEOUT')
  for (const { res } of [nameless.seen[0]!, silent.seen[0]!])
    if (!res.destroyed) await new Promise((resolve) => res.on('close', resolve))
  await upstreams.stop()
  await Promise.all([nameless.stop(), silent.stop()])
})

test('what is no event stream is told as what it is', async () => {
  const cases: [status: number, headers: Record<string, string>, code: string, says: string][] = [
    [200, { 'content-type': 'text/html' }, 'GH_UPSTREAM_PROTOCOL', 'text/html instead of an event stream'],
    [405, {}, 'GH_UPSTREAM_PROTOCOL', 'HTTP 405 instead of an event stream'],
    [307, { location: '/elsewhere' }, 'GH_UPSTREAM_PROTOCOL', 'a redirect'],
    [401, {}, 'GH_UPSTREAM_AUTH', 'HTTP 401'],
    [403, {}, 'GH_UPSTREAM_AUTH', 'HTTP 403'],
    [429, {}, 'GH_UPSTREAM_RATE_LIMITED', 'HTTP 429'],
    [502, {}, 'GH_UPSTREAM_UNREACHABLE', 'is failing (HTTP 502)'],
    [200, { 'content-type': 'text/event-stream' }, 'GH_UPSTREAM_PROTOCOL', 'ended before it named an endpoint'],
  ]
  for (const [status, headers, code, says] of cases) {
    const fake = await fakeServer(({ res }) => void res.writeHead(status, headers).end('<b>body</b>'))
    const upstreams = makeUpstreams()
    const error = await failure(upstreams.request(sse(fake), makeRequest()))
    assert.is(error.code, code, says)
    assert.match(error.message, says)
    assert.is(fake.seen.length, 1)
    await upstreams.stop()
    await fake.stop()
  }
})

test('answers come in any order, each to its own call, and notes to their owners', async () => {
  const fake = await sseFake((seen, stream) => {
    const calls = fake.seen.filter(isCall)
    if (!isCall(seen) || calls.length < 3) return
    sendEvent(stream, { method: 'notifications/tools/list_changed' })
    sendEvent(stream, { method: 'notifications/resources/updated', params: { uri: 'x://y' } })
    for (const call of calls.toReversed()) {
      const { progressToken } = paramsOf(call)['_meta'] as JsonObject
      sendEvent(stream, { method: 'notifications/progress', params: { progressToken, progress: 1 } })
      sendEvent(stream, { id: call.body['id'], result: { of: paramsOf(call)['name'] } })
      sendEvent(stream, { id: call.body['id'], result: { of: 'nobody: it was answered' } })
    }
  })
  const [changed, unowned]: [string[], JsonObject[]] = [[], []]
  const owned: Record<string, unknown[]> = { a: [], b: [], c: [] }
  const upstreams = makeUpstreams({ onServerNote: (_, note) => unowned.push(note) })
  upstreams.onListChanged((_, kind) => changed.push(kind))
  const replies = await Promise.all(
    Object.entries(owned).map(([name, notes]) => {
      const onNotification = (note: JsonObject) => notes.push((note['params'] as JsonObject)['progressToken'])
      return upstreams.request(sse(fake), makeRequest({ params: { name }, progressToken: `t-${name}`, onNotification }))
    }),
  )
  assert.equal(
    replies.map(({ result }) => result),
    [{ of: 'a' }, { of: 'b' }, { of: 'c' }],
  )
  assert.equal(owned, { a: ['t-a'], b: ['t-b'], c: ['t-c'] })
  assert.equal(changed, ['tools'])
  assert.equal(
    unowned.map(({ params }) => params),
    [{ uri: 'x://y' }],
  )
  assert.is(fake.streams.length, 1)
  await upstreams.stop()
  await fake.stop()
})

test('what a server asks is answered at its endpoint', async () => {
  const fake = await sseFake((seen, stream) => {
    if (isCall(seen)) {
      sendEvent(stream, { id: 'q', method: 'ping' })
      sendEvent(stream, { id: 0, method: 'roots/list' })
    } else if (fake.seen.filter(({ body }) => 'result' in body || 'error' in body).length === 2)
      sendEvent(stream, { id: fake.seen.find(isCall)!.body['id'], result: RESULT })
  })
  const upstreams = makeUpstreams()
  await upstreams.request(sse(fake), makeRequest())
  const answers = fake.seen.filter(({ body }) => 'result' in body || 'error' in body).map(({ body }) => body)
  assert.equal(
    answers.find(({ id }) => id === 'q'),
    { jsonrpc: '2.0', id: 'q', result: {} },
  )
  assert.is((answers.find(({ id }) => id === 0)!['error'] as JsonObject)['code'], -32601)
  await upstreams.stop()
  await fake.stop()
})

test('a caller that goes away, and a deadline, are told to the server under our own id', async () => {
  const fake = await sseFake(() => {})
  const upstreams = makeUpstreams()
  const abort = new AbortController()
  const asked = failure(upstreams.request(sse(fake), makeRequest({ signal: abort.signal })))
  const first = await fake.waitFor(isCall)
  abort.abort()
  assert.is((await asked).code, 'GH_UPSTREAM_CANCELLED')
  await fake.waitFor((seen) => paramsOf(seen)['requestId'] === first.body['id'])
  const late = await failure(upstreams.request(sse(fake), makeRequest({ deadline: Date.now() + 50 })))
  assert.is(late.code, 'GH_UPSTREAM_TIMEOUT')
  const second = fake.seen.filter(isCall)[1]!
  const told = await fake.waitFor((seen) => paramsOf(seen)['requestId'] === second.body['id'])
  assert.is(told.body['method'], 'notifications/cancelled')
  assert.is(fake.streams.length, 1, 'the session goes on')
  await upstreams.stop()
  await fake.stop()
})

test('progress grants a call its time anew', async () => {
  let tell: NodeJS.Timeout | undefined
  const fake = await sseFake((seen, stream) => {
    if (!isCall(seen)) return
    const { progressToken } = paramsOf(seen)['_meta'] as JsonObject
    let progress = 0
    tell = setInterval(() => {
      sendEvent(stream, { method: 'notifications/progress', params: { progressToken, progress: ++progress } })
      if (progress === 10) sendEvent(stream, { id: seen.body['id'], result: RESULT })
    }, 30)
  })
  const upstreams = makeUpstreams()
  await upstreams.info(sse(fake), Date.now() + 5_000)
  const grants = { deadline: Date.now() + 200, hardDeadline: Date.now() + 10_000, progressToken: 1 }
  assert.equal((await upstreams.request(sse(fake), makeRequest(grants))).result, RESULT)
  clearInterval(tell)
  await upstreams.stop()
  await fake.stop()
})

for (const [what, cut, code, says] of [
  ['cut', ({ res }: Seen) => void res.destroy(), 'GH_UPSTREAM_UNREACHABLE', 'closed the connection'],
  ['ended', ({ res }: Seen) => void res.end(), 'GH_UPSTREAM_UNREACHABLE', 'ended its event stream'],
  ['filled with garbage', ({ res }: Seen) => void res.write('data: {secret\n\n'), 'GH_UPSTREAM_PROTOCOL', 'not JSON'],
  ['filled with a batch', ({ res }: Seen) => void res.write('data: []\n\n'), 'GH_UPSTREAM_PROTOCOL', 'batch'],
  [
    'filled with one event without end',
    ({ res }: Seen) => void res.write(`data: ${'x'.repeat(3_000)}`),
    'GH_UPSTREAM_TOO_LARGE',
    'more than 2000 bytes',
  ],
] as const)
  test(`a stream that is ${what} fails all its calls, which are not sent again; the next one dials anew`, async () => {
    let isWell = false
    const fake = await sseFake((seen, stream) => {
      if (!isCall(seen)) return
      if (isWell) answering(seen, stream)
      else if (fake.seen.filter(isCall).length === 2) cut(stream)
    })
    const limits = () => ({ ...DEFAULT_LIMITS, upstreamEvent: 2_000 })
    const upstreams = makeUpstreams({ limits })
    const changed: string[] = []
    upstreams.onListChanged((_, kind) => changed.push(kind))
    const asked = [1, 2].map(() => failure(upstreams.request(sse(fake), makeRequest())))
    for (const error of await Promise.all(asked)) {
      assert.is(error.code, code)
      assert.match(error.message, says)
      assert.not.match(`${error.message} ${error.detail}`, 'secret')
      assert.equal(error.data, { server: 'crm', retryable: false })
    }
    isWell = true
    assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
    assert.is(fake.seen.filter(isCall).length, 3, 'nothing was sent twice')
    assert.is(fake.streams.length, 2)
    assert.equal(changed, ['tools', 'prompts', 'resources'], 'what was missed is unknown')
    await upstreams.stop()
    await fake.stop()
  })

test('a stream that is lost while nobody waits is dialled anew without an error', async () => {
  const fake = await sseFake(answering)
  const upstreams = makeUpstreams()
  await upstreams.request(sse(fake), makeRequest())
  fake.streams[0]!.res.end()
  const pool = upstreams.pools.get(new URL(fake.url).origin)!
  await until('the end has reached us', () => (pool.stats.running === 0 ? true : undefined))
  assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
  assert.equal(
    fake.seen.filter(isCall).map(({ path }) => path),
    ['/messages?session=1', '/messages?session=2'],
  )
  await upstreams.stop()
  await fake.stop()
})

test('a call whose POST never left is harmless to repeat, and is not sent when its turn comes too late', async () => {
  const fake = await sseFake(() => {})
  const upstreams = makeUpstreams()
  await upstreams.info(sse(fake), Date.now() + 5_000)
  const origin = new URL(fake.url).origin
  const pool = upstreams.pools.get(origin)!
  const queued: (() => void)[] = []
  const held = new Proxy(pool, {
    get: (of, key) =>
      key === 'dispatch'
        ? (...given: Parameters<typeof pool.dispatch>) => (queued.push(() => void of.dispatch(...given)), true)
        : Reflect.get(of, key, of),
  })
  upstreams.pools.set(origin, held)
  const late = await failure(upstreams.request(sse(fake), makeRequest({ deadline: Date.now() + 30 })))
  assert.is(late.code, 'GH_UPSTREAM_TIMEOUT')
  const asked = failure(upstreams.request(sse(fake), makeRequest()))
  fake.streams[0]!.res.destroy()
  const lost = await asked
  assert.is(lost.code, 'GH_UPSTREAM_UNREACHABLE')
  for (const error of [late, lost]) assert.equal(error.data, { server: 'crm', retryable: true })
  upstreams.pools.set(origin, pool)
  assert.is(queued.length, 2)
  for (const go of queued) go()
  await failure(upstreams.request(sse(fake), makeRequest({ deadline: Date.now() + 200 })))
  assert.is(fake.seen.filter(isCall).length, 1, 'the third call alone')
  await upstreams.stop()
  await fake.stop()
})

test('a session that the server forgot is opened anew and the request sent again, once', async () => {
  for (const [status, body] of [
    [404, 'Session not found'],
    [400, 'No transport found for sessionId'],
  ] as const) {
    let forgets = (seen: Seen) => seen.path.endsWith('session=1')
    const fake = await sseFake(answering, {
      before(seen) {
        if (!isCall(seen) || !forgets(seen)) return false
        seen.res.writeHead(status).end(body)
        return true
      },
    })
    const upstreams = makeUpstreams()
    assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
    assert.is(fake.streams.length, 2)
    await new Promise<void>((resolve) => {
      const { res } = fake.streams[0]!
      if (res.destroyed) resolve()
      else res.on('close', () => resolve())
    })
    forgets = () => true
    assert.is((await failure(upstreams.request(sse(fake), makeRequest()))).code, 'GH_UPSTREAM_PROTOCOL')
    assert.is(fake.seen.filter(isCall).length, 4)
    await upstreams.stop()
    await fake.stop()
  }
})

test('a POST that is not taken fails its call alone, at once', async () => {
  const cases: [status: number, code: string, says: string][] = [
    [302, 'GH_UPSTREAM_PROTOCOL', 'a redirect'],
    [400, 'GH_UPSTREAM_PROTOCOL', 'did not take a message (HTTP 400)'],
    [403, 'GH_UPSTREAM_AUTH', 'HTTP 403'],
    [413, 'GH_UPSTREAM_PROTOCOL', 'did not take a message (HTTP 413)'],
    [429, 'GH_UPSTREAM_RATE_LIMITED', 'HTTP 429'],
    [500, 'GH_UPSTREAM_UNREACHABLE', 'is failing (HTTP 500)'],
  ]
  for (const [status, code, says] of cases) {
    const fake = await sseFake(
      (seen, stream) =>
        isCall(seen) && void fake.waitFor(({ body }) => body['id'] === 3).then(() => answering(seen, stream)),
      {
        before({ body, res }) {
          if (body['id'] !== 3) return false
          res.writeHead(status, { location: '/mcp' }).end('secret')
          return true
        },
      },
    )
    const upstreams = makeUpstreams()
    const other = upstreams.request(sse(fake), makeRequest())
    await fake.waitFor(isCall)
    const error = await failure(upstreams.request(sse(fake), makeRequest()))
    assert.is(error.code, code)
    assert.match(error.message, says)
    assert.not.match(`${error.message} ${error.detail}`, 'secret')
    assert.equal((await other).result, RESULT)
    assert.is(fake.streams.length, 1)
    await upstreams.stop()
    await fake.stop()
  }
})

test('an answer that comes before its POST was taken counts, and the POST is let go', async () => {
  let closed = () => {}
  const isClosed = new Promise<void>((resolve) => (closed = resolve))
  const fake = await sseFake(() => {}, {
    before(seen) {
      if (!isCall(seen)) return false
      seen.res.on('close', closed)
      answering(seen, fake.streams[0]!)
      return true
    },
  })
  const upstreams = makeUpstreams()
  assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
  await isClosed
  await upstreams.stop()
  await fake.stop()
})

test('after a 401, on the GET or on a POST, the secrets are opened again; only a new credential is tried, once', async () => {
  let valid = 'new'
  const fake = await sseFake(answering, {
    before({ headers, res }) {
      if (headers['x-key'] === valid) return false
      res.writeHead(401, { 'www-authenticate': 'Bearer scope="a"' }).end()
      return true
    },
  })
  const upstreams = makeUpstreams()
  let key = 'old'
  const target = { ...sse(fake), secrets: async () => ({ headers: { 'X-Key': key }, env: {} }) }
  const refused = await failure(upstreams.request(target, makeRequest()))
  assert.is(refused.code, 'GH_UPSTREAM_AUTH')
  assert.is(refused.detail, 'Bearer scope="a"')
  assert.is(fake.seen.length, 1, 'no other credential, no other attempt')

  const opening = {
    ...target,
    secrets: async () => ({ headers: { 'X-Key': fake.seen.length < 2 ? 'old' : 'new' }, env: {} }),
  }
  assert.equal((await upstreams.request(opening, makeRequest())).result, RESULT)
  assert.equal(
    fake.seen.slice(1, 3).map(({ headers }) => headers['x-key']),
    ['old', 'new'],
  )

  valid = 'newest'
  key = 'newest'
  const before = fake.seen.length
  assert.equal((await upstreams.request(target, makeRequest())).result, RESULT)
  assert.equal(
    fake.seen.slice(before).map((seen) => [isCall(seen), seen.headers['x-key']]),
    [
      [true, 'new'],
      [true, 'newest'],
    ],
  )
  assert.is(fake.streams.length, 1, 'the session outlives its credential')

  valid = 'unknown to us'
  const again = await failure(upstreams.request(target, makeRequest()))
  assert.is(again.code, 'GH_UPSTREAM_AUTH')
  await upstreams.stop()
  await fake.stop()
})

test('a stream that has died without a word is found out by a ping', async () => {
  const fake = await sseFake((seen, stream) => {
    if (stream === fake.streams[1]) answering(seen, stream)
  })
  const upstreams = makeUpstreams({ timing: { ping: 600 } })
  const error = await failure(upstreams.request(sse(fake), makeRequest({ deadline: Date.now() + 20_000 })))
  assert.is(error.code, 'GH_UPSTREAM_TIMEOUT')
  assert.match(error.message, 'fell silent')
  assert.ok(fake.seen.some(({ body }) => body['method'] === 'ping'))
  assert.equal((await upstreams.request(sse(fake), makeRequest())).result, RESULT)
  await upstreams.stop()
  await fake.stop()
})

test('a slow call outlives the silence as long as pings are answered', async () => {
  let pings = 0
  const fake = await sseFake((seen, stream) => {
    if (seen.body['method'] !== 'ping') return
    sendEvent(stream, { id: seen.body['id'], result: {} })
    if (++pings === 4) sendEvent(stream, { id: fake.seen.find(isCall)!.body['id'], result: RESULT })
  })
  const upstreams = makeUpstreams({ timing: { ping: 600 } })
  const slow = makeRequest({ deadline: Date.now() + 20_000 })
  assert.equal((await upstreams.request(sse(fake), slow)).result, RESULT)
  assert.is(fake.streams.length, 1)
  await upstreams.stop()
  await fake.stop()
})

test('a server that refuses to initialize, or speaks a version that nobody knows, is let go', async () => {
  for (const initialized of [{ protocolVersion: '1999-01-01' }, { protocolVersion: null }]) {
    const fake = await sseFake(answering, { initialized })
    const upstreams = makeUpstreams()
    assert.is((await failure(upstreams.request(sse(fake), makeRequest()))).code, 'GH_UPSTREAM_PROTOCOL')
    const { res } = fake.streams[0]!
    if (!res.destroyed) await new Promise((resolve) => res.on('close', resolve))
    await upstreams.stop()
    await fake.stop()
  }
})

test('to forget a server fails what is under way and closes its stream', async () => {
  const fake = await sseFake(() => {})
  const upstreams = makeUpstreams()
  const asked = failure(upstreams.request(sse(fake), makeRequest()))
  await fake.waitFor(isCall)
  const closed = new Promise((resolve) => fake.streams[0]!.res.on('close', resolve))
  await upstreams.forget(sse(fake).server.id)
  assert.is((await asked).code, 'GH_UPSTREAM_UNREACHABLE')
  await closed
  await upstreams.stop()
  await fake.stop()
})

test('the reference SDK: found out, lists, progress, cancellation, and a stream that was cut', async () => {
  const server = await startSdkSseServer()
  const sees = (what: 'waits' | 'cancelled', times: number) =>
    until(`${what} is ${times}`, () => (server.seen[what] === times ? true : undefined))
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: server.url })
  const info = await upstreams.info(target, Date.now() + 10_000)
  assert.equal([info.era, info.version, info.serverInfo['name']], ['legacy', '2025-11-25', 'old'])
  const list = await upstreams.request(target, makeRequest({ method: 'tools/list', params: {} }))
  assert.equal(
    (list.result!['tools'] as JsonObject[]).map(({ name }) => name),
    ['count', 'wait'],
  )
  const notes: JsonObject[] = []
  const params = { name: 'count', arguments: { text: 'grüße' } }
  const more = { params, progressToken: 'p', onNotification: (note: JsonObject) => notes.push(note) }
  const counted = await upstreams.request(target, makeRequest(more))
  assert.match(JSON.stringify(counted.result), 'grüße')
  assert.equal(
    notes.map((note) => note['params']),
    [1, 2, 3].map((progress) => ({ progressToken: 'p', progress, total: 3 })),
  )
  const abort = new AbortController()
  const waiting = failure(upstreams.request(target, makeRequest({ params: { name: 'wait' }, signal: abort.signal })))
  await sees('waits', 1)
  abort.abort()
  assert.is((await waiting).code, 'GH_UPSTREAM_CANCELLED')
  await sees('cancelled', 1)
  assert.is(server.seen.streams, 1)
  const lost = failure(upstreams.request(target, makeRequest({ params: { name: 'wait' } })))
  await sees('waits', 2)
  server.cut()
  assert.is((await lost).code, 'GH_UPSTREAM_UNREACHABLE')
  assert.match(JSON.stringify((await upstreams.request(target, makeRequest({ params }))).result), 'grüße')
  assert.is(server.seen.streams, 2)
  await upstreams.stop()
  await server.stop()
})

test.run()
