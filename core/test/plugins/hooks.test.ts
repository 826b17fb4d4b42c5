import { rm } from 'node:fs/promises'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fakeServer } from '../../upstream/testing.js'
import { call, legacy, modern } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { homeWith } from './plugin-file.js'

/** One handler for each hook that a plugin may want, as small as they come. */
const GUIDE = `setup(context) {
  context.on('identity.enrich', ({ principal, attributes }) =>
    principal.host.name === 'unwanted'
      ? block('This host is not welcome.')
      : modify({ attributes: { ...attributes, floor: '7' } }))
  context.on('feature.list', ({ kind, principal, entries }) =>
    kind !== 'tool' || principal.host.name === 'plain'
      ? pass()
      : modify({
          entries: entries
            .filter((entry) => entry.name !== 'hidden')
            .map((entry) => ({ ...entry, description: 'seen by the guide' })),
        }))
  context.on('feature.request', async ({ context: about, params }) => {
    if (about.feature.name === 'forbidden') return block('Nobody does this.')
    if (about.feature.name !== 'act') return pass()
    const { server, gateway, user, host, attributes } = about
    const facts = [about.method, server.slug, gateway.slug, user.email, host.name, attributes.floor].join(' ')
    return modify({ params: { ...params, arguments: { ...params.arguments, facts } } })
  })
  context.on('feature.response', ({ context: about, result }) => {
    if (about.feature.name === 'secretive') return block('The answer stays here.')
    return about.feature.name === 'act' ? modify({ result: { ...result, guided: true } }) : pass()
  })
  context.on('upstream.credentials', ({ server, principal }) => {
    if (server.slug !== 'vault') return notMine()
    if (principal.host.name === 'stranger') return { kind: 'refused', reason: 'unknown to the vault' }
    const authorization = 'Lent ' + principal.user.email
    return { kind: 'headers', headers: { authorization }, expiresAt: null }
  })
  context.on('alert.raised', async (alert) => {
    await context.fetch(context.config.inbox, { method: 'POST', body: JSON.stringify(alert) })
  })
}`

let home: string
let open: FakeServer
let vault: FakeServer
let inbox: FakeServer
let gateway: RunningGateway
test.before(async () => {
  const echo = { tools: ['act', 'hidden', 'forbidden', 'secretive'] }
  open = await fakeUpstream((seen) => answerJson(seen, { result: { content: [], saw: params(seen) } }), echo)
  const lent: Parameters<typeof fakeUpstream>[0] = (seen) =>
    answerJson(seen, { result: { content: [], by: seen.headers.authorization ?? 'nothing' } })
  vault = await fakeUpstream(lent, { tools: ['fetch'] })
  inbox = await fakeServer(({ res }) => void res.writeHead(204).end())
  home = await homeWith({ 'test-guide': GUIDE, 'test-idle': 'setup() {}' })
  gateway = await startGateway({
    home,
    yaml: `version: 1
plugins: [{ use: ./test-guide.mjs, config: { inbox: ${JSON.stringify(inbox.url)} } }, { use: ./test-idle.mjs }]
users: { mia@example.com: { role: administrator } }
servers:
  open: { url: ${JSON.stringify(open.url)} }
  vault: { url: ${JSON.stringify(vault.url)} }
gateways:
  house:
    servers: [{ server: open }, { server: vault, identity: per-user }]
    rules: [{ name: No bombs, engine: regex, hook: request, patterns: [bomb], action: block, alerts: true }]
`,
  })
})
test.after(async () => {
  await gateway.stop()
  for (const server of [open, vault, inbox]) await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

let agents = 0
const newAgent = (host = `agent-${(agents += 1)}`, user?: string): Promise<Access> =>
  gateway.mintToken({ gateway: 'house', host, ...(user === undefined ? {} : { user }) })
const toolsOf = async (access: Access) =>
  (await legacy(access, { method: 'tools/list' })).json.result.tools as readonly JsonObject[]

test('identity.enrich gives facts to the hooks after it, and may refuse a caller', async () => {
  const { json } = await legacy(await newAgent('walker'), call('act'))
  assert.is(json.result.saw.arguments.facts, 'tools/call open house operator@localhost walker 7')
  const refused = await legacy(await newAgent('unwanted'), call('act'))
  assert.is(refused.status, 403)
  assert.is(refused.json.error.message, 'This host is not welcome.')
  assert.is(refused.headers.get('www-authenticate'), null, 'a client must not sign in anew')
})

test('feature.list drops a tool and changes texts, and the list is nobody else’s', async () => {
  const access = await newAgent()
  const tools = await toolsOf(access)
  assert.equal(
    tools.map((tool) => tool.name),
    ['act', 'forbidden', 'secretive', 'fetch'],
  )
  assert.ok(tools.every((tool) => tool.description === 'seen by the guide'))
  const { json } = await modern(access, { method: 'tools/list' })
  assert.is(json.result.cacheScope, 'private')
  const plain = await toolsOf(await newAgent('plain'))
  assert.ok(
    plain.some((tool) => tool.name === 'hidden'),
    'another caller sees another list',
  )
})

test('feature.request changes an argument, and the record keeps what was sent', async () => {
  const access = await newAgent()
  const { json } = await modern(access, call('act', { own: 1 }))
  assert.is(json.result.saw.arguments.own, 1, 'the rest stays as it was')
  const [message] = await gateway.recorded(access)
  assert.match(message?.legs[0]?.body?.text ?? '', /tools\/call open house/)
})

test('feature.request blocks before the server hears of it', async () => {
  const access = await newAgent()
  const before = callsOf(open).length
  const { status, json } = await legacy(access, call('forbidden'))
  assert.equal([status, json.result.isError, json.result.content[0].text], [200, true, 'Nobody does this.'])
  assert.is(callsOf(open).length, before)
  const [message] = await gateway.recorded(access)
  assert.equal(
    message?.legs.map((leg) => leg.log_type),
    ['proxy_request_success', 'policy_enforced_abort'],
  )
})

test('feature.response rewrites an answer, or keeps it back', async () => {
  const access = await newAgent()
  assert.is((await legacy(access, call('act'))).json.result.guided, true)
  const { text, json } = await legacy(access, call('secretive', { word: 'xyzzy' }))
  assert.equal([json.result.isError, json.result.content[0].text], [true, 'The answer stays here.'])
  assert.not(text.includes('xyzzy'), 'nothing of the answer')
})

test('upstream.credentials lends each person their own credential', async () => {
  const mine = await legacy(await newAgent(), call('fetch'))
  assert.is(mine.json.result.by, 'Lent operator@localhost')
  const hers = await legacy(await newAgent(undefined, 'mia@example.com'), call('fetch'))
  assert.is(hers.json.result.by, 'Lent mia@example.com')
})

test('alert.raised hears of an alert', async () => {
  await legacy(await newAgent(), call('act', { what: 'a bomb' }))
  const heard = await until('the alert is told', () => inbox.seen[0])
  assert.equal([heard.body.type, heard.body.severity], ['rule_blocked', 'warning'])
  assert.not(JSON.stringify(heard.body).includes('a bomb'), 'never what matched')
})

test('a plugin without handlers is asked nothing', async () => {
  assert.match(gateway.banner, /test-guide, test-idle/)
  const line = gateway
    .logs()
    .split('\n')
    .find((text) => text.includes('"hooks":'))
  const { plugins, hooks } = JSON.parse(line ?? '') as { plugins: string[]; hooks: Record<string, string[]> }
  assert.equal(plugins.slice(-2), ['test-guide', 'test-idle'])
  assert.equal(hooks['feature.request'], ['test-guide'])
  assert.not(JSON.stringify(hooks).includes('test-idle'))
})

test.run()
