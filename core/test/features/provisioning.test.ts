// time-limit: 120
import type { Era, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changingServer, type ChangingServer } from '../changing-server.js'
import { call, legacy, modern, openSession, type Answer } from '../door.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { openListen, openStanding } from '../streams.js'

const ERAS: readonly Era[] = ['legacy', 'modern']
const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true } }

const servers = new Map<Era, ChangingServer>()
let gateway: RunningGateway
let agents = 0
const agentAt = (house: string): Promise<Access> =>
  gateway.mintToken({ gateway: house, host: `agent-${(agents += 1)}` })
const serverOf = (era: Era) => servers.get(era) as ChangingServer

test.before(async () => {
  for (const era of ERAS)
    servers.set(
      era,
      await changingServer({
        ...{ era, capabilities: CAPABILITIES },
        tools: ['find', 'drop'],
        resources: ['file:///shown', 'file:///hidden'],
      }),
    )
  const house = (era: Era) => `  ${era}:
    servers:
      - server: ${era}
        tools: { mode: selected, allow: [{ name: find }] }
        resources: { mode: selected, allow: [{ name: "file:///s*" }] }
`
  const urls = ERAS.map((era) => `  ${era}: { url: ${JSON.stringify(serverOf(era).url)} }\n`)
  gateway = await startGateway({
    yaml: `version: 1\nservers:\n${urls.join('')}gateways:\n${ERAS.map(house).join('')}`,
  })
  for (const era of ERAS) await gateway.api('POST', '/gateways', { slug: `open-${era}`, servers: [{ server: era }] })
})
test.after(async () => {
  await gateway.stop()
  for (const server of servers.values()) await server.stop()
})

const DOORS = { legacy, modern } as const
const names = ({ json }: Answer): readonly string[] => {
  const { tools, resources } = json.result as Record<string, readonly Record<string, string>[]>
  return (tools ?? resources ?? []).map(({ name, uri }) => uri ?? name ?? '')
}
/** An answer but for the name that was asked for. */
const bare = ({ status, text, headers }: Answer, name: string) => [
  status,
  text.replaceAll(name, 'NAME'),
  headers.get('content-type'),
]

for (const era of ERAS)
  for (const client of ERAS) {
    const door = DOORS[client]
    test(`a ${client} client of a ${era} server sees what is selected, and the rest is unknown, byte for byte`, async () => {
      const agent = await agentAt(era)
      assert.equal(names(await door(agent, { method: 'tools/list' })), ['find'])
      assert.equal(names(await door(agent, { method: 'resources/list' })), ['file:///shown'])
      assert.is((await door(agent, call('find'))).json.result.content[0].text, 'find')
      const before = serverOf(era).asked.filter((method) => method === 'tools/call').length
      for (const hidden of ['drop', 'change'])
        assert.equal(bare(await door(agent, call(hidden)), hidden), bare(await door(agent, call('never')), 'never'))
      assert.is(serverOf(era).asked.filter((method) => method === 'tools/call').length, before, 'nothing reached it')
      const read = (uri: string) => door(agent, { method: 'resources/read', params: { uri } })
      assert.is((await read('file:///shown')).json.result.contents[0].text, 'this is file:///shown')
      assert.equal(bare(await read('file:///hidden'), 'hidden'), bare(await read('file:///absent'), 'absent'))
    })
  }

test('what is hidden is hidden from subscriptions, of either era', async () => {
  const agent = await agentAt('legacy')
  const session = await openSession(agent)
  const ask = (method: string, params: JsonObject) => legacy(agent, { method, params }, { session })
  for (const [hidden, absent] of [['file:///hidden', 'file:///absent']] as const) {
    const [one, other] = [
      await ask('resources/subscribe', { uri: hidden }),
      await ask('resources/subscribe', { uri: absent }),
    ]
    assert.equal(bare(one, hidden), bare(other, absent))
    assert.is(one.json.error.code, -32002)
  }
  assert.equal((await ask('resources/subscribe', { uri: 'file:///shown' })).json.result, {})
  assert.not(serverOf('legacy').subscribed().includes('file:///hidden'))
  const listen = await openListen(await agentAt('modern'), {
    resourceSubscriptions: ['file:///hidden', 'file:///shown'],
  })
  const [{ params }] = [await listen.hears('notifications/subscriptions/acknowledged')]
  assert.equal(params.notifications.resourceSubscriptions, ['file:///shown'])
  listen.close()
})

test('only the record tells hidden from unknown, and says how much a list was trimmed', async () => {
  const agent = await agentAt('modern')
  await modern(agent, { method: 'tools/list' })
  await modern(agent, call('drop'))
  await modern(agent, call('never'))
  const recorded = await gateway.recorded(agent)
  const outcomes = recorded.filter(({ method }) => method === 'tools/call').map(({ legs }) => legs.at(-1)?.log_type)
  assert.equal(outcomes, ['gateway_feature_blocked', 'proxy_response_error'])
  const [list] = recorded.filter(({ method }) => method === 'tools/list')
  const trimmed = list?.legs.find(({ log_type }) => log_type === 'gateway_feature_filtered')
  assert.equal([trimmed?.inbound_server_name, trimmed?.error], ['modern', '2 hidden'])
})

test('a change of what is hidden is not announced, one of what is shown is', async () => {
  for (const era of ERAS) {
    const agent = await agentAt(era)
    const session = await openSession(agent)
    await legacy(agent, { method: 'tools/list' }, { session })
    const stream = await openStanding(agent, session)
    const listen = await openListen(agent, { toolsListChanged: true })
    await listen.hears('notifications/subscriptions/acknowledged')
    const other = await agentAt(`open-${era}`)
    const loud = await openListen(other, { toolsListChanged: true })
    await loud.hears('notifications/subscriptions/acknowledged')
    serverOf(era).addTool(`behind-${era}`)
    await loud.hears('notifications/tools/list_changed')
    serverOf(era).changeTool('find', { title: 'Find' })
    await stream.hears('notifications/tools/list_changed')
    await listen.hears('notifications/tools/list_changed')
    for (const quiet of [stream, listen])
      assert.is(quiet.messages().filter(({ method }) => method === 'notifications/tools/list_changed').length, 1)
    for (const one of [stream, listen, loud]) one.close()
  }
})

test('selected without entries exposes none at once, and whoever lacks the capability changes nothing', async () => {
  const agent = await agentAt('open-modern')
  await modern(agent, { method: 'tools/list' })
  const { servers: assigned } = (await gateway.api('GET', '/gateways/open-modern')) as { servers: { id: string }[] }
  const path = `/gateways/open-modern/assignments/${assigned[0]?.id}`
  await gateway.api('PATCH', path, { tools: { mode: 'selected' } })
  assert.equal(names(await modern(agent, { method: 'tools/list' })), [])
  assert.is((await modern(agent, call('find'))).json.error.code, -32602)
  await gateway.api('PATCH', path, { enabled: true })
  assert.equal(names(await modern(agent, { method: 'tools/list' })), [], 'another change leaves it as it is')
  await gateway.api('PATCH', path, { tools: { mode: 'all' } })
  assert.is((await modern(agent, call('find'))).json.result.content[0].text, 'find')
})

test('a preview asks the server now and says why; a draft changes nothing', async () => {
  const preview = (body: JsonObject) => gateway.api('POST', '/gateways/modern/servers/modern/preview', body)
  const shown = async (body: JsonObject) => {
    const { features, problem } = (await preview(body)) as unknown as { features: JsonObject[]; problem: string | null }
    assert.is(problem, null)
    return Object.fromEntries(features.map(({ name, why, entry }) => [name, [why, entry]]))
  }
  const now = await shown({})
  assert.equal(
    [now['find'], now['drop'], now['file:///hidden']],
    [
      ['selected', 0],
      ['not_selected', null],
      ['not_selected', null],
    ],
  )
  const draft = await shown({ tools: { mode: 'selected', allow: [{ name: 'x' }, { name: 'dr*' }] } })
  assert.equal(
    [draft['find'], draft['drop']],
    [
      ['not_selected', null],
      ['selected', 1],
    ],
  )
  assert.equal(await shown({}), now)
  assert.equal(await shown({ identity: 'own' }), now, 'a server that asks for nobody is called as everybody is')
  const { url } = serverOf('modern')
  await gateway.api('POST', '/servers', { slug: 'personal', url, auth: { headers: ['X-Key'] } })
  await gateway.api('POST', '/gateways', { slug: 'personal', servers: [{ server: 'personal', identity: 'per-user' }] })
  const mine = (await gateway.api('POST', '/gateways/personal/servers/personal/preview', { identity: 'own' })) as {
    problem: string
  }
  assert.match(mine.problem, 'no identity has been given')
})

test.run()
