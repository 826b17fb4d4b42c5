// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type RunningGateway } from '../gateway.js'
import { signedInPeople, type SignedInPeople } from '../signed-in.js'

/** What a team with a gateway of its own expects, walked from outside. */

let server: FakeServer
let gateway: RunningGateway
let house: SignedInPeople
test.before(async () => {
  server = await fakeUpstream((seen) =>
    answerJson(seen, { result: { content: [], resultType: 'complete', by: seen.headers['x-key'] ?? 'nobody' } }),
  )
  gateway = await startGateway()
  house = await signedInPeople(gateway)
  const post = (path: string, body: object) => gateway.api('POST', path, body)
  await post('/roles', { slug: 'sees-all', capabilities: ['authenticateViaOauth', 'viewAndUseAllGateways'] })
  await post('/users', { email: 'mia@example.com', role: 'member' })
  await post('/users', { email: 'max@example.com', role: 'member' })
  await post('/users', { email: 'nobody@example.com', role: 'member' })
  await post('/users', { email: 'eve@example.com', role: 'sees-all' })
  await post('/teams', { slug: 'engineering', members: ['mia@example.com', 'max@example.com'] })
  for (const slug of ['pool', 'own']) await post('/servers', { slug, url: server.url, auth: { headers: {} } })
  await post('/identities', { slug: 'robot', server: 'pool', shared: true, headers: { 'X-Key': 'robot' } })
  for (const name of ['mia', 'max'])
    await post('/identities', {
      ...{ slug: `own-${name}`, server: 'own', owner: `${name}@example.com` },
      headers: { 'X-Key': name },
    })
  await post('/gateways', {
    ...{ slug: 'engineering', title: 'Engineering', prefix: 'always', teams: ['engineering'] },
    servers: [
      { server: 'pool', identity: { shared: 'robot' } },
      { server: 'own', identity: 'per-user' },
    ],
  })
  await post('/gateways', { slug: 'sales', title: 'Sales' })
  await post('/hosts', { slug: 'bot', title: 'Bot' })
})
test.after(async () => {
  await house.stop()
  await gateway.stop()
  await server.stop()
})

const mint = (user: string, host = 'bot') =>
  gateway.mintToken({ gateway: 'engineering', host, user: `${user}@example.com` })

test('a member is offered the gateway of the team alone, others none, and who may use all of them all', async () => {
  for (const [who, offered] of [
    ['mia', ['Engineering']],
    ['nobody', []],
    ['eve', ['Engineering', 'Sales']],
  ] as const) {
    const { text } = await (await house.person(`${who}@example.com`)).get('/connect/host/bot')
    assert.equal(
      ['Engineering', 'Sales'].filter((title) => text.includes(title)),
      offered,
    )
  }
  assert.is((await legacy(await mint('nobody'), call('pool__act'))).status, 403)
  assert.is((await legacy(await mint('eve'), call('pool__act'))).json.result.by, 'robot')
})

test('each brings their own credential where each has one, all use the one that is shared, and the log names each', async () => {
  for (const who of ['mia', 'max']) {
    const access = await mint(who)
    assert.is((await legacy(access, call('own__act'))).json.result.by, who)
    assert.is((await legacy(access, call('pool__act'))).json.result.by, 'robot')
    const rows = await gateway.recorded(access, { method: 'tools/call' })
    const own = rows.filter(({ legs }) => legs[0]?.user_email === `${who}@example.com`)
    assert.is(own.length, 2)
    assert.ok(own.every(({ legs }) => legs[0]?.host_name === 'bot' || legs[0]?.host_name === 'Bot'))
  }
})

test('a shared scheme without an identity cannot be saved; whoever has given none is told to', async () => {
  const refused = await gateway
    .api('POST', '/gateways/sales/assignments', { server: 'pool', identity: 'shared' })
    .catch((thrown: unknown) => String(thrown))
  assert.match(String(refused), /400 .*identity/)
  const { json } = await legacy(await mint('eve'), call('own__act'))
  assert.is(json.error.data.reason, 'connect_required')
  const list = await legacy(await mint('eve'), { method: 'tools/list' })
  assert.equal(
    list.json.result.tools.map(({ name }: { name: string }) => name),
    ['pool__act'],
  )
})

test('two tokens of one host for two people are two people upstream; neither opens another gateway', async () => {
  const [mia, max] = [await mint('mia'), await mint('max')]
  assert.equal(
    [(await legacy(mia, call('own__act'))).json.result.by, (await legacy(max, call('own__act'))).json.result.by],
    ['mia', 'max'],
  )
  for (const access of [mia, max])
    assert.is((await legacy({ ...access, url: `${gateway.url}/mcp/sales` }, call('own__act'))).status, 401)
})

test('all other agents switched off, the one that is left goes on', async () => {
  const [bot, other] = [await mint('mia'), await mint('mia', 'other')]
  const { items } = (await gateway.api('GET', '/hosts?kind=token')) as unknown as { items: { slug: string }[] }
  for (const { slug } of items) if (slug !== 'bot') await gateway.api('PATCH', `/hosts/${slug}`, { enabled: false })
  assert.is((await legacy(other, call('own__act'))).status, 403)
  assert.is((await legacy(bot, call('own__act'))).status, 200)
})

test.run()
