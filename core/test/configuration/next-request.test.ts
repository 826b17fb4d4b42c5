// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

let server: FakeServer
let gateway: RunningGateway
test.before(async () => {
  server = await fakeUpstream((seen) =>
    answerJson(seen, { result: { content: [], by: seen.headers['x-key'] ?? 'nobody' } }),
  )
  gateway = await startGateway()
  await gateway.api('POST', '/users', { email: 'mia@example.com', role: 'administrator' })
  for (const slug of ['open', 'shared', 'own']) await gateway.api('POST', '/servers', { slug, url: server.url })
  await gateway.api('POST', '/identities', {
    slug: 'pool',
    server: 'shared',
    shared: true,
    headers: { 'X-Key': 'pool' },
  })
  await gateway.api('POST', '/identities', {
    ...{ slug: 'mias', server: 'own', owner: 'mia@example.com' },
    headers: { 'X-Key': 'mia' },
  })
  await gateway.api('POST', '/gateways', {
    slug: 'house',
    prefix: 'always',
    servers: [
      { server: 'open' },
      { server: 'shared', identity: { shared: 'pool' } },
      { server: 'own', identity: 'per-user' },
    ],
  })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

let agents = 0
const newAgent = (): Promise<Access> =>
  gateway.mintToken({ gateway: 'house', host: `agent-${(agents += 1)}`, user: 'mia@example.com' })
const connectionOf = async ({ tokenId }: Access) => (await gateway.api('GET', `/tokens/${tokenId}`))['connectionId']
const assignmentOf = async (as: string) => {
  const { servers } = (await gateway.api('GET', '/gateways/house')) as { servers: { id: string; server: string }[] }
  return servers.find((one) => one.server === as)?.id
}

interface Law {
  readonly what: string
  readonly path: (access: Access) => string | Promise<string>
  readonly tool?: string
  readonly status: 403 | 200
  readonly reason?: string
}
const LAWS: readonly Law[] = [
  { what: 'token', path: ({ tokenId }) => `/tokens/${tokenId}`, status: 403 },
  { what: 'host', path: ({ host }) => `/hosts/${host}`, status: 403 },
  { what: 'connection', path: async (access) => `/connections/${await connectionOf(access)}`, status: 403 },
  { what: 'user', path: () => '/users/mia@example.com', status: 403 },
  { what: 'gateway', path: () => '/gateways/house', status: 403 },
  { what: 'server', path: () => '/servers/open', status: 200, reason: 'server_disabled' },
  {
    what: 'assignment',
    path: async () => `/gateways/house/assignments/${await assignmentOf('open')}`,
    status: 200,
    reason: 'server_disabled',
  },
  {
    what: 'shared identity',
    path: () => '/identities/pool',
    tool: 'shared__act',
    status: 200,
    reason: 'server_disabled',
  },
  {
    what: 'personal identity',
    path: () => '/identities/mias',
    tool: 'own__act',
    status: 200,
    reason: 'server_disabled',
  },
]

for (const { what, path, tool = 'open__act', status, reason } of LAWS)
  test(`a disabled ${what} is refused on the very next request, and served on the next after it is enabled`, async () => {
    const access = await newAgent()
    const place = await path(access)
    assert.ok((await legacy(access, call(tool))).json.result, 'it is good before')
    for (let round = 0; round < 3; round += 1) {
      await gateway.api('PATCH', place, { enabled: false })
      const refused = await legacy(access, call(tool))
      assert.equal([refused.status, refused.json.error.data?.reason], [status, reason], refused.text)
      assert.not.match(refused.headers.get('www-authenticate') ?? '', /./, 'no reason to sign in anew')
      await gateway.api('PATCH', place, { enabled: true })
      const served = await legacy(access, call(tool))
      assert.ok(served.json.result, served.text)
    }
  })

test('a revoked token is 401 on the very next request, for good', async () => {
  for (let round = 0; round < 5; round += 1) {
    const access = await newAgent()
    assert.is((await legacy(access, call('open__act'))).status, 200)
    await gateway.api('DELETE', `/tokens/${access.tokenId}`)
    assert.is((await legacy(access, call('open__act'))).status, 401)
  }
})

test('a host that is removed takes its tokens with it', async () => {
  const access = await newAgent()
  assert.is((await legacy(access, call('open__act'))).status, 200)
  await gateway.api('DELETE', `/hosts/${access.host}`)
  assert.is((await legacy(access, call('open__act'))).status, 401)
})

for (const [slug, tool] of [
  ['pool', 'shared__act'],
  ['mias', 'own__act'],
] as const)
  test(`a new credential of the identity '${slug}' is the one that is used next`, async () => {
    const access = await newAgent()
    for (const key of ['first', 'second', 'third']) {
      await gateway.api('PATCH', `/identities/${slug}`, { headers: { 'X-Key': key } })
      assert.is((await legacy(access, call(tool))).json.result.by, key)
    }
  })

test('a personal identity that is removed calls nobody any more', async () => {
  const access = await newAgent()
  assert.ok((await legacy(access, call('own__act'))).json.result)
  await gateway.api('DELETE', '/identities/mias')
  const { json } = await legacy(access, call('own__act'))
  assert.is(json.error.data.reason, 'connect_required')
})

test('a role that loses its rights loses them at once', async () => {
  const access = await newAgent()
  assert.is((await legacy(access, call('open__act'))).status, 200)
  await gateway.api('PATCH', '/users/mia@example.com', { role: 'member' })
  assert.is((await legacy(access, call('open__act'))).status, 403)
})

test.run()
