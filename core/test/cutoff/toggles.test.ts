// time-limit: 240
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, openSession } from '../door.js'
import { answerJson, fakeUpstream, params, sendEvent, startStream, type FakeServer } from '../fake-upstream.js'
import type { Access } from '../gateway.js'
import { startCluster, type Cluster } from '../replicas/cluster.js'
import { openListen, openStanding } from '../streams.js'
import { until } from '../until.js'

/** What is promised, and what a busy machine may add to it. */
const PROMISED_MS = 1_000
const SLACK_MS = 400

let server: FakeServer
let cluster: Cluster
let given: Access

test.before(async () => {
  server = await fakeUpstream(
    (seen) => {
      const { name, _meta } = params(seen) as { name: string; _meta: { progressToken: unknown } }
      if (name === 'act') return answerJson(seen, { result: { content: [], resultType: 'complete' } })
      startStream(seen)
      const { progressToken } = _meta
      sendEvent(seen, { method: 'notifications/progress', params: { progressToken, progress: 1 } })
    },
    { tools: ['act', 'hold'] },
  )
  cluster = await startCluster()
  const { api } = cluster.gateways[0]!
  const make = (path: string, body: object) => api('POST', path, body)
  await make('/users', { email: 'mia@example.com', role: 'member' })
  await make('/teams', { slug: 'crew', members: ['mia@example.com'] })
  for (const slug of ['open', 'shared', 'own']) await make('/servers', { slug, url: server.url })
  await make('/identities', { slug: 'pool', server: 'shared', shared: true, headers: { 'X-Key': 'pool' } })
  await make('/identities', { slug: 'mias', server: 'own', owner: 'mia@example.com', headers: { 'X-Key': 'mia' } })
  await make('/gateways', {
    ...{ slug: 'house', prefix: 'always', teams: ['crew'] },
    servers: [
      { server: 'open' },
      { server: 'shared', identity: { shared: 'pool' } },
      { server: 'own', identity: 'per-user' },
    ],
  })
  given = await cluster.gateways[0]!.mintToken({ gateway: 'house', host: 'agent', user: 'mia@example.com' })
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

const api = (method: string, path: string, body?: object) => cluster.gateways[0]!.api(method, path, body)
const connectionOf = async () => (await api('GET', `/tokens/${given.tokenId}`))['connectionId']
const assignmentOf = async (server: string) => {
  const { servers } = (await api('GET', '/gateways/house')) as { servers: { id: string; server: string }[] }
  return servers.find((one) => one.server === server)?.id
}

interface Toggle {
  readonly what: string
  readonly path: () => string | Promise<string>
  /** The server whose calls end alone; without it the door is closed. */
  readonly server?: 'open' | 'shared' | 'own'
}
const TOGGLES: readonly Toggle[] = [
  { what: 'user', path: () => '/users/mia@example.com' },
  { what: 'team', path: () => '/teams/crew' },
  { what: 'host', path: () => '/hosts/agent' },
  { what: 'connection', path: async () => `/connections/${await connectionOf()}` },
  { what: 'token', path: () => `/tokens/${given.tokenId}` },
  { what: 'gateway', path: () => '/gateways/house' },
  { what: 'server', path: () => '/servers/open', server: 'open' },
  { what: 'assignment', path: async () => `/gateways/house/assignments/${await assignmentOf('open')}`, server: 'open' },
  { what: 'shared identity', path: () => '/identities/pool', server: 'shared' },
  { what: 'personal identity', path: () => '/identities/mias', server: 'own' },
]

for (const toggle of TOGGLES)
  test(`a ${toggle.what} that is disabled ends what is under way at both replicas, and comes back as it was`, async () => {
    const path = await toggle.path()
    const tool = (name: string) => `${toggle.server ?? 'open'}__${name}`
    const visits = await Promise.all(cluster.gateways.map((gateway) => visit(cluster.at(gateway, given), tool)))
    await api('PATCH', path, { enabled: false })
    const since = performance.now()
    const refused = (access: Access, session: string) => isRefused(toggle, access, session, tool('act'))
    const [here, there] = visits as [Visit, Visit]
    assert.ok(await refused(here.access, here.session), 'the very next request is refused where it was changed')
    let ignorant = since
    await until('the other replica refuses', async () => {
      const askedAt = performance.now()
      if (await refused(there.access, there.session)) return true
      ignorant = askedAt
      return undefined
    })
    assert.ok(ignorant - since <= PROMISED_MS, `the other replica served ${ignorant - since} ms later`)
    const ended = await Promise.all(visits.map((one) => one.ends(toggle)))
    for (const at of ended.flat()) assert.ok(at - since <= PROMISED_MS + SLACK_MS, `ended ${at - since} ms later`)
    if (toggle.server !== undefined) for (const one of visits) await isHidden(one, toggle.server)

    await api('PATCH', path, { enabled: true })
    for (const { access, session } of visits) {
      const served = await until('it is served again', async () => {
        const answer = await legacy(access, call(tool('act')), { session })
        return answer.json.result === undefined ? undefined : answer
      })
      assert.is(served.status, 200, 'with the same token and the same session')
    }
    for (const one of visits) one.leave()
  })

interface Visit {
  readonly access: Access
  readonly session: string
  /** When each of what was under way and is the toggle's to end has ended. */
  ends(toggle: Toggle): Promise<number[]>
  leave(): void
}

/** A session at one replica with its standing stream, a listener and a call that streams. */
async function visit(access: Access, tool: (name: string) => string): Promise<Visit> {
  const session = await openSession(access)
  const standing = await openStanding(access, session)
  const listen = await openListen(access, { toolsListChanged: true })
  assert.equal([standing.status, listen.status], [200, 200])
  const leave = new AbortController()
  const { signal } = leave
  const before = holding().length
  const held = { ...call(tool('hold')), params: { name: tool('hold'), arguments: {}, _meta: { progressToken: 'p' } } }
  const answer = legacy(access, held as JsonObject, { session, signal }).then(
    ({ json }) => ({ at: performance.now(), reason: json?.error?.data?.reason as unknown }),
    () => ({ at: performance.now(), reason: 'cut' as unknown }),
  )
  const own = await until('the call is there', () => holding()[before])
  const gone = new Promise<number>((resolve) => own.res.once('close', () => resolve(performance.now())))
  return {
    access,
    session,
    async ends({ server: isAlone }) {
      const { at, reason } = await answer
      assert.is(reason, isAlone === undefined ? 'cut' : 'server_disabled')
      const upstream = await gone
      if (isAlone !== undefined) {
        assert.not(standing.isEnded() || listen.isEnded(), 'streams of others than the server stay')
        return [at, upstream]
      }
      const [first, second] = await Promise.all(
        [standing, listen].map((one) => one.ended().then(() => performance.now())),
      )
      return [at, upstream, first as number, second as number]
    },
    leave: () => (leave.abort(), standing.close(), listen.close()),
  }
}

const holding = () => server.seen.filter((seen) => params(seen)['name'] === 'hold')

async function isRefused({ server: isAlone }: Toggle, access: Access, session: string, tool: string): Promise<boolean> {
  const { status, json, headers } = await legacy(access, call(tool), { session })
  if (status === 200 && json.result !== undefined) return false
  const expected = isAlone === undefined ? [403, undefined] : [200, 'server_disabled']
  assert.equal([status, json.error.data?.reason], expected)
  assert.is(headers.get('www-authenticate'), null, 'nobody is told to sign in anew, or for more')
  return true
}

async function isHidden({ access, session }: Visit, server: string): Promise<void> {
  const { json } = await legacy(access, { method: 'tools/list' }, { session })
  const names = json.result.tools.map(({ name }: { name: string }) => name) as string[]
  assert.not(names.some((name) => name.startsWith(`${server}__`)))
  const [told] = json.result._meta['gatehouse/servers'].filter((one: JsonObject) => one['server'] === server)
  assert.is(told.state, 'disabled')
}

test.run()
