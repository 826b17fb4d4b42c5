import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  DISCOVERY,
  answerJson,
  failure,
  makeRequest,
  makeTarget,
  makeUpstreams,
  modernFake,
  sendEvent,
  startStream,
} from './testing.js'
import { until } from '../test/until.js'

const RESULT = { resultType: 'complete', content: [{ type: 'text', text: 'hi' }], unknown: { kept: true } }

test('a modern call is one POST with envelope, mirrored headers and the credential', async () => {
  const fake = await modernFake((seen) => answerJson(seen, { result: RESULT }))
  const upstreams = makeUpstreams()
  const target = makeTarget(
    { url: `${fake.url}?a=1` },
    { headers: { 'X-Key': 'k', 'Mcp-Method': 'forged', Host: 'forged' } },
  )
  const paramHeaders = { 'Mcp-Param-Text': 'hi' }
  const reply = await upstreams.request(target, makeRequest({ paramHeaders }))

  assert.equal(reply.result, RESULT)
  assert.is(reply.era, 'modern')
  assert.is(reply.httpStatus, 200)
  const { headers, body } = fake.seen[1]!
  assert.is(reply.bytesSent, Number(headers['content-length']))
  assert.ok(reply.bytesReceived > JSON.stringify(RESULT).length)
  assert.is(headers['mcp-protocol-version'], '2026-07-28')
  assert.is(headers['mcp-method'], 'tools/call')
  assert.is(headers['mcp-name'], 'echo')
  assert.is(headers['mcp-param-text'], 'hi')
  assert.is(headers['x-key'], 'k')
  assert.is(headers['mcp-session-id'], undefined)
  assert.match(String(headers.host), /^127\.0\.0\.1:/)
  assert.equal(body['params'], {
    name: 'echo',
    arguments: { text: 'hi' },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'gatehouse', version: '0.0.0' },
    },
  })
  await upstreams.stop()
  await fake.stop()
})

test('what a server says of itself is told as it is, and asked once', async () => {
  const fake = await modernFake(() => assert.unreachable())
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  const [info] = await Promise.all([
    upstreams.info(target, Date.now() + 5_000),
    upstreams.info(target, Date.now() + 5_000),
  ])
  assert.equal(info, {
    era: 'modern',
    version: '2026-07-28',
    capabilities: { tools: {} },
    serverInfo: { name: 'fake', version: '1' },
    instructions: 'Ask gently.',
  })
  assert.is(fake.seen.length, 1)
  assert.is(upstreams.state(target.server.id).up, true)
  await upstreams.stop()
  await fake.stop()
})

test('notes of the response stream come in order, before the reply, with the token of the client', async () => {
  const fake = await modernFake((seen) => {
    startStream(seen)
    const { progressToken } = (seen.body['params'] as { _meta: { progressToken: number } })._meta
    sendEvent(seen, {
      method: 'notifications/progress',
      params: { progressToken, progress: 1, total: 2, extra: 'kept' },
    })
    sendEvent(seen, { method: 'notifications/progress', params: { progressToken: 999, progress: 1 } })
    sendEvent(seen, { method: 'notifications/message', params: { level: 'info', data: 'x' } })
    sendEvent(seen, { id: seen.body['id'], result: RESULT })
    seen.res.end()
  })
  const upstreams = makeUpstreams()
  const told: unknown[] = []
  const reply = await upstreams.request(
    makeTarget({ url: fake.url }),
    makeRequest({ progressToken: 'of-the-client', onNotification: (note) => told.push(note) }),
  )
  assert.equal(told, [
    {
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 'of-the-client', progress: 1, total: 2, extra: 'kept' },
    },
    { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } },
  ])
  assert.equal(reply.result, RESULT)
  await upstreams.stop()
  await fake.stop()
})

test('no progress token is sent when the client gave none', async () => {
  const fake = await modernFake((seen) => answerJson(seen, { result: RESULT }))
  const upstreams = makeUpstreams()
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  assert.not.match(JSON.stringify(fake.seen[1]!.body), 'progressToken')
  await upstreams.stop()
  await fake.stop()
})

test('two calls at once have different ids and get their own answers', async () => {
  const fake = await modernFake((seen) => answerJson(seen, { result: { ...RESULT, of: seen.body['params'] } }))
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, n) => upstreams.request(target, makeRequest({ params: { name: `t${n}` } }))),
  )
  replies.forEach((reply, n) => assert.is((reply.result!['of'] as { name: string }).name, `t${n}`))
  const ids = fake.seen.slice(1).map(({ body }) => body['id'])
  assert.is(new Set(ids).size, 20)
  assert.is(fake.seen.filter(({ body }) => body['method'] === 'server/discover').length, 1)
  await upstreams.stop()
  await fake.stop()
})

test('the error of a server is a reply, whatever its HTTP status', async () => {
  for (const status of [200, 400, 404, 500]) {
    const fake = await modernFake((seen) =>
      answerJson(seen, { error: { code: -32602, message: 'no', data: { uri: 'x' } } }, status),
    )
    const upstreams = makeUpstreams()
    const reply = await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
    assert.is(reply.result, null)
    assert.equal(reply.error, { code: -32602, message: 'no', data: { uri: 'x' } })
    assert.is(reply.httpStatus, status)
    await upstreams.stop()
    await fake.stop()
  }
})

test('a caller that goes away closes the response stream, and nothing else is sent', async () => {
  let closed = () => {}
  const isClosed = new Promise<void>((resolve) => (closed = resolve))
  const fake = await modernFake((seen) => {
    startStream(seen)
    seen.res.on('close', closed)
  })
  const upstreams = makeUpstreams()
  const abort = new AbortController()
  const asked = upstreams.request(makeTarget({ url: fake.url }), makeRequest({ signal: abort.signal }))
  await fake.waitFor(({ body }) => body['method'] === 'tools/call')
  abort.abort()
  assert.is((await failure(asked)).code, 'GH_UPSTREAM_CANCELLED')
  await isClosed
  assert.is(fake.seen.length, 2)
  await upstreams.stop()
  await fake.stop()
})

test('progress grants the first span anew, up to the hard deadline', async () => {
  const fake = await modernFake((seen) => {
    startStream(seen)
    const { progressToken } = (seen.body['params'] as { _meta: { progressToken: number } })._meta
    const timer = setInterval(
      () => sendEvent(seen, { method: 'notifications/progress', params: { progressToken } }),
      20,
    )
    seen.res.on('close', () => clearInterval(timer))
  })
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  await upstreams.info(target, Date.now() + 5_000)
  const started = Date.now()
  const soft = makeRequest({ progressToken: 1, deadline: started + 150, hardDeadline: started + 600 })
  assert.match((await failure(upstreams.request(target, soft))).message, 'Server "crm" did not answer within 0.6 s')
  assert.ok(Date.now() - started >= 590)

  const again = Date.now()
  const hard = makeRequest({ progressToken: 1, deadline: again + 150 })
  assert.is((await failure(upstreams.request(target, hard))).code, 'GH_UPSTREAM_TIMEOUT')
  assert.ok(Date.now() - again < 500)
  await upstreams.stop()
  await fake.stop()
})

test('one listen is held where lists can change; its notes are told, and it is opened anew when lost', async () => {
  let listens = 0
  const fake = await modernFake(
    (seen) => {
      if (seen.body['method'] !== 'subscriptions/listen') return answerJson(seen, { result: RESULT })
      startStream(seen)
      const _meta = { 'io.modelcontextprotocol/subscriptionId': seen.body['id'] }
      sendEvent(seen, { method: 'notifications/subscriptions/acknowledged', params: { _meta } })
      sendEvent(seen, { method: 'notifications/tools/list_changed', params: { _meta } })
      if (++listens === 1) seen.res.end()
    },
    { ...DISCOVERY, capabilities: { tools: { listChanged: true }, prompts: {}, resources: { listChanged: true } } },
  )
  const upstreams = makeUpstreams({ timing: { reopen: 10 } })
  const told: string[] = []
  const enough = new Promise<void>((resolve) => {
    upstreams.onListChanged((serverId, kind) => {
      assert.is(serverId, makeTarget().server.id)
      if (told.push(kind) === 5) resolve()
    })
  })
  const target = makeTarget({ url: fake.url })
  await upstreams.request(target, makeRequest())
  await enough
  assert.equal(told, ['tools', 'tools', 'prompts', 'resources', 'tools'])
  const listen = fake.seen.find(({ body }) => body['method'] === 'subscriptions/listen')!
  assert.is(listen.headers['mcp-method'], 'subscriptions/listen')
  assert.equal((listen.body['params'] as { notifications: unknown }).notifications, {
    toolsListChanged: true,
    resourcesListChanged: true,
  })
  await upstreams.stop()
  await fake.stop()
})

test('a resource to hear of widens the listen, and its updates are notes', async () => {
  const notes: unknown[] = []
  const fake = await modernFake(
    (seen) => {
      startStream(seen)
      const { notifications } = seen.body['params'] as { notifications: object }
      const _meta = { 'io.modelcontextprotocol/subscriptionId': seen.body['id'] }
      sendEvent(seen, { method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications } })
      sendEvent(seen, { method: 'notifications/resources/updated', params: { _meta, uri: 'a:1' } })
    },
    { ...DISCOVERY, capabilities: { resources: { subscribe: true } } },
  )
  const upstreams = makeUpstreams({ onServerNote: (_, note) => notes.push(note) })
  const target = makeTarget({ url: fake.url })
  assert.equal([...(await upstreams.listen(target, new Set(['a:1']), Date.now() + 5_000))], ['a:1'])
  const listen = fake.seen[1]!
  assert.equal((listen.body['params'] as JsonObject)['notifications'], { resourceSubscriptions: ['a:1'] })
  const meta = { 'io.modelcontextprotocol/subscriptionId': listen.body['id'] }
  await until('the update is told', () => (notes.length > 0 ? true : undefined))
  assert.equal(notes, [
    { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { _meta: meta, uri: 'a:1' } },
  ])
  await upstreams.stop()
  await fake.stop()
})

test('a listen that grants nothing, or is refused, is not asked for again', async () => {
  for (const refuse of [true, false]) {
    const fake = await modernFake(
      (seen) => {
        if (seen.body['method'] !== 'subscriptions/listen') return answerJson(seen, { result: RESULT })
        if (refuse) return answerJson(seen, { error: { code: -32601, message: 'no' } }, 404)
        startStream(seen)
        sendEvent(seen, { id: seen.body['id'], result: { resultType: 'complete' } })
        seen.res.end()
      },
      { ...DISCOVERY, capabilities: { tools: { listChanged: true } } },
    )
    const upstreams = makeUpstreams({ timing: { reopen: 50 } })
    const target = makeTarget({ url: fake.url })
    await upstreams.request(target, makeRequest())
    await fake.waitFor(({ body }) => body['method'] === 'subscriptions/listen')
    for (let n = 0; n < 40; n++) await upstreams.request(target, makeRequest())
    const until = Date.now() + 120
    while (Date.now() < until) await upstreams.request(target, makeRequest())
    assert.is(fake.seen.filter(({ body }) => body['method'] === 'subscriptions/listen').length, 1)
    await upstreams.stop()
    await fake.stop()
  }
})

test('a connection is used again after an event stream was answered', async () => {
  const ports = new Set<number | undefined>()
  const fake = await modernFake((seen) => {
    ports.add(seen.res.socket?.remotePort)
    startStream(seen)
    sendEvent(seen, { id: seen.body['id'], result: RESULT })
    seen.res.end()
  })
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  for (let n = 0; n < 10; n++) await upstreams.request(target, makeRequest())
  assert.ok(ports.size <= 2, `used ${ports.size} connections`)
  await upstreams.stop()
  await fake.stop()
})

test.run()
