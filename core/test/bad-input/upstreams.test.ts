// time-limit: 180
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern } from '../door.js'
import { answering, answerJson, callsOf, fakeUpstream, startStream, yamlOf } from '../fake-upstream.js'
import type { FakeServer, Seen } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { freePort } from '../real-servers.js'

const text = (body: string, type = 'application/json', status = 200) => {
  return ({ res }: Seen) => void res.writeHead(status, { 'content-type': type }).end(body)
}
/** Writes as fast as it is read, until nobody listens any more, at most so many MiB; counts what went out. */
let poured = 0
function pour({ res }: Seen, type: string, head: string, mebibytes: number): void {
  res.writeHead(200, { 'content-type': type }).write(head)
  const chunk = 'x'.repeat(1024 * 1024)
  poured = 0
  const more = () => {
    while (!res.destroyed && poured < mebibytes) {
      poured += 1
      if (!res.write(chunk)) return void res.once('drain', more)
    }
    res.end()
  }
  more()
}

/** What a server may do to a call, by the name of its tool; and what the client is told. */
const MISDEEDS: Readonly<Record<string, { does: (seen: Seen) => void; reason: string; error: string }>> = {
  garbage: { does: text('{"jsonrpc": "2.0", secret'), reason: 'server_unreachable', error: 'GH_UPSTREAM_PROTOCOL' },
  nothing: { does: text(''), reason: 'server_unreachable', error: 'GH_UPSTREAM_PROTOCOL' },
  html: { does: text('<h1>secret</h1>', 'text/html'), reason: 'server_unreachable', error: 'GH_UPSTREAM_PROTOCOL' },
  html502: {
    does: text('<h1>secret</h1>', 'text/html', 502),
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_UNREACHABLE',
  },
  wrongId: {
    does: (seen) => answerJson(seen, { id: 'not-yours', result: { content: [] } }),
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_PROTOCOL',
  },
  never: { does: () => undefined, reason: 'server_timeout', error: 'GH_UPSTREAM_TIMEOUT' },
  neverEnding: { does: (seen) => startStream(seen), reason: 'server_timeout', error: 'GH_UPSTREAM_TIMEOUT' },
  halfStream: {
    does(seen) {
      startStream(seen)
      seen.res.write('data: {"jsonrpc":"2.0","id":', () => seen.res.destroy())
    },
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_UNREACHABLE',
  },
  halfBody: {
    does({ res }) {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      res.write('{"jsonrpc":', () => res.destroy())
    },
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_UNREACHABLE',
  },
  hugeBody: {
    does: (seen) => pour(seen, 'application/json', '{"jsonrpc":"2.0","result":"', 100),
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_TOO_LARGE',
  },
  hugeEvent: {
    does: (seen) => pour(seen, 'text/event-stream', 'data: ', 100),
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_TOO_LARGE',
  },
  redirect: {
    does: ({ res }) => void res.writeHead(307, { location: elsewhere.url }).end(),
    reason: 'server_unreachable',
    error: 'GH_UPSTREAM_PROTOCOL',
  },
  hangUp: { does: ({ res }) => void res.destroy(), reason: 'server_unreachable', error: 'GH_UPSTREAM_UNREACHABLE' },
}

let elsewhere: FakeServer
const servers: FakeServer[] = []
let gateway: RunningGateway
let agent: Access
const toolOf = ({ body }: Seen) => (body['params'] as { name: string }).name
const misdo = (seen: Seen) => (MISDEEDS[toolOf(seen)]?.does ?? answering({ content: [] }))(seen)

test.before(async () => {
  elsewhere = await fakeUpstream(answering({ content: [] }))
  const tools = [...Object.keys(MISDEEDS), 'good']
  servers.push(await fakeUpstream(misdo, { era: 'modern', tools }), await fakeUpstream(misdo, { era: 'legacy', tools }))
  const settings = '{ limits: { call: 2s, upstreamEvent: 4MiB, upstreamBody: 4MiB } }'
  gateway = await startGateway({ yaml: yamlOf({ fresh: servers[0] ?? '', stale: servers[1] ?? '' }, { settings }) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  await legacy(agent, { method: 'tools/list' })
})
test.after(async () => {
  await gateway.stop()
  for (const server of [...servers, elsewhere]) await server.stop()
})

for (const [name, { reason, error }] of Object.entries(MISDEEDS))
  for (const [era, shown, send] of [
    ['modern', name, modern],
    ['legacy', `stale__${name}`, legacy],
  ] as const)
    test(`${name} of a ${era} server is an error that names the server and nothing of its words`, async () => {
      const known = (await gateway.recorded(agent)).length
      const answer = await send(agent, call(shown, { word: 'confidential' }))
      assert.equal([answer.status, answer.json.id, answer.json.error?.code], [200, 1, -32603], answer.text)
      assert.is(answer.json.error.data.reason, reason, answer.text)
      assert.match(answer.json.error.message, era === 'modern' ? /fresh/ : /stale/)
      assert.not.match(answer.text, /secret|confidential/)
      const [told] = (await gateway.recorded(agent)).slice(known)
      const legs = told?.legs.map((leg) => [leg.log_type, leg.error]) ?? []
      // It was sent, and the server may have acted on it: the record must not say otherwise.
      assert.equal(legs, [
        ['proxy_request_success', null],
        ['mcp_request_success', null],
        ['mcp_response_error', error],
        ['proxy_response_error', error],
      ])
      assert.is((await send(agent, call(era === 'modern' ? 'good' : 'stale__good'))).status, 200)
      const good = await send(agent, call(era === 'modern' ? 'good' : 'stale__good'))
      assert.equal(good.json.result?.content, [], 'the next call of the same server is served')
    })

test('what is too large is not read to its end', async () => {
  await modern(agent, call('hugeBody'))
  assert.ok(poured < 50, `${poured} MiB went out`)
})

test('a redirect is not followed', () => assert.is(callsOf(elsewhere).length, 0))

test('one dead, one mute and one hanging server never delay nor empty the lists of the others', async () => {
  const good = await fakeUpstream(answering({ content: [] }), { tools: ['good'] })
  const hanging = createServer((socket) => void socket.resume())
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  const mute = await fakeUpstream(() => undefined, { tools: ['mute'] })
  const house = await startGateway({
    yaml: yamlOf(
      {
        dead: `http://127.0.0.1:${await freePort()}/mcp`,
        hanging: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/mcp`,
        mute,
        good,
      },
      { settings: '{ limits: { list: 1s, call: 2s } }' },
    ),
  })
  const access = await house.mintToken({ gateway: 'house', host: 'agent' })
  for (const send of [legacy, modern]) {
    const startedAt = Date.now()
    const { json } = await send(access, { method: 'tools/list' })
    assert.ok(Date.now() - startedAt < 2_500, `it took ${Date.now() - startedAt} ms`)
    assert.equal(
      json.result.tools.map(({ name }: { name: string }) => name),
      ['mute', 'good'],
    )
    const marks = json.result._meta['gatehouse/servers'] as { server: string; state: string }[]
    assert.equal(
      marks.map(({ server, state }) => [server, state]),
      [
        ['dead', 'missing'],
        ['hanging', 'missing'],
      ],
    )
  }
  const [slow, quick] = await Promise.all([
    legacy(access, call('mute')),
    legacy(access, call('good')).then((answer) => ({ ...answer, at: Date.now() })),
  ])
  assert.is(slow.json.error.data.reason, 'server_timeout')
  assert.ok(quick.json.result)
  const [list] = await house.recorded(access)
  assert.is(list?.legs.length, 2 + 2 * 4)
  assert.equal(
    list?.legs.filter((leg) => leg.log_type === 'mcp_response_error').map((leg) => leg.inbound_server_name),
    ['dead', 'hanging'],
  )
  await house.stop()
  await mute.stop()
  await good.stop()
  await new Promise((resolve) => hanging.close(resolve))
})

test('a server that goes down is shown as it was last seen, and its calls fail within their time', async () => {
  const mortal = await fakeUpstream(answering({ content: [] }), { tools: ['mortal'] })
  const house = await startGateway({
    yaml: yamlOf({ mortal }, { settings: '{ limits: { list: 1s, call: 2s } }' }),
  })
  const access = await house.mintToken({ gateway: 'house', host: 'agent' })
  await legacy(access, { method: 'tools/list' })
  await mortal.stop()
  const { json } = await legacy(access, call('mortal'))
  assert.is(json.error.data.reason, 'server_unreachable')
  assert.match(json.error.message, /mortal/)
  const legs = (await house.recorded(access)).at(-1)?.legs.map((leg) => leg.log_type)
  assert.equal(legs, ['proxy_request_success', 'mcp_request_error', 'proxy_response_error'], 'nothing was sent')
  const listed = await legacy(access, { method: 'tools/list' })
  assert.equal(
    listed.json.result.tools.map(({ name }: { name: string }) => name),
    ['mortal'],
  )
  await house.stop()
})

test.run()
