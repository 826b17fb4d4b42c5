import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '@gatehouse/sdk'
import { legacy, modern } from '../door.js'
import { answering, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`)
let many: FakeServer
let more: FakeServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  many = await fakeUpstream(answering({ content: [] }), { tools: names('many', 130), prompts: ['hello'] })
  more = await fakeUpstream(answering({ content: [] }), { era: 'legacy', tools: names('more', 60) })
  const yaml = yamlOf({ many, more }, { gateway: 'enabled: true' })
  gateway = await startGateway({
    yaml: `${yaml}  states:
    servers: [{ server: many }, { server: down }, { server: off }, { server: resting, enabled: false }, { server: own, identity: per-user }]
`.replace(
      'servers:\n',
      `servers:
  down: { url: "http://127.0.0.1:9/mcp" }
  off: { url: ${JSON.stringify(more.url)}, enabled: false }
  resting: { url: ${JSON.stringify(more.url)} }
  own: { url: ${JSON.stringify(more.url)} }
`,
    ),
  })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await many.stop()
  await more.stop()
})

type Ask = typeof legacy
const ask = (how: Ask, params: JsonObject = {}) => how(agent, { method: 'tools/list', params })
const namesOf = (tools: readonly { readonly name: string }[]) => tools.map(({ name }) => name)

for (const [era, how] of [
  ['legacy', legacy],
  ['modern', modern],
] as const)
  test(`${era}: the features of two servers come page by page, each once, in order`, async () => {
    const first = (await ask(how)).json.result
    assert.is(first.tools.length, 100)
    const second = (await ask(how, { cursor: first.nextCursor })).json.result
    assert.is(second.tools.length, 90)
    assert.is(second.nextCursor, undefined)
    assert.equal(namesOf([...first.tools, ...second.tools]), [...names('many', 130), ...names('more', 60)])
  })

for (const cursor of ['', 'x', 'MTAwLmFiYw', 7, null, { at: 1 }])
  test(`${JSON.stringify(cursor)} is no cursor of ours`, async () => {
    const { json } = await ask(legacy, { cursor } as JsonObject)
    assert.is(json.error.code, -32602)
  })

test('a cursor of another list is refused, for it would skip or repeat', async () => {
  const { nextCursor } = (await ask(legacy)).json.result
  const elsewhere = await gateway.mintToken({ gateway: 'states', host: 'agent' })
  assert.is((await legacy(elsewhere, { method: 'tools/list', params: { cursor: nextCursor } })).json.error.code, -32602)
  assert.is((await legacy(agent, { method: 'prompts/list', params: { cursor: nextCursor } })).json.error.code, -32602)
})

test('_meta says of each server that is not there why, and those that are well are listed', async () => {
  const access = await gateway.mintToken({ gateway: 'states', host: 'watcher' })
  const { result } = (await modern(access, { method: 'tools/list' })).json
  assert.ok(result.tools.some(({ name }: { name: string }) => name === 'many-0'))
  const marks = result._meta['gatehouse/servers'] as { server: string; state: string; reason: string }[]
  const states = Object.fromEntries(marks.map(({ server, state }) => [server, state]))
  assert.equal(states, { down: 'missing', off: 'disabled', resting: 'disabled', own: 'connect_required' })
  for (const { server, reason } of marks) assert.ok(reason.length > 0, server)
  assert.equal([result.cacheScope, result.ttlMs], ['private', 0], 'nobody keeps what is not whole')
})

test('a list in which all is well has no marks', async () => {
  const { result } = (await ask(modern)).json
  assert.is(result._meta?.['gatehouse/servers'], undefined)
})

test('when no server can be listed that is an error, not an empty list', async () => {
  await gateway.api('POST', '/gateways', { slug: 'dark', servers: [{ server: 'down' }] })
  const access = await gateway.mintToken({ gateway: 'dark', host: 'watcher' })
  const { json } = await legacy(access, { method: 'tools/list' })
  assert.is(json.error.data.reason, 'server_unreachable')
})

test.run()
