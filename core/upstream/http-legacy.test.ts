import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '@gatehouse/sdk'
import {
  answerJson,
  failure,
  legacyFake,
  makeRequest,
  makeTarget,
  makeUpstreams,
  sendEvent,
  startStream,
} from './testing.js'
import type { Seen } from './testing.js'

const RESULT = { content: [{ type: 'text', text: 'hi' }], unknown: { kept: true } }
const isCall = ({ body }: Seen) => body['method'] === 'tools/call'

test('a session is opened once and named in every request after it', async () => {
  const fake = await legacyFake((seen) => answerJson(seen, { result: RESULT }))
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url }, { headers: { Authorization: 'Bearer t' } })
  const reply = await upstreams.request(target, makeRequest())
  await upstreams.request(target, makeRequest())
  assert.equal(reply.result, RESULT)
  assert.is(reply.era, 'legacy')
  const info = await upstreams.info(target, Date.now() + 1_000)
  assert.is(info.version, '2025-11-25')
  assert.equal(info.capabilities, { tools: { listChanged: true } })

  const way = fake.seen.map(({ verb, body }) => `${verb} ${String(body['method'] ?? '')}`.trim())
  assert.equal(way, [
    'POST server/discover',
    'POST initialize',
    'POST notifications/initialized',
    'GET',
    'POST tools/call',
    'POST tools/call',
  ])
  assert.equal(fake.seen[1]!.body['params'], {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'gatehouse', version: '0.0.0' },
  })
  assert.is(fake.seen[1]!.headers['mcp-session-id'], undefined)
  for (const { headers } of fake.seen.slice(2)) {
    assert.is(headers['mcp-session-id'], 's1')
    assert.is(headers['mcp-protocol-version'], '2025-11-25')
    assert.is(headers['authorization'], 'Bearer t')
  }
  await upstreams.stop()
  assert.is(fake.seen.at(-1)!.verb, 'DELETE')
  await fake.stop()
})

test('a server without sessions is served without one, and nothing is deleted', async () => {
  const fake = await legacyFake((seen) => answerJson(seen, { result: RESULT }), false)
  const upstreams = makeUpstreams()
  await upstreams.request(makeTarget({ url: fake.url, protocol: 'legacy' }), makeRequest())
  await upstreams.stop()
  assert.is(fake.seen[0]!.body['method'], 'initialize')
  assert.ok(fake.seen.every(({ headers, verb }) => headers['mcp-session-id'] === undefined && verb !== 'DELETE'))
  await fake.stop()
})

test('a session the server forgot is opened anew and the request sent again, once', async () => {
  for (const forgotten of [
    (seen: Seen) => answerJson(seen, { id: null, error: { code: -32001, message: 'Session not found' } }, 404),
    (seen: Seen) => seen.res.writeHead(404).end('not here'),
    (seen: Seen) =>
      answerJson(seen, { id: null, error: { code: -32000, message: 'Bad Request: No valid session ID' } }, 400),
  ]) {
    const fake = await legacyFake((seen) => {
      if (!isCall(seen)) return
      if (seen.headers['mcp-session-id'] === 's1') forgotten(seen)
      else answerJson(seen, { result: RESULT })
    })
    const upstreams = makeUpstreams()
    const changed: string[] = []
    upstreams.onListChanged((_, kind) => changed.push(kind))
    const target = makeTarget({ url: fake.url })
    const replies = await Promise.all([1, 2, 3].map(() => upstreams.request(target, makeRequest())))
    for (const reply of replies) assert.equal(reply.result, RESULT)
    assert.is(fake.seen.filter(({ body }) => body['method'] === 'initialize').length, 2)
    assert.is(fake.seen.filter(isCall).length, 6)
    assert.equal(changed, ['tools', 'prompts', 'resources'])
    await upstreams.stop()
    await fake.stop()
  }
})

test('a server that knows none of its sessions is given up on', async () => {
  const fake = await legacyFake((seen) => {
    if (isCall(seen)) seen.res.writeHead(404).end()
  })
  const upstreams = makeUpstreams()
  const error = await failure(upstreams.request(makeTarget({ url: fake.url }), makeRequest()))
  assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
  assert.is(fake.seen.filter(isCall).length, 2)
  await upstreams.stop()
  await fake.stop()
})

test('the side stream is open before the first call; its notes find their owners', async () => {
  let side: Seen | undefined
  const fake = await legacyFake((seen) => {
    if (seen.verb === 'GET') {
      side = seen
      return startStream(seen)
    }
    if (!isCall(seen)) return
    assert.ok(side, 'the side stream was there first')
    const { progressToken } = (seen.body['params'] as { _meta: { progressToken: number } })._meta
    sendEvent(side, { method: 'notifications/tools/list_changed' })
    sendEvent(side, { method: 'notifications/progress', params: { progressToken, progress: 5 } })
    sendEvent(side, { method: 'notifications/resources/updated', params: { uri: 'x://y' } })
    side.res.write(': the last word\n\n', () => setTimeout(() => answerJson(seen, { result: RESULT }), 20))
  })
  const owned: JsonObject[] = []
  const unowned: JsonObject[] = []
  const changed: string[] = []
  const upstreams = makeUpstreams({ onServerNote: (_, note) => unowned.push(note) })
  upstreams.onListChanged((_, kind) => changed.push(kind))
  await upstreams.request(
    makeTarget({ url: fake.url }),
    makeRequest({ progressToken: 0, onNotification: (note) => owned.push(note) }),
  )
  assert.equal(changed, ['tools'])
  assert.equal(
    owned.map((note) => note['params']),
    [{ progressToken: 0, progress: 5 }],
  )
  assert.equal(
    unowned.map((note) => note['params']),
    [{ uri: 'x://y' }],
  )
  await upstreams.stop()
  await fake.stop()
})

test('a side stream whose head never comes delays the first call no longer than it may', async () => {
  const fake = await legacyFake((seen) => {
    if (seen.verb === 'GET') seen.res.setHeader('x', 'y')
    if (isCall(seen)) answerJson(seen, { result: RESULT })
  })
  const started = Date.now()
  const upstreams = makeUpstreams({ timing: { sideStream: 50 } })
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  assert.ok(Date.now() - started < 1_500)
  await upstreams.stop()
  await fake.stop()
})

test('a server that does not route GET at all is used without a side stream', async () => {
  const fake = await legacyFake((seen) => {
    if (seen.verb === 'GET') seen.res.writeHead(404).end()
    else answerJson(seen, { result: RESULT })
  })
  const upstreams = makeUpstreams({ timing: { reopen: 5 } })
  const target = makeTarget({ url: fake.url })
  for (let n = 0; n < 20; n++) assert.equal((await upstreams.request(target, makeRequest())).result, RESULT)
  assert.is(fake.seen.filter(({ verb }) => verb === 'GET').length, 1)
  assert.is(fake.seen.filter(({ body }) => body['method'] === 'initialize').length, 1)
  await upstreams.stop()
  await fake.stop()
})

test('a lost side stream is taken up where it was', async () => {
  let opened = 0
  const fake = await legacyFake((seen) => {
    if (isCall(seen)) return answerJson(seen, { result: RESULT })
    if (seen.verb !== 'GET') return
    startStream(seen)
    sendEvent(seen, { method: 'notifications/prompts/list_changed' }, `e${++opened}`)
    if (opened === 1) seen.res.end()
  })
  const upstreams = makeUpstreams({ timing: { reopen: 10 } })
  const changed: string[] = []
  upstreams.onListChanged((_, kind) => changed.push(kind))
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  const second = await fake.waitFor(({ verb, headers }) => verb === 'GET' && headers['last-event-id'] === 'e1')
  assert.is(second.headers['mcp-session-id'], 's1')
  await upstreams.stop()
  await fake.stop()
  assert.ok(changed.every((kind) => kind === 'prompts'))
})

test('what a server asks is answered: ping with nothing, the rest with -32601, on any stream', async () => {
  const answers: JsonObject[] = []
  let done = () => {}
  const fake = await legacyFake((seen) => {
    if (isCall(seen)) {
      startStream(seen)
      sendEvent(seen, { id: 'a', method: 'ping' })
      sendEvent(seen, { id: 0, method: 'elicitation/create', params: {} })
      done = () => {
        sendEvent(seen, { id: seen.body['id'], result: RESULT })
        seen.res.end()
      }
    } else if (seen.verb === 'POST') {
      seen.res.writeHead(202).end()
      if (answers.push(seen.body) === 2) done()
    }
  })
  const upstreams = makeUpstreams()
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  answers.sort((a, b) => String(b['id']).localeCompare(String(a['id'])))
  assert.equal(answers[0], { jsonrpc: '2.0', id: 'a', result: {} })
  assert.is(answers[1]!['id'], 0)
  assert.is((answers[1]!['error'] as { code: number }).code, -32601)
  await upstreams.stop()
  await fake.stop()
})

test('a question whose id a double cannot hold is answered under its very digits', async () => {
  const fake = await legacyFake((seen) => {
    if (isCall(seen)) {
      startStream(seen)
      seen.res.write('data: {"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}\n\n')
      void fake
        .waitFor(({ text }) => text.includes('"id":9007199254740993,'))
        .then(() => sendEvent(seen, { id: seen.body['id'], result: RESULT }))
    } else if (seen.verb === 'POST') seen.res.writeHead(202).end()
  })
  const upstreams = makeUpstreams()
  assert.ok(
    (await upstreams.request(makeTarget({ url: fake.url }), makeRequest({ deadline: Date.now() + 3_000 }))).result,
  )
  await upstreams.stop()
  await fake.stop()
})

const PARTY = {
  sessionId: 'client',
  gatewayId: 'g',
  principal: {
    user: null,
    host: { id: 'h', name: 'agent', kind: 'token' as const },
    connection: { id: 'c', gatewayId: 'g' },
    attributes: {},
  },
}

test('whoever made the call is asked what its server asks on its stream', async () => {
  const fake = await legacyFake((seen) => {
    if (isCall(seen)) {
      startStream(seen)
      sendEvent(seen, { id: 9, method: 'roots/list' })
      void fake
        .waitFor(({ body }) => body['id'] === 9 && 'result' in body)
        .then(({ body }) => sendEvent(seen, { id: seen.body['id'], result: { ...RESULT, answer: body['result'] } }))
    } else if (seen.verb === 'POST') seen.res.writeHead(202).end()
  })
  const upstreams = makeUpstreams()
  const onQuestion = async ({ method }: { method: string }) => ({ result: { of: 'crm', method } })
  const request = makeRequest({ conversation: { party: PARTY, whose: 'me', onQuestion } })
  const reply = await upstreams.request(makeTarget({ url: fake.url }), request)
  assert.equal(reply.result?.['answer'], { of: 'crm', method: 'roots/list' })
  await upstreams.stop()
  await fake.stop()
})

test('a caller that goes away, and a deadline, are told to the server under our own id', async () => {
  const fake = await legacyFake((seen) => {
    if (seen.body['method'] === 'notifications/cancelled') seen.res.writeHead(202).end()
  })
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  const abort = new AbortController()
  const asked = upstreams.request(target, makeRequest({ signal: abort.signal }))
  const call = await fake.waitFor(isCall)
  abort.abort()
  assert.is((await failure(asked)).code, 'GH_UPSTREAM_CANCELLED')
  const told = await fake.waitFor(({ body }) => body['method'] === 'notifications/cancelled')
  assert.is((told.body['params'] as JsonObject)['requestId'], call.body['id'])
  assert.is(told.headers['mcp-session-id'], 's1')

  const late = await failure(upstreams.request(target, makeRequest({ deadline: Date.now() + 50 })))
  assert.is(late.code, 'GH_UPSTREAM_TIMEOUT')
  const second = fake.seen.filter(isCall)[1]!
  await fake.waitFor(({ body }) => (body['params'] as JsonObject | undefined)?.['requestId'] === second.body['id'])
  await upstreams.stop()
  await fake.stop()
})

test('an event id goes back as UTF-8; one that no header can hold is none', async () => {
  const ids = ['\u{1f4a5}', '\u0001', '']
  const fake = await legacyFake((seen) => {
    if (seen.verb !== 'GET') return answerJson(seen, { result: RESULT })
    startStream(seen)
    const id = ids.shift()
    if (id !== undefined) seen.res.end(`id: ${id}\ndata:\n\n`)
  })
  const upstreams = makeUpstreams({ timing: { reopen: 5, reopenMost: 5 } })
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  await fake.waitFor(() => fake.seen.filter(({ verb }) => verb === 'GET').length === 4)
  const sent = fake.seen.filter(({ verb }) => verb === 'GET').map(({ headers }) => headers['last-event-id'])
  const exploded = Buffer.from('\u{1f4a5}').toString('latin1')
  assert.equal(sent, [undefined, exploded, exploded, exploded])
  await upstreams.stop()
  await fake.stop()
})

test('a response stream that is cut with an event id is taken up by GET and never sent again', async () => {
  const fake = await legacyFake((seen) => {
    if (isCall(seen)) {
      startStream(seen)
      seen.res.end('id: p1\nretry: 10\ndata:\n\n')
    } else if (seen.headers['last-event-id'] === 'p1') {
      startStream(seen)
      sendEvent(seen, { id: fake.seen.find(isCall)!.body['id'], result: RESULT })
      seen.res.end()
    }
  })
  const upstreams = makeUpstreams()
  const reply = await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  assert.equal(reply.result, RESULT)
  assert.is(fake.seen.filter(isCall).length, 1)
  await upstreams.stop()
  await fake.stop()
})

test('what is unused for long is closed, and opened again when it is needed', async () => {
  const fake = await legacyFake((seen) => answerJson(seen, { result: RESULT }))
  const upstreams = makeUpstreams({ timing: { idle: 60 } })
  const target = makeTarget({ url: fake.url })
  await upstreams.request(target, makeRequest())
  await fake.waitFor(({ verb }) => verb === 'DELETE')
  assert.equal((await upstreams.request(target, makeRequest())).result, RESULT)
  await upstreams.stop()
  await fake.stop()
})

test('to forget a server fails what is under way and ends its session', async () => {
  const fake = await legacyFake(() => {})
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  const asked = failure(upstreams.request(target, makeRequest()))
  await fake.waitFor(isCall)
  await upstreams.forget(target.server.id)
  assert.is((await asked).code, 'GH_UPSTREAM_UNREACHABLE')
  assert.is(fake.seen.at(-1)!.verb, 'DELETE')
  assert.equal(upstreams.state(target.server.id), { up: null, reason: null, since: null })
  await upstreams.stop()
  await fake.stop()
})

test.run()
