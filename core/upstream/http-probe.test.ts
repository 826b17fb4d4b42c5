import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { sseFake } from '../test/sse-servers.js'
import {
  DISCOVERY,
  INITIALIZED,
  answerJson,
  failure,
  fakeServer,
  makeRequest,
  makeTarget,
  makeUpstreams,
  sendEvent,
  startStream,
} from './testing.js'
import type { FakeServer, Seen } from './testing.js'
import type { Verdict } from './verdicts.js'

type Answer = (seen: Seen) => void
const modernError = (code: number, data?: object, status = 400): Answer => {
  return (seen) => answerJson(seen, { error: { code, message: 'no', ...(data ? { data } : {}) } }, status)
}
const status = (code: number, body = ''): Answer => {
  return ({ res }) => res.writeHead(code, { 'content-type': 'text/html' }).end(body)
}

/** A server whose answer to discovery is given, and that initializes like a legacy one. */
function probed(
  discover: Answer,
  initialize: Answer = (seen) => answerJson(seen, { result: INITIALIZED }),
): Promise<FakeServer> {
  return fakeServer((seen) => {
    const { body, verb, res } = seen
    if (verb !== 'POST') res.writeHead(405).end()
    else if (body['method'] === 'server/discover') discover(seen)
    else if (body['method'] === 'initialize') initialize(seen)
    else if (body['id'] === undefined) res.writeHead(202).end()
    else answerJson(seen, { result: { content: [], resultType: 'complete' } })
  })
}

test('whatever is no word of the modern era goes on to initialize', async () => {
  const answers: Answer[] = [
    (seen) => answerJson(seen, { id: null, error: { code: -32000, message: 'Server not initialized' } }, 400),
    modernError(-32601, undefined, 200),
    modernError(-32602),
    modernError(-32022, { supported: ['2025-11-25', '2025-06-18'] }),
    modernError(-32022),
    status(404, '<html>'),
    status(405),
    status(406),
    status(415),
    status(200, '<html>hello'),
    status(202),
    (seen) => answerJson(seen, { result: { hello: true } }),
    (seen) => answerJson(seen, { result: { ...DISCOVERY, supportedVersions: ['2025-11-25'] } }),
  ]
  for (const discover of answers) {
    const fake = await probed(discover)
    const upstreams = makeUpstreams()
    const info = await upstreams.info(makeTarget({ url: fake.url }), Date.now() + 5_000)
    assert.is(info.era, 'legacy')
    await upstreams.stop()
    await fake.stop()
  }
})

test('an outage or a refused credential gives no verdict, and initialize is never tried', async () => {
  const cases: [Answer, string][] = [
    [status(401), 'GH_UPSTREAM_AUTH'],
    [status(403), 'GH_UPSTREAM_AUTH'],
    [status(429), 'GH_UPSTREAM_RATE_LIMITED'],
    [status(500), 'GH_UPSTREAM_UNREACHABLE'],
    [status(502, '<html>'), 'GH_UPSTREAM_UNREACHABLE'],
    [modernError(-32603, undefined, 503), 'GH_UPSTREAM_UNREACHABLE'],
    [({ res }) => res.destroy(), 'GH_UPSTREAM_UNREACHABLE'],
    [() => {}, 'GH_UPSTREAM_TIMEOUT'],
  ]
  for (const [discover, code] of cases) {
    const learnt: Verdict[] = []
    const fake = await probed(discover)
    const upstreams = makeUpstreams({
      timing: { dial: 500 },
      verdicts: { get: async () => null, set: async (_, verdict) => void learnt.push(verdict) },
    })
    const target = makeTarget({ url: fake.url })
    assert.is((await failure(upstreams.info(target, Date.now() + 5_000))).code, code)
    assert.equal(learnt, [])
    assert.ok(fake.seen.every(({ body }) => body['method'] === 'server/discover'))
    assert.is(
      upstreams.state(target.server.id).up,
      code === 'GH_UPSTREAM_UNREACHABLE' || code === 'GH_UPSTREAM_TIMEOUT' ? false : null,
    )
    await upstreams.stop()
    await fake.stop()
  }
})

test('a server that finds fault with our modern request is modern, and never initialized', async () => {
  for (const refusal of [
    modernError(-32020),
    modernError(-32021),
    modernError(-32022, { supported: ['2099-01-01'] }),
  ]) {
    const fake = await probed(refusal)
    const upstreams = makeUpstreams()
    const error = await failure(upstreams.info(makeTarget({ url: fake.url }), Date.now() + 5_000))
    assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
    assert.is(fake.seen.length, 1)
    await upstreams.stop()
    await fake.stop()
  }
})

test('a server that speaks nothing says so, with its slug', async () => {
  const fake = await probed(status(404, '<html>'), status(404, '<html>'))
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  const error = await failure(upstreams.request(target, makeRequest()))
  assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
  assert.match(error.message, 'Server "crm" speaks neither era')
  assert.is(upstreams.state(target.server.id).up, false)
  await upstreams.stop()
  await fake.stop()
})

test('a protocol that the operator names is not probed for', async () => {
  const legacy = await probed(() => assert.unreachable())
  const modern = await probed(
    (seen) => answerJson(seen, { result: DISCOVERY }),
    () => assert.unreachable(),
  )
  const upstreams = makeUpstreams()
  const deadline = Date.now() + 5_000
  assert.is((await upstreams.info(makeTarget({ url: legacy.url, protocol: 'legacy' }), deadline)).era, 'legacy')
  const second = makeTarget({ id: 'b', url: modern.url, protocol: 'modern' })
  assert.is((await upstreams.info(second, deadline)).era, 'modern')
  const older = await sseFake(() => {}, { before: ({ body }) => body['method'] === 'server/discover' })
  assert.is((await upstreams.info(makeTarget({ id: 'c', url: older.url, protocol: 'sse' }), deadline)).era, 'legacy')
  assert.is(older.seen[0]!.verb, 'GET')
  const refused = await failure(upstreams.info(makeTarget({ id: 'd', url: older.url, protocol: 'legacy' }), deadline))
  assert.is(refused.code, 'GH_UPSTREAM_PROTOCOL')
  assert.is(older.streams.length, 1, 'who says legacy does not mean the older transport')
  await upstreams.stop()
  await Promise.all([legacy.stop(), modern.stop(), older.stop()])
})

const answerCall = ({ body }: Seen, stream: Seen) => sendEvent(stream, { id: body['id'], result: { content: [] } })
const storeOf = (store: Map<string, Verdict>) => ({
  get: async (id: string) => store.get(id) ?? null,
  set: async (id: string, verdict: Verdict) => void store.set(id, verdict),
})

test('who refuses a POST to initialize with 400, 404 or 405 is asked for the endpoint of 2024-11-05, and remembered', async () => {
  const refusals: Answer[] = [status(404), status(405, '<html>'), status(400, 'what?'), modernError(-32600)]
  for (const refuse of refusals) {
    const fake = await sseFake(answerCall, {
      before: (seen) => seen.verb === 'POST' && seen.path === '/mcp' && (refuse(seen), true),
    })
    const store = new Map<string, Verdict>()
    const target = makeTarget({ url: fake.url })
    const way = async () => {
      const before = fake.seen.length
      const upstreams = makeUpstreams({ verdicts: storeOf(store) })
      assert.is((await upstreams.request(target, makeRequest())).era, 'legacy')
      await upstreams.stop()
      return fake.seen.slice(before).map(({ verb, body }) => `${verb} ${String(body['method'] ?? '')}`.trim())
    }
    const dial = ['GET', 'POST initialize', 'POST notifications/initialized', 'POST tools/call']
    assert.equal(await way(), ['POST server/discover', 'POST initialize', ...dial])
    const { era, version, transport } = store.get(target.server.id)!
    assert.equal([era, version, transport], ['legacy', '2024-11-05', 'sse'])
    assert.equal(await way(), dial, 'the next dial goes straight')
    await fake.stop()
  }
})

test('any other answer to initialize asks for no endpoint', async () => {
  const answers: [Answer, string][] = [
    [modernError(-32022), 'GH_UPSTREAM_PROTOCOL'],
    [modernError(-32021), 'GH_UPSTREAM_PROTOCOL'],
    [modernError(-32600, undefined, 200), 'GH_UPSTREAM_PROTOCOL'],
    [status(200, '<html>'), 'GH_UPSTREAM_PROTOCOL'],
    [status(415), 'GH_UPSTREAM_PROTOCOL'],
    [status(401), 'GH_UPSTREAM_AUTH'],
    [status(503), 'GH_UPSTREAM_UNREACHABLE'],
  ]
  for (const [initialize, code] of answers) {
    const fake = await sseFake(answerCall, {
      before(seen) {
        if (seen.verb === 'GET') return false
        if (seen.body['method'] === 'initialize') initialize(seen)
        else seen.res.writeHead(404).end()
        return true
      },
    })
    const upstreams = makeUpstreams()
    assert.is((await failure(upstreams.request(makeTarget({ url: fake.url }), makeRequest()))).code, code)
    assert.equal(fake.streams, [])
    await upstreams.stop()
    await fake.stop()
  }
})

test('when neither a POST nor a GET leads anywhere, the words of both are kept for the log', async () => {
  const gets: [Answer, string][] = [
    [status(404, '<h1>no\n\tGET</h1>'), 'HTTP 404 instead of an event stream: <h1>no GET</h1>'],
    [(seen) => startStream(seen), 'an event stream that named no endpoint within 0.1 s'],
    [() => {}, 'did not answer within 0.1 s'],
  ]
  for (const [get, says] of gets) {
    const learnt: Verdict[] = []
    const fake = await fakeServer((seen) => (seen.verb === 'GET' ? get(seen) : status(405, `<h1>no POST</h1>`)(seen)))
    const upstreams = makeUpstreams({
      timing: { dial: 100 },
      verdicts: { get: async () => null, set: async (_, verdict) => void learnt.push(verdict) },
    })
    const target = makeTarget({ url: fake.url })
    const error = await failure(upstreams.request(target, makeRequest()))
    assert.is(error.code, 'GH_UPSTREAM_PROTOCOL')
    assert.match(error.message, 'Server "crm" speaks neither era')
    assert.not.match(error.message, '<h1>')
    assert.match(error.detail ?? '', 'refused to initialize (HTTP 405): <h1>no POST</h1>; GET: ')
    assert.match(error.detail ?? '', says)
    assert.is(upstreams.state(target.server.id).up, false)
    assert.equal(learnt, [])
    await upstreams.stop()
    await fake.stop()
  }
})

test('an outage or a refused credential at the GET is told as such', async () => {
  const gets: [Answer, string][] = [
    [status(403), 'GH_UPSTREAM_AUTH'],
    [status(429), 'GH_UPSTREAM_RATE_LIMITED'],
    [status(502), 'GH_UPSTREAM_UNREACHABLE'],
    [({ res }) => void res.destroy(), 'GH_UPSTREAM_UNREACHABLE'],
  ]
  for (const [get, code] of gets) {
    const fake = await fakeServer((seen) => (seen.verb === 'GET' ? get(seen) : status(404)(seen)))
    const upstreams = makeUpstreams()
    assert.is((await failure(upstreams.request(makeTarget({ url: fake.url }), makeRequest()))).code, code)
    await upstreams.stop()
    await fake.stop()
  }
})

test('a server that has left the transport of 2024-11-05 is found anew, at a dial and beside the traffic', async () => {
  for (const expiresIn of [60_000, 40]) {
    let isOlder = true
    const fake = await sseFake(answerCall, {
      before(seen) {
        const { verb, path, body, res } = seen
        if (isOlder || path !== '/mcp') return false
        if (verb !== 'POST') res.writeHead(405).end()
        else if (body['method'] === 'server/discover') res.writeHead(404).end()
        else if (body['method'] === 'initialize') answerJson(seen, { result: INITIALIZED })
        else if (body['id'] === undefined) res.writeHead(202).end()
        else answerJson(seen, { result: { content: [] } })
        return true
      },
    })
    const store = new Map<string, Verdict>()
    const target = makeTarget({ url: fake.url })
    const first = makeUpstreams({ verdicts: storeOf(store) })
    await first.request(target, makeRequest())
    await first.stop()
    const verdict = store.get(target.server.id)!
    store.set(target.server.id, { ...verdict, expiresAt: Date.now() + expiresIn })
    const upstreams = makeUpstreams({ verdicts: storeOf(store) })
    if (expiresIn < 1_000) await upstreams.request(target, makeRequest())
    isOlder = false
    await until('a request is POSTed to the one URL', async () => {
      await upstreams.request(target, makeRequest())
      return fake.seen.some(({ path, body }) => path === '/mcp' && body['method'] === 'tools/call') || undefined
    })
    assert.is(store.get(target.server.id)!.transport, 'http')
    await upstreams.stop()
    await fake.stop()
  }
})

test('a stored verdict is believed until it expires or the address changes', async () => {
  const fake = await probed(status(404))
  const store = new Map<string, Verdict>()
  const verdicts = {
    get: async (id: string) => store.get(id) ?? null,
    set: async (id: string, verdict: Verdict) => void store.set(id, verdict),
  }
  const target = makeTarget({ url: fake.url })
  const probes = async (of = target) => {
    const before = fake.seen.length
    const upstreams = makeUpstreams({ verdicts })
    await upstreams.info(of, Date.now() + 5_000)
    await upstreams.stop()
    return fake.seen.slice(before).filter(({ body }) => body['method'] === 'server/discover').length
  }
  assert.is(await probes(), 1)
  const verdict = store.get(target.server.id)!
  assert.is(verdict.era, 'legacy')
  const life = verdict.expiresAt - verdict.checkedAt
  assert.ok(life >= 3_240_000 && life <= 3_960_000)
  assert.is(await probes(), 0)
  store.set(target.server.id, { ...verdict, expiresAt: Date.now() - 1 })
  assert.is(await probes(), 1)
  assert.is(await probes(makeTarget({ url: `${fake.url}?elsewhere` })), 1)
  await fake.stop()
})

test('a verdict that the server contradicts is found out anew, and the request is answered', async () => {
  let isModern = false
  const fake = await fakeServer((seen) => {
    const { method, params } = seen.body
    const speaksModern = JSON.stringify(params ?? {}).includes('io.modelcontextprotocol/protocolVersion')
    if (seen.verb !== 'POST') seen.res.writeHead(405).end()
    else if (isModern && !speaksModern) answerJson(seen, { error: { code: -32022, message: 'too old' } }, 400)
    else if (!isModern && speaksModern) seen.res.writeHead(400).end('what?')
    else if (method === 'server/discover') answerJson(seen, { result: DISCOVERY })
    else if (method === 'initialize') answerJson(seen, { result: INITIALIZED })
    else if (seen.body['id'] === undefined) seen.res.writeHead(202).end()
    else answerJson(seen, { result: { content: [], ...(isModern ? { resultType: 'complete' } : {}) } })
  })
  const upstreams = makeUpstreams({ timing: { reprobe: 0 } })
  const target = makeTarget({ url: fake.url })
  const eras = []
  for (const now of [false, true, false]) {
    isModern = now
    eras.push((await upstreams.request(target, makeRequest())).era)
  }
  assert.equal(eras, ['legacy', 'modern', 'legacy'])
  await upstreams.stop()
  await fake.stop()
})

test('a modern server whose results are not of its era is doubted once, and its answers stand', async () => {
  const fake = await fakeServer((seen) => {
    if (seen.body['method'] === 'server/discover') answerJson(seen, { result: DISCOVERY })
    else answerJson(seen, { result: { content: [] } })
  })
  const upstreams = makeUpstreams({ timing: { reprobe: 0 } })
  const target = makeTarget({ url: fake.url })
  for (let n = 0; n < 5; n++) assert.equal((await upstreams.request(target, makeRequest())).result, { content: [] })
  assert.is(fake.seen.filter(({ body }) => body['method'] === 'server/discover').length, 2)
  await upstreams.stop()
  await fake.stop()
})

test('a verdict that has run out is renewed beside the traffic', async () => {
  const fake = await probed((seen) => answerJson(seen, { result: DISCOVERY }))
  const target = makeTarget({ url: fake.url })
  const learnt: Verdict[] = []
  const verdicts = {
    get: async () => learnt.at(-1) ?? null,
    set: async (_: string, one: Verdict) => void learnt.push(one),
  }
  const first = makeUpstreams({ verdicts })
  await first.info(target, Date.now() + 5_000)
  await first.stop()
  learnt.push({ ...learnt[0]!, expiresAt: Date.now() + 40 })
  const upstreams = makeUpstreams({ verdicts })
  while (learnt.length < 3) assert.is((await upstreams.request(target, makeRequest())).era, 'modern')
  assert.ok(learnt.at(-1)!.expiresAt > Date.now() + 80_000_000)
  await upstreams.stop()
  await fake.stop()
})

test('concurrent first calls wait for one dial, each under its own deadline', async () => {
  let discover: Seen | undefined
  const fake = await probed((seen) => (discover = seen))
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: fake.url })
  const patient = upstreams.request(target, makeRequest())
  const abort = new AbortController()
  const leaving = failure(upstreams.request(target, makeRequest({ signal: abort.signal })))
  const hasty = await failure(upstreams.request(target, makeRequest({ deadline: Date.now() + 30 })))
  assert.is(hasty.code, 'GH_UPSTREAM_TIMEOUT')
  assert.equal(hasty.data, { server: 'crm', retryable: true })
  abort.abort()
  assert.is((await leaving).code, 'GH_UPSTREAM_CANCELLED')
  answerJson(discover!, { result: DISCOVERY })
  assert.is((await patient).era, 'modern')
  assert.is(fake.seen.length, 2)
  await upstreams.stop()
  await fake.stop()
})

test('a server that was changed is dialled anew', async () => {
  const fake = await probed((seen) => answerJson(seen, { result: DISCOVERY }))
  const upstreams = makeUpstreams()
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  await upstreams.request(makeTarget({ url: fake.url }), makeRequest())
  await upstreams.request(makeTarget({ url: fake.url, updatedAt: '2026-02-02T00:00:00.000Z' }), makeRequest())
  assert.is(fake.seen.filter(({ body }) => body['method'] === 'server/discover').length, 2)
  await upstreams.stop()
  await fake.stop()
})

test.run()
