import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, openSession } from '../door.js'
import { callsOf, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

let hanging: FakeServer
let gateway: RunningGateway
test.before(async () => {
  // Never answers a call.
  hanging = await fakeUpstream(() => undefined)
  gateway = await startGateway({ yaml: yamlOf({ one: hanging }) })
})
test.after(async () => {
  await gateway.stop()
  await hanging.stop()
})

test('a call and a stream that last end within a second when their token is taken away', async () => {
  const agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  const session = await openSession(agent)
  const stream = await fetch(agent.url, {
    headers: { authorization: `Bearer ${agent.token}`, accept: 'text/event-stream', 'mcp-session-id': session },
  })
  assert.is(stream.status, 200)
  const streamEnd = stream.text().then(
    () => Date.now(),
    () => Date.now(),
  )
  const callEnd = legacy(agent, call('act')).then(
    () => Infinity,
    () => Date.now(),
  )
  await until('the call is there', () => callsOf(hanging)[0])
  await gateway.api('DELETE', `/tokens/${agent.tokenId}`)
  const taken = Date.now()
  for (const end of await Promise.all([streamEnd, callEnd])) assert.ok(end - taken < 1_500, `${end - taken} ms`)
})

test('a call and a stream of others go on', async () => {
  const agent = await gateway.mintToken({ gateway: 'house', host: 'other' })
  const session = await openSession(agent)
  const abort = new AbortController()
  const stream = await fetch(agent.url, {
    headers: { authorization: `Bearer ${agent.token}`, accept: 'text/event-stream', 'mcp-session-id': session },
    signal: abort.signal,
  })
  const reader = stream.body?.getReader()
  await reader?.read()
  const next = reader?.read().then(
    () => 'ended',
    () => 'ended',
  )
  const later = new Promise<string>((resolve) => setTimeout(resolve, 1_600, 'goes on'))
  assert.is(await Promise.race([next, later]), 'goes on')
  abort.abort()
})

test.run()
