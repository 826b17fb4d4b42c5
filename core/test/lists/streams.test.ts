// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, openSession } from '../door.js'
import { answerJson, fakeUpstream, sendEvent, startStream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

let server: FakeServer
let elsewhere: FakeServer
let gateway: RunningGateway
const CHANGED = { method: 'notifications/tools/list_changed' }
test.before(async () => {
  server = await fakeUpstream(
    (seen) => {
      startStream(seen)
      sendEvent(seen, CHANGED)
      sendEvent(seen, { id: seen.body['id'], result: { content: [] } })
      seen.res.end()
    },
    { era: 'legacy' },
  )
  elsewhere = await fakeUpstream((seen) => answerJson(seen, { result: { content: [] } }), { tools: ['other'] })
  const yaml = yamlOf({ one: server }).replace(
    'servers:\n',
    `servers:\n  two: { url: ${JSON.stringify(elsewhere.url)} }\n`,
  )
  gateway = await startGateway({ yaml: `${yaml}  other: { servers: [{ server: two }] }\n` })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await elsewhere.stop()
})

let agents = 0
const newAgent = (at = 'house'): Promise<Access> => gateway.mintToken({ gateway: at, host: `agent-${(agents += 1)}` })

/** The standing stream of a session, as a client holds it. */
async function listen(access: Access, session: string) {
  const headers = {
    authorization: `Bearer ${access.token}`,
    accept: 'text/event-stream',
    'mcp-session-id': session,
    'mcp-protocol-version': '2025-11-25',
  }
  const abort = new AbortController()
  const response = await fetch(access.url, { headers, signal: abort.signal })
  const stream = { status: response.status, type: response.headers.get('content-type'), text: '', ended: false }
  const reader = async () => {
    for await (const chunk of response.body ?? []) stream.text += Buffer.from(chunk as Uint8Array).toString('utf8')
  }
  void reader()
    .catch(() => undefined)
    .then(() => (stream.ended = true))
  return { stream, close: () => abort.abort() }
}
const hears = (stream: { text: string }, what: string) =>
  until(`the stream says ${what}`, () => (stream.text.includes(what) ? true : undefined))

test('a server that says that its list changed reaches the standing stream, and of no other gateway', async () => {
  const [mine, other] = [await newAgent(), await newAgent('other')]
  const [session, theirs] = [await openSession(mine), await openSession(other)]
  const [here, there] = [await listen(mine, session), await listen(other, theirs)]
  assert.equal([here.stream.status, here.stream.type], [200, 'text/event-stream'])
  await legacy(mine, { method: 'tools/list' }, { session })
  assert.ok((await legacy(mine, call('act'), { session })).json.result)
  await hears(here.stream, '"notifications/tools/list_changed"')
  assert.not.match(there.stream.text, /list_changed/)
  here.close()
  there.close()
})

test('a server that an administrator disables is told to those who saw it', async () => {
  const [access, other] = [await newAgent('other'), await newAgent()]
  const [here, there] = [await listen(access, await openSession(access)), await listen(other, await openSession(other))]
  await legacy(access, { method: 'tools/list' })
  const two = `  two: { url: ${JSON.stringify(elsewhere.url)}, enabled: false }\n`
  const yaml = yamlOf({ one: server }).replace('servers:\n', `servers:\n${two}`)
  await gateway.configure(`${yaml}  other: { servers: [{ server: two }] }\n`)
  await hears(here.stream, '"notifications/tools/list_changed"')
  assert.not.match(there.stream.text, /tools\/list_changed/)
  here.close()
  there.close()
})

test('a newer stream of a session takes the place of the older', async () => {
  const access = await newAgent()
  const session = await openSession(access)
  const older = await listen(access, session)
  await hears(older.stream, ': open')
  const newer = await listen(access, session)
  await until('the older has ended', () => (older.stream.ended ? true : undefined))
  assert.ok((await legacy(access, call('act'), { session })).json.result)
  await hears(newer.stream, 'list_changed')
  assert.not.match(older.stream.text, /list_changed/)
  newer.close()
})

test('a stream ends with its session', async () => {
  const access = await newAgent()
  const session = await openSession(access)
  const { stream } = await listen(access, session)
  await hears(stream, ': open')
  const headers = { authorization: `Bearer ${access.token}`, 'mcp-session-id': session }
  assert.is((await fetch(access.url, { method: 'DELETE', headers })).status, 200)
  await until('it has ended', () => (stream.ended ? true : undefined))
  assert.is((await listen(access, session)).stream.status, 404)
})

test('a stream that has nothing to say is kept alive by comments', async () => {
  const access = await newAgent('other')
  const { stream, close } = await listen(access, await openSession(access))
  await until('a comment comes', () => (stream.text.includes('\n: keep-alive\n\n') ? true : undefined), { seconds: 40 })
  close()
})

test('nobody listens to the session of another', async () => {
  const [mine, theirs] = [await newAgent(), await newAgent()]
  assert.is((await listen(theirs, await openSession(mine))).stream.status, 404)
})

test.run()
